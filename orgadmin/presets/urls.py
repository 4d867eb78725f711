from __future__ import annotations

from django.urls import path

from orgadmin.presets import edit_views, views

app_name = "presets"
urlpatterns = [
    path("", views.list_presets, name="list"),
    path("csv/", views.export, name="csv"),
    path("create/", edit_views.create, name="create"),
    path("check/", edit_views.check, name="check"),
    path("<upstreamid:preset_uid>/edit/", edit_views.edit, name="edit"),
    path("<upstreamid:preset_uid>/compare/", views.compare, name="compare"),
    path("<upstreamid:preset_uid>/versions/<int:number>/", views.version, name="version"),
    path("<upstreamid:preset_uid>/versions/<int:number>/restore/", edit_views.restore, name="restore"),
    # Last: an id may hold anything.
    path("<upstreamid:preset_uid>/", views.detail, name="detail"),
]

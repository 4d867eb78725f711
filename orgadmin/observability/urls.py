from __future__ import annotations

from django.urls import path

from orgadmin.observability import edit_views, views

app_name = "observability"
urlpatterns = [
    path("", views.list_destinations, name="list"),
    path("csv/", views.export, name="csv"),
    path("create/", edit_views.create, name="create"),
    path("rules/", edit_views.rules, name="rules"),
    path("keys/", edit_views.suggest, name="suggest"),
    path("<upstreamid:destination_uid>/edit/", edit_views.edit, name="edit"),
    path("<upstreamid:destination_uid>/enable/", edit_views.enable, name="enable"),
    path("<upstreamid:destination_uid>/disable/", edit_views.disable, name="disable"),
    path("<upstreamid:destination_uid>/delete/", edit_views.delete, name="delete"),
    # Last: an id may hold anything.
    path("<upstreamid:destination_uid>/", views.detail, name="detail"),
]

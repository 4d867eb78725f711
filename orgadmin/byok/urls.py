from __future__ import annotations

from django.urls import path

from orgadmin.byok import edit_views, views

app_name = "byok"
urlpatterns = [
    path("", views.list_credentials, name="list"),
    path("csv/", views.export, name="csv"),
    path("coverage/", views.coverage, name="coverage"),
    path("coverage/csv/", views.export_coverage, name="coverage-csv"),
    path("add/", edit_views.create, name="create"),
    path("suggest/", edit_views.suggest, name="suggest"),
    path("<upstreamid:credential_uid>/edit/", edit_views.edit, name="edit"),
    path("<upstreamid:credential_uid>/rotate/", edit_views.rekey, name="rekey"),
    path("<upstreamid:credential_uid>/disable/", edit_views.disable, name="disable"),
    path("<upstreamid:credential_uid>/enable/", edit_views.enable, name="enable"),
    path("<upstreamid:credential_uid>/delete/", edit_views.delete, name="delete"),
    # Last: an id may hold anything.
    path("<upstreamid:credential_uid>/", views.detail, name="detail"),
]

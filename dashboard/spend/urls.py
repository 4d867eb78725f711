from __future__ import annotations

from django.urls import path

from dashboard.spend import reconciliation, views

app_name = "spend"
urlpatterns = [
    path("", views.show, name="show"),
    path("filter/", views.add_filter, name="filter"),
    path("panel/", views.panel, name="panel"),
    path("csv/", views.csv, name="csv"),
    path("reconciliation/", reconciliation.list_days, name="reconciliation"),
    path("reconciliation/explain/", reconciliation.explain, name="explain"),
]

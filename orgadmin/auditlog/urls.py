from __future__ import annotations

from django.urls import path

from orgadmin.auditlog import restore_views, views

app_name = "auditlog"
urlpatterns = [
    path("", views.list_acts, name="list"),
    path("csv/", views.export, name="csv"),
    path("<int:entry_id>/", views.entry, name="entry"),
    path("<int:entry_id>/restore/", restore_views.restore, name="restore"),
]

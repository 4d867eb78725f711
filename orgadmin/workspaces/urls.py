from __future__ import annotations

from django.urls import path

from orgadmin.workspaces import views

app_name = "workspaces"
urlpatterns = [
    path("", views.list_workspaces, name="list"),
    path("csv/", views.export, name="csv"),
    path("<upstreamid:workspace_uid>/", views.detail, name="detail"),
]

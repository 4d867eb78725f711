from __future__ import annotations

from django.urls import path

from orgadmin.members import views

app_name = "members"
urlpatterns = [
    path("", views.list_members, name="list"),
    path("csv/", views.export, name="csv"),
    path("<upstreamid:member_uid>/", views.detail, name="detail"),
]

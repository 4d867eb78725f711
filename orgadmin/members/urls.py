from __future__ import annotations

from django.urls import path

from orgadmin.members import leaving_views, views

app_name = "members"
urlpatterns = [
    path("", views.list_members, name="list"),
    path("csv/", views.export, name="csv"),
    path("<upstreamid:member_uid>/leaving/", leaving_views.leaving, name="leaving"),
    path("<upstreamid:member_uid>/leaving/start/", leaving_views.start, name="leaving-start"),
    # Last: an id of OpenRouter's may be anything, slashes included.
    path("<upstreamid:member_uid>/", views.detail, name="detail"),
]

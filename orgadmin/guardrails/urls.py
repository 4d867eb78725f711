from __future__ import annotations

from django.urls import path

from orgadmin.guardrails import assign_views, edit_views, raise_views, views

app_name = "guardrails"
urlpatterns = [
    path("", views.list_guardrails, name="list"),
    path("csv/", views.export, name="csv"),
    path("create/", edit_views.create, name="create"),
    path("suggest/", edit_views.suggest, name="suggest"),
    path("assign/", assign_views.assign, name="assign"),
    path("assign/start/", assign_views.start, name="assign-start"),
    path("<upstreamid:guardrail_uid>/edit/", edit_views.edit, name="edit"),
    path("<upstreamid:guardrail_uid>/raise/", raise_views.raise_limit, name="raise-limit"),
    path("<upstreamid:guardrail_uid>/delete/", edit_views.delete, name="delete"),
    # Last: an id may hold anything.
    path("<upstreamid:guardrail_uid>/", views.detail, name="detail"),
]

from __future__ import annotations

from django.urls import path

from orgadmin.guardrails import assign_views

app_name = "guardrails"
urlpatterns = [
    path("assign/", assign_views.assign, name="assign"),
    path("assign/start/", assign_views.start, name="assign-start"),
]

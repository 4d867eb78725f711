from __future__ import annotations

from django.urls import path

from orgadmin.guardrails import views

app_name = "guardrails"
urlpatterns = [
    path("", views.list_guardrails, name="list"),
    path("csv/", views.export, name="csv"),
    path("<upstreamid:guardrail_uid>/", views.detail, name="detail"),
]

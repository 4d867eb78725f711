from __future__ import annotations

from django.urls import path

from orgadmin.budgets import views

app_name = "budgets"
urlpatterns = [
    path("", views.list_limits, name="list"),
    path("csv/", views.export, name="csv"),
    path("panel/", views.panel, name="panel"),
]

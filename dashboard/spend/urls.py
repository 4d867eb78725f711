from __future__ import annotations

from django.urls import path

from dashboard.spend import views

app_name = "spend"
urlpatterns = [
    path("", views.show, name="show"),
    path("panel/", views.panel, name="panel"),
]

from __future__ import annotations

from django.urls import path

from dashboard.credits import views

app_name = "credits"
urlpatterns = [
    path("", views.show, name="show"),
]

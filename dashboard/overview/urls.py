from __future__ import annotations

from django.urls import path

from dashboard.overview import views

app_name = "overview"
urlpatterns = [path("", views.show, name="show")]

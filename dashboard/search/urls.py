from __future__ import annotations

from django.urls import path

from dashboard.search import views

app_name = "search"
urlpatterns = [path("", views.palette, name="palette")]

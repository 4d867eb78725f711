from __future__ import annotations

from django.urls import path

from dashboard.catalog import views

app_name = "catalog"
urlpatterns = [
    path("", views.list_models, name="list"),
    path("csv/", views.export, name="csv"),
    path("changes/", views.changes, name="changes"),
    # A model's name is its author, a slash and its slug, with or without a variant.
    path("<path:model_slug>/", views.detail, name="detail"),
]

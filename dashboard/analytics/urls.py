from __future__ import annotations

from django.urls import path

from dashboard.analytics import saved_views, views
from dashboard.analytics.daily import views as daily

app_name = "analytics"
urlpatterns = [
    path("", views.show, name="show"),
    path("builder/", views.builder, name="builder"),
    path("run/", views.run, name="run"),
    path("csv/", views.csv, name="csv"),
    path("ask/", views.ask_in_background, name="ask"),
    path("asked/<int:asking_id>/", views.asked, name="asked"),
    path("asked/<int:asking_id>/csv/", views.asked_csv, name="asked-csv"),
    path("daily/", daily.show, name="daily"),
    path("daily/csv/", daily.csv, name="daily-csv"),
    path("saved/", saved_views.list_saved, name="saved"),
    path("saved/new/", saved_views.save, name="save"),
    path("saved/<int:saved_id>/rename/", saved_views.rename, name="saved-rename"),
    path("saved/<int:saved_id>/delete/", saved_views.delete, name="saved-delete"),
]

from __future__ import annotations

from django.urls import path

from orgadmin.syncs import job_views, views

app_name = "syncs"
urlpatterns = [
    path("", views.list_runs, name="list"),
    path("run/", views.run, name="run"),
    path("freshness/", views.freshness, name="freshness"),
    path("progress/", views.progress, name="progress"),
    path("jobs/", job_views.list_jobs, name="jobs"),
    path("jobs/<int:job_id>/", job_views.detail, name="job"),
    path("jobs/<int:job_id>/progress/", job_views.progress, name="job-progress"),
    path("jobs/<int:job_id>/items/", job_views.items, name="job-items"),
    path("jobs/<int:job_id>/cancel/", job_views.cancel, name="job-cancel"),
    path("jobs/<int:job_id>/retry/", job_views.retry, name="job-retry"),
]

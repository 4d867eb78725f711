"""The front door."""

from __future__ import annotations

from django.urls import include, path

from dashboard.home import views as home

urlpatterns = [
    path("", home.home, name="home"),
    path("theme/", home.theme, name="theme"),
    path("accounts/", include("allauth.urls")),
    path("", include("orgadmin.connections.front_urls")),
    path("o/<slug:organization>/spend/", include("dashboard.spend.urls")),
    path("o/<slug:organization>/credits/", include("dashboard.credits.urls")),
    path("o/<slug:organization>/analytics/", include("dashboard.analytics.urls")),
    path("o/<slug:organization>/models/", include("dashboard.catalog.urls")),
    path("o/<slug:organization>/search/", include("dashboard.search.urls")),
    path("o/<slug:organization>/", include("dashboard.overview.urls")),
    path("o/<slug:organization>/", include("orgadmin.urls")),
]

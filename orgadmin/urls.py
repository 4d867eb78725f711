"""Everything of one organization, below ``/o/<organization>/``."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("keys/", include("orgadmin.keys.urls")),
    path("audit-log/", include("orgadmin.auditlog.urls")),
    path("sync/", include("orgadmin.syncs.urls")),
    path("settings/", include("orgadmin.connections.urls")),
]

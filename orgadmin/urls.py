"""Everything of one organization, below ``/o/<organization>/``."""

from __future__ import annotations

from django.urls import include, path

from orgadmin.access import nothing_here

urlpatterns = [
    path("keys/", include("orgadmin.keys.urls")),
    path("audit-log/", include("orgadmin.auditlog.urls")),
    path("sync/", include("orgadmin.syncs.urls")),
    path("settings/", include("orgadmin.connections.urls")),
    # Last. With a slash at its end, so that an address without one is still mended.
    path("<path:rest>/", nothing_here, name="nothing-here"),
]

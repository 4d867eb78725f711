"""Everything of one organization, below ``/o/<organization>/``."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from orgadmin.access import nothing_here


class UpstreamId(StringConverter):
    """What OpenRouter calls an object, whatever it is made of. No database looks for a NUL."""

    regex = r"[^\x00]{1,100}"


register_converter(UpstreamId, "upstreamid")

urlpatterns = [
    path("keys/", include("orgadmin.keys.urls")),
    path("guardrails/", include("orgadmin.guardrails.urls")),
    path("budgets/", include("orgadmin.budgets.urls")),
    path("workspaces/", include("orgadmin.workspaces.urls")),
    path("members/", include("orgadmin.members.urls")),
    path("byok/", include("orgadmin.byok.urls")),
    path("observability/", include("orgadmin.observability.urls")),
    path("presets/", include("orgadmin.presets.urls")),
    path("policy/", include("orgadmin.policies.urls")),
    path("audit-log/", include("orgadmin.auditlog.urls")),
    path("sync/", include("orgadmin.syncs.urls")),
    path("settings/", include("orgadmin.connections.urls")),
    # Last. With a slash at its end, so that an address without one is still mended.
    path("<path:rest>/", nothing_here, name="nothing-here"),
]

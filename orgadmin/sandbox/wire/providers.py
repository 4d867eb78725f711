"""`/providers`: names and slugs of everybody who serves models."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.market.providers import Provider, providers
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply


def list_providers(call: Call) -> Reply:
    return Reply({"data": [provider_object(provider) for provider in providers().values()]})


def provider_object(provider: Provider) -> dict[str, Any]:
    """Who does not say where they are has no pages about it either."""
    page = f"https://{provider.slug}.example"
    known = provider.headquarters is not None
    return {
        "name": provider.name,
        "slug": provider.slug,
        "privacy_policy_url": f"{page}/privacy",
        "terms_of_service_url": f"{page}/terms" if known else None,
        "status_page_url": f"https://status.{provider.slug}.example" if known else None,
        "headquarters": provider.headquarters,
        "datacenters": list(provider.datacenters) if provider.datacenters else None,
    }


ENDPOINTS = (Endpoint("GET", "/providers", list_providers, public=True),)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgadmin.openrouter.reading import read_list
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Somebody who serves models. Guardrails and BYOK know them by `slug`; endpoints and activity by a
    display name that is mostly, not always, `name`. Places are ISO 3166-1 alpha-2 codes; None is unknown.

    What a provider keeps or trains on is not in the API.
    """

    name: str
    slug: str
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    status_page_url: str | None = None
    headquarters: str | None = None
    datacenters: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def get_all(client: OpenRouter) -> tuple[Provider, ...]:
    """`GET /providers`: all of them, in one answer. It is public."""
    return read_list(Provider, client.request("GET", "/providers", anonymous=True))

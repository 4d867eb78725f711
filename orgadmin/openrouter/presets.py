"""Presets: named settings for calls of models, in numbered versions, each preset in one workspace.

Callers are served the designated version. Upstream has no way to change, take back or delete one by its API:
a new version is all there is, and it is designated, and with that live, at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_data, read_list
from orgadmin.openrouter.transport import OpenRouter

KINDS = ("chat/completions", "messages", "responses")
"""The three kinds of requests a preset can be made of, as they end the address."""
ACTIVE = "active"

# Upstream states no rule but "URL-safe": these letters need no spelling in an address.
_SLUG = re.compile(r"(?!\.+$)[A-Za-z0-9_.~-]+")
LONGEST_SLUG = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetVersion:
    """One version. `config` holds whatever fields of the request upstream kept, numbers as Decimal or int."""

    id: str
    preset_id: str
    version: int
    config: Mapping[str, Any]
    system_prompt: str | None
    creator_id: str
    created_at: datetime | None
    updated_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A preset without its settings. `status` is `active`, `disabled` or `archived` so far, and only the
    vendor's web page changes it."""

    id: str
    slug: str
    name: str
    description: str | None
    status: str
    status_updated_at: datetime | None
    designated_version_id: str | None
    workspace_id: str | None
    creator_user_id: str | None
    created_at: datetime | None
    updated_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetWithVersion:
    """A preset with the version that is served; None where none is designated."""

    id: str
    slug: str
    name: str
    description: str | None
    status: str
    status_updated_at: datetime | None
    designated_version_id: str | None
    workspace_id: str | None
    creator_user_id: str | None
    created_at: datetime | None
    updated_at: datetime | None
    designated_version: PresetVersion | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def page(client: OpenRouter, *, offset: int = 0, limit: int = LARGEST_PAGE) -> Page[Preset]:
    """`GET /presets`, one request: those of the credential's workspace, the last changed first.

    Wants an inference key; a management key may be refused as Unauthorized or Forbidden.
    """
    check_window(offset, limit)
    answer = client.request("GET", "/presets", params={"offset": offset, "limit": limit})
    return Page(read_list(Preset, answer), read_count(answer, "total_count"))


def walk(client: OpenRouter, *, limit: int = LARGEST_PAGE) -> Iterator[tuple[Preset, ...]]:
    """Every preset of the credential's workspace, page by page, each once."""
    return walk_counted(lambda offset: page(client, offset=offset, limit=limit), lambda row: row.id)


def get(client: OpenRouter, *, slug: str) -> PresetWithVersion:
    """`GET /presets/{slug}`: a preset with the version that is served. NotFound if there is none."""
    return read_data(PresetWithVersion, client.request("GET", path("presets", slug)))


def versions_page(
    client: OpenRouter, *, slug: str, offset: int = 0, limit: int = LARGEST_PAGE
) -> Page[PresetVersion]:
    """`GET /presets/{slug}/versions`, one request, the oldest first."""
    check_window(offset, limit)
    address = path("presets", slug, "versions")
    answer = client.request("GET", address, params={"offset": offset, "limit": limit})
    return Page(read_list(PresetVersion, answer), read_count(answer, "total_count"))


def versions_walk(
    client: OpenRouter, *, slug: str, limit: int = LARGEST_PAGE
) -> Iterator[tuple[PresetVersion, ...]]:
    """Every version of a preset, page by page, each once."""
    return walk_counted(
        lambda offset: versions_page(client, slug=slug, offset=offset, limit=limit), lambda row: row.id
    )


def version(client: OpenRouter, *, slug: str, number: int) -> PresetVersion:
    """`GET /presets/{slug}/versions/{version}`. NotFound if there is none, which upstream may also say by
    null."""
    answer = client.request("GET", path("presets", slug, "versions", str(number)))
    if "data" in answer and answer["data"] is None:
        raise NotFound(f"This preset has no version {number}.")
    return read_data(PresetVersion, answer)


def create_or_update(
    client: OpenRouter, *, slug: str, kind: str, body: Mapping[str, Any]
) -> PresetWithVersion:
    """`POST /presets/{slug}/{kind}`: a new preset, or a new version of one, live at once. No model is run.

    `body` is a request of that kind, its fractions Decimal; upstream keeps the fields that presets have and
    drops the others without a word. Never repeated once bytes were sent: an error with `outcome_unknown`
    means that the version may exist. Conflict when somebody else changes the preset at the same moment.
    Raises ValueError for a kind or a slug that cannot be sent.
    """
    if kind not in KINDS:
        raise ValueError(f"A preset is made of a request of one of the kinds {', '.join(KINDS)}.")
    check_slug(slug)
    answer = client.request("POST", path("presets", slug, *kind.split("/")), body=body)
    return read_data(PresetWithVersion, answer, write=True)


def check_slug(slug: str) -> None:
    """Raises ValueError for a slug that would not stand in an address as it is."""
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise ValueError(
            f"A slug has 1 to {LONGEST_SLUG} letters, digits, hyphens, dots, tildes and underscores."
        )

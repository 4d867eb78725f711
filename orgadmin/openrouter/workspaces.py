from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_data, read_list
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace with its settings. Nothing here says which one is the organization's default.

    `io_logging_api_key_ids` are upstream's numeric key ids, which no endpoint relates to key hashes; None
    means all keys.
    """

    id: str
    name: str
    slug: str
    description: str | None
    created_at: datetime | None
    updated_at: datetime | None
    created_by: str | None
    default_guardrail_id: str
    default_text_model: str | None
    default_image_model: str | None
    default_provider_sort: str | None
    is_observability_broadcast_enabled: bool
    is_observability_io_logging_enabled: bool
    io_logging_sampling_rate: Decimal
    io_logging_api_key_ids: tuple[int, ...] | None
    is_data_discount_logging_enabled: bool
    include_byok_in_budgets: bool | None = None
    disabled_server_tools: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def page(client: OpenRouter, *, offset: int = 0, limit: int = LARGEST_PAGE) -> Page[Workspace]:
    """`GET /workspaces`, one request. The order is unspecified."""
    check_window(offset, limit)
    answer = client.request("GET", "/workspaces", params={"offset": offset, "limit": limit})
    return Page(read_list(Workspace, answer), read_count(answer, "total_count"))


def walk(client: OpenRouter, *, limit: int = LARGEST_PAGE) -> Iterator[tuple[Workspace, ...]]:
    """Every workspace, page by page, each once."""
    return walk_counted(lambda offset: page(client, offset=offset, limit=limit), lambda row: row.id)


def get(client: OpenRouter, *, workspace_id: str) -> Workspace:
    """`GET /workspaces/{id}`; `workspace_id` is a UUID or a slug. NotFound if there is none."""
    return read_data(Workspace, client.request("GET", path("workspaces", workspace_id)))

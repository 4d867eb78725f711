from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound, UnreadableAnswer
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_data, read_list
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET, Unset

LONGEST_NAME = 100
LONGEST_SLUG = 50
LONGEST_DESCRIPTION = 500
LEAST_SAMPLING_RATE = Decimal("0.0001")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NEVER_NULL = (
    "name",
    "slug",
    "is_observability_broadcast_enabled",
    "is_observability_io_logging_enabled",
    "io_logging_sampling_rate",
    "is_data_discount_logging_enabled",
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceChanges:
    """What to change of a workspace, or set of a new one: UNSET leaves a field alone, None clears it where
    upstream allows that.

    `include_byok_in_budgets` is not among them: it is set together with a budget. Raises ValueError for what
    upstream is known to refuse.
    """

    name: str | Unset = UNSET
    slug: str | Unset = UNSET
    description: str | Unset | None = UNSET
    default_text_model: str | Unset | None = UNSET
    default_image_model: str | Unset | None = UNSET
    default_provider_sort: str | Unset | None = UNSET
    is_observability_broadcast_enabled: bool | Unset = UNSET
    is_observability_io_logging_enabled: bool | Unset = UNSET
    io_logging_sampling_rate: Decimal | Unset = UNSET
    io_logging_api_key_ids: Sequence[int] | Unset | None = UNSET
    is_data_discount_logging_enabled: bool | Unset = UNSET
    disabled_server_tools: Sequence[str] | Unset | None = UNSET

    def __post_init__(self) -> None:
        for name in _NEVER_NULL:
            if getattr(self, name) is None:
                raise ValueError(f"“{name}” cannot be cleared.")
        if self.name is not UNSET and not 1 <= len(self.name) <= LONGEST_NAME:
            raise ValueError(f"A workspace’s name has 1 to {LONGEST_NAME} characters.")
        if self.slug is not UNSET:
            _check_slug(self.slug)
        if isinstance(self.description, str) and len(self.description) > LONGEST_DESCRIPTION:
            raise ValueError(f"A description has at most {LONGEST_DESCRIPTION} characters.")
        if self.io_logging_sampling_rate is not UNSET:
            _check_rate(self.io_logging_sampling_rate)

    def __bool__(self) -> bool:
        return bool(self.body())

    def body(self) -> dict[str, Any]:
        """The JSON body: only what is changed."""
        pairs = ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self))
        return {
            name: value if value is None or isinstance(value, str | bool | Decimal) else list(value)
            for name, value in pairs
            if value is not UNSET
        }


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


def create(
    client: OpenRouter, *, name: str, slug: str, settings: WorkspaceChanges | None = None
) -> Workspace:
    """`POST /workspaces`. Of `settings` everything but name and slug is set too; the rest is upstream's
    choice.

    Never repeated once bytes were sent. An error with `outcome_unknown` means the workspace may exist: look
    for its slug, which no two workspaces share. InvalidRequest when the slug is taken. Raises ValueError
    before sending for a name or slug upstream refuses.
    """
    asked = dataclasses.replace(settings or WorkspaceChanges(), name=name, slug=slug)
    return read_data(Workspace, client.request("POST", "/workspaces", body=asked.body()), write=True)


def update(client: OpenRouter, *, workspace_id: str, changes: WorkspaceChanges) -> Workspace:
    """`PATCH /workspaces/{id}` with only what changed. ValueError when nothing did: upstream refuses that.

    A new slug changes the vendor's web addresses and every path that used the old one: call by UUID.
    """
    if not changes:
        raise ValueError("There is nothing to change.")
    answer = client.request("PATCH", path("workspaces", workspace_id), body=changes.body())
    return read_data(Workspace, answer, write=True)


def delete(client: OpenRouter, *, workspace_id: str, confirm_default: bool = False) -> None:
    """`DELETE /workspaces/{id}`, for ever and with its budgets and guardrails. One that is already gone
    counts as deleted.

    InvalidRequest while it holds active keys. Forbidden for the default workspace, unless the account is one
    of those that may delete it: upstream then wants `confirm_default`, and disables keys that name no
    workspace.
    """
    params = {"confirm_default_workspace_deletion": True} if confirm_default else None
    try:
        answer = client.request("DELETE", path("workspaces", workspace_id), params=params)
    except NotFound:
        return
    if answer.get("deleted", True) is not True:
        message = "OpenRouter did not confirm that the workspace is deleted."
        raise UnreadableAnswer(message, outcome_unknown=True)


def _check_slug(slug: str) -> None:
    if len(slug) > LONGEST_SLUG or not _SLUG.fullmatch(slug):
        raise ValueError(
            f"A slug has 1 to {LONGEST_SLUG} lower-case letters and digits, with single hyphens between them."
        )


def _check_rate(rate: Decimal) -> None:
    if not rate.is_finite() or not LEAST_SAMPLING_RATE <= rate <= 1:
        raise ValueError(f"A sampling rate is between {LEAST_SAMPLING_RATE} and 1.")

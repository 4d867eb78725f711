from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
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

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 1000

# `error.metadata["error_type"]` of the InvalidRequest about a custom pattern.
INVALID_PATTERN = "invalid_regex_pattern"

_NEVER_NULL = ("name", "include_byok_in_budgets")
_NEVER_EMPTY = (
    "allowed_models", "ignored_models", "allowed_providers", "ignored_providers", "allowed_data_regions",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinFilter:
    """A filter of OpenRouter's own, such as `email`; `action` is `redact`, `block` or `flag`.

    `scan_scope` belongs to `regex-prompt-injection` alone. `label` is OpenRouter's placeholder; it is never
    sent.
    """

    slug: str
    action: str
    scan_scope: str | None = None
    label: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        """As it is sent, with fields we do not know: whoever replaces a list must not lose them."""
        scope = {} if self.scan_scope is None else {"scan_scope": self.scan_scope}
        return {**self.extra, "slug": self.slug, "action": self.action, **scope}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFilter:
    """A regular expression of JavaScript's kind; what it finds is redacted to `label`, blocked or flagged."""

    pattern: str
    action: str
    label: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        """As it is sent, with fields we do not know: whoever replaces a list must not lose them."""
        return {**self.extra, "pattern": self.pattern, "action": self.action, "label": self.label}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A policy, which holds for nobody until it is assigned, unless it is a workspace's default one.

    `workspace_id` is where it is filed; None is a guardrail from before workspaces, which no list shows.
    `limit_usd` (US dollars) and `reset_interval` are an allowance of each key and each member that holds it,
    never a pool. Models are canonical slugs, providers are slugs; None in a list means no restriction, in a
    switch "says nothing". UNSET is a field that this server does not have.
    """

    id: str
    name: str
    workspace_id: str | None
    created_at: datetime | None
    updated_at: datetime | None = None
    description: str | None = None
    limit_usd: Decimal | None = None
    reset_interval: str | None = None
    include_byok_in_budgets: bool | Unset = UNSET
    allowed_models: tuple[str, ...] | None = None
    ignored_models: tuple[str, ...] | None = None
    allowed_providers: tuple[str, ...] | None = None
    ignored_providers: tuple[str, ...] | None = None
    # Deprecated: OpenRouter copies it into the groups below. It is read and never sent.
    enforce_zdr: bool | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_google: bool | None = None
    # Without it, "other" covers xAI too.
    enforce_zdr_xai: bool | Unset | None = UNSET
    enforce_zdr_other: bool | None = None
    enable_paid_model_training: bool | Unset | None = UNSET
    enable_free_model_training: bool | Unset | None = UNSET
    enable_free_model_publication: bool | Unset | None = UNSET
    allow_safety_retention_google: bool | Unset | None = UNSET
    allow_safety_retention_other: bool | Unset | None = UNSET
    allowed_data_regions: tuple[str, ...] | Unset | None = UNSET
    content_filter_builtins: tuple[BuiltinFilter, ...] | None = None
    content_filters: tuple[CustomFilter, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailChanges:
    """What to set of a guardrail: UNSET leaves a field alone, None clears it where upstream allows that.

    Lists and filters replace what is there. Raises ValueError for what upstream is known to refuse: a name
    that is empty or too long, an empty list, a limit that is not positive, a limit without its interval and
    the other way round.
    """

    name: str | Unset = UNSET
    description: str | Unset | None = UNSET
    limit_usd: Decimal | Unset | None = UNSET
    reset_interval: str | Unset | None = UNSET
    include_byok_in_budgets: bool | Unset = UNSET
    allowed_models: tuple[str, ...] | Unset | None = UNSET
    ignored_models: tuple[str, ...] | Unset | None = UNSET
    allowed_providers: tuple[str, ...] | Unset | None = UNSET
    ignored_providers: tuple[str, ...] | Unset | None = UNSET
    enforce_zdr_anthropic: bool | Unset | None = UNSET
    enforce_zdr_openai: bool | Unset | None = UNSET
    enforce_zdr_google: bool | Unset | None = UNSET
    enforce_zdr_xai: bool | Unset | None = UNSET
    enforce_zdr_other: bool | Unset | None = UNSET
    enable_paid_model_training: bool | Unset | None = UNSET
    enable_free_model_training: bool | Unset | None = UNSET
    enable_free_model_publication: bool | Unset | None = UNSET
    allow_safety_retention_google: bool | Unset | None = UNSET
    allow_safety_retention_other: bool | Unset | None = UNSET
    allowed_data_regions: tuple[str, ...] | Unset | None = UNSET
    content_filter_builtins: tuple[BuiltinFilter, ...] | Unset | None = UNSET
    content_filters: tuple[CustomFilter, ...] | Unset | None = UNSET

    def __post_init__(self) -> None:
        for name in _NEVER_NULL:
            if getattr(self, name) is None:
                raise ValueError(f"“{name}” cannot be cleared.")
        for name in _NEVER_EMPTY:
            if getattr(self, name) == ():
                raise ValueError(f"“{name}” cannot be an empty list: None removes the restriction.")
        if isinstance(self.name, str) and not 1 <= len(self.name) <= LONGEST_NAME:
            raise ValueError(f"A guardrail has a name of at most {LONGEST_NAME} characters.")
        if isinstance(self.description, str) and len(self.description) > LONGEST_DESCRIPTION:
            raise ValueError(f"A description has at most {LONGEST_DESCRIPTION} characters.")
        self._check_budget()

    def _check_budget(self) -> None:
        halves = (self.limit_usd, self.reset_interval)
        if (halves.count(UNSET), halves.count(None)) not in {(0, 0), (2, 0), (0, 2)}:
            raise ValueError("A limit and its interval are set together and cleared together.")
        limit = self.limit_usd
        if isinstance(limit, Decimal) and not (limit.is_finite() and limit > 0):
            raise ValueError("A limit is a finite amount above zero.")

    def __bool__(self) -> bool:
        return bool(self.body())

    def body(self) -> dict[str, Any]:
        """The JSON body: only what is set."""
        pairs = ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self))
        return {name: _sent(value) for name, value in pairs if value is not UNSET}


def page(
    client: OpenRouter, *, workspace_id: str | None = None, offset: int = 0, limit: int = LARGEST_PAGE
) -> Page[Guardrail]:
    """`GET /guardrails`, one request: guardrails of one workspace (the default one for None).

    A workspace's default guardrail is among them only once it was changed. The order is unspecified. Raises
    InvalidRequest for an unknown workspace, and for None when the account has no default workspace.
    """
    check_window(offset, limit)
    params = {"workspace_id": workspace_id, "offset": offset, "limit": limit}
    answer = client.request("GET", "/guardrails", params=params)
    return Page(read_list(Guardrail, answer), read_count(answer, "total_count"))


def walk(
    client: OpenRouter, *, workspace_id: str | None = None, limit: int = LARGEST_PAGE
) -> Iterator[tuple[Guardrail, ...]]:
    """The guardrails of one workspace, page by page, each once. Those of no workspace are in no list: the
    assignments of the whole account name them."""
    return walk_counted(
        lambda offset: page(client, workspace_id=workspace_id, offset=offset, limit=limit), lambda row: row.id
    )


def get(client: OpenRouter, *, guardrail_id: str) -> Guardrail:
    """`GET /guardrails/{id}`. NotFound for one that is gone, and for a workspace's default guardrail that
    nobody has configured yet."""
    return read_data(Guardrail, client.request("GET", path("guardrails", guardrail_id)))


def create(client: OpenRouter, *, draft: GuardrailChanges, workspace_id: str | None = None) -> Guardrail:
    """`POST /guardrails`: a new guardrail filed in a workspace (the default one for None), held by nobody.

    What comes back can differ from what was sent: models return as canonical slugs. Never repeated once bytes
    were sent; after an error with `outcome_unknown` a guardrail of that name may exist. Raises ValueError for
    a draft without a name; InvalidRequest, with `metadata["error_type"]` of `INVALID_PATTERN` for a regular
    expression that OpenRouter does not support; Forbidden.
    """
    if draft.name is UNSET:
        raise ValueError("A guardrail has a name.")
    place = {} if workspace_id is None else {"workspace_id": workspace_id}
    answer = client.request("POST", "/guardrails", body={**draft.body(), **place})
    return read_data(Guardrail, answer, write=True)


def update(client: OpenRouter, *, guardrail_id: str, changes: GuardrailChanges) -> Guardrail:
    """`PATCH /guardrails/{id}` with only what changed. ValueError when nothing did: upstream refuses that.

    With a workspace's `default_guardrail_id` the first change makes the guardrail; its name is fixed. Raises
    InvalidRequest (see `create`), NotFound; Conflict when somebody changed it at the same time.
    """
    if not changes:
        raise ValueError("There is nothing to change.")
    answer = client.request("PATCH", path("guardrails", guardrail_id), body=changes.body())
    return read_data(Guardrail, answer, write=True)


def delete(client: OpenRouter, *, guardrail_id: str) -> None:
    """`DELETE /guardrails/{id}`, for ever: who held it holds none. One that is already gone counts as
    deleted."""
    try:
        answer = client.request("DELETE", path("guardrails", guardrail_id))
    except NotFound:
        return
    if answer.get("deleted", True) is not True:
        raise UnreadableAnswer(
            "OpenRouter did not confirm that the guardrail is deleted.", outcome_unknown=True
        )


def _sent(value: Any) -> Any:
    """A value as JSON takes it; filters become objects."""
    if isinstance(value, BuiltinFilter | CustomFilter):
        return value.body()
    return [_sent(item) for item in value] if isinstance(value, tuple) else value

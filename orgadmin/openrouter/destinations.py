"""Observability destinations: where OpenRouter sends the traces of a workspace.

What a destination is told (its config) differs by type and holds secrets. OpenRouter answers with masks; what
we send is in the clear, so neither is ever in a repr.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound, UnreadableAnswer
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_data, read_list
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET, Unset

LEAST_SAMPLING_RATE = Decimal("0.0001")
MOST_OF_A_TYPE = 5

_NEVER_NULL = (
    "name", "enabled", "privacy_mode", "sampling_rate", "config", "regions", "broadcast_generation_cost",
    "broadcast_generation_identity", "broadcast_generation_request_context",
    "broadcast_generation_cost_allocation",
)  # fmt: skip


def _as_it_is(value: Any) -> Any:
    return value


Anything = Annotated[Any, _as_it_is]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRule:
    """One condition on a trace. `value` is text or a number; UNSET where the operator takes none."""

    field: str
    operator: str
    value: Anything | Unset = UNSET
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        """As it is sent, with fields we do not know: whoever replaces the rules must not lose them."""
        value = {} if self.value is UNSET else {"value": self.value}
        return {**self.extra, "field": self.field, "operator": self.operator, **value}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules of which all (`and`) or any (`or`) must hold."""

    rules: tuple[FilterRule, ...]
    logic: str = "and"
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        return {**self.extra, "logic": self.logic, "rules": [rule.body() for rule in self.rules]}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRules:
    """Which traces are sent. How several groups combine, OpenRouter does not say."""

    groups: tuple[RuleGroup, ...]
    enabled: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        groups = [group.body() for group in self.groups]
        return {**self.extra, "enabled": self.enabled, "groups": groups}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination of one workspace. Nothing is sent unless the workspace broadcasts, too.

    `type` is one of the documented ones or a newer one. `config` has camelCase keys that depend on the type,
    its secrets masked. `api_key_hashes` None means all keys. `sampling_rate` is a share of 1. `filter_rules`
    None sends everything; UNSET is what we cannot read, and then it is in `extra`. UNSET elsewhere is a field
    that this server does not have.
    """

    id: str
    type: str
    name: str | None
    enabled: bool
    workspace_id: str
    config: Mapping[str, Any] = field(repr=False)
    privacy_mode: bool
    sampling_rate: Decimal
    created_at: datetime | None
    updated_at: datetime | None = None
    api_key_hashes: tuple[str, ...] | None = None
    filter_rules: FilterRules | Unset | None = UNSET
    broadcast_generation_cost: bool | Unset = UNSET
    broadcast_generation_identity: bool | Unset = UNSET
    broadcast_generation_request_context: bool | Unset = UNSET
    broadcast_generation_cost_allocation: bool | Unset = UNSET
    regions: tuple[str, ...] | Unset = UNSET
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationChanges:
    """What to set of a destination: UNSET leaves a field alone, None clears it where upstream allows that.

    `config` holds only the keys to set, secrets as `Secret`; upstream lays it over what is there. Of the
    nested `headers` it is unknown how deep that goes: they are given whole. Raises ValueError for what
    upstream is known to refuse.
    """

    name: str | Unset = UNSET
    enabled: bool | Unset = UNSET
    config: Mapping[str, Any] | Unset = field(default=UNSET, repr=False)
    api_key_hashes: tuple[str, ...] | Unset | None = UNSET
    filter_rules: FilterRules | Unset | None = UNSET
    privacy_mode: bool | Unset = UNSET
    sampling_rate: Decimal | Unset = UNSET
    broadcast_generation_cost: bool | Unset = UNSET
    broadcast_generation_identity: bool | Unset = UNSET
    broadcast_generation_request_context: bool | Unset = UNSET
    broadcast_generation_cost_allocation: bool | Unset = UNSET
    regions: tuple[str, ...] | Unset = UNSET

    def __post_init__(self) -> None:
        for name in _NEVER_NULL:
            if getattr(self, name) is None:
                raise ValueError(f"“{name}” cannot be cleared.")
        if self.api_key_hashes == ():
            raise ValueError("“api_key_hashes” cannot be an empty list: None means every key.")
        if self.regions == ():
            raise ValueError("“regions” cannot be an empty list.")
        rate = self.sampling_rate
        if isinstance(rate, Decimal) and not (rate.is_finite() and LEAST_SAMPLING_RATE <= rate <= 1):
            raise ValueError(f"A sampling rate is between {LEAST_SAMPLING_RATE} and 1.")

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) is not UNSET for item in dataclasses.fields(self))

    def body(self) -> dict[str, Any]:
        """The JSON body, secrets in the clear: only what is set."""
        pairs = ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self))
        return {name: _sent(value) for name, value in pairs if value is not UNSET}


def page(
    client: OpenRouter, *, workspace_id: str | None = None, offset: int = 0, limit: int = LARGEST_PAGE
) -> Page[Destination]:
    """`GET /observability/destinations`, one request: those of one workspace (the default one for None).

    Types that the API does not document are left out by OpenRouter. InvalidRequest for an unknown workspace.
    """
    check_window(offset, limit)
    params = {"workspace_id": workspace_id, "offset": offset, "limit": limit}
    answer = client.request("GET", "/observability/destinations", params=params)
    return Page(read_list(Destination, answer), read_count(answer, "total_count"))


def walk(
    client: OpenRouter, *, workspace_id: str | None = None, limit: int = LARGEST_PAGE
) -> Iterator[tuple[Destination, ...]]:
    """The destinations of one workspace, page by page, each once."""
    return walk_counted(
        lambda offset: page(client, workspace_id=workspace_id, offset=offset, limit=limit), lambda row: row.id
    )


def get(client: OpenRouter, *, destination_id: str) -> Destination:
    """`GET /observability/destinations/{id}`, its secrets masked. NotFound for one that is gone."""
    return read_data(Destination, client.request("GET", _one(destination_id)))


def create(
    client: OpenRouter, *, kind: str, draft: DestinationChanges, workspace_id: str | None = None
) -> Destination:
    """`POST /observability/destinations`: a new destination of a type in a workspace (the default one for
    None); both are fixed from then on.

    Never repeated once bytes were sent; after an error with `outcome_unknown` it may exist. Raises ValueError
    for a draft without name or config; InvalidRequest; Conflict for the sixth of a type, or one that clashes
    with another.
    """
    if draft.name is UNSET or draft.config is UNSET:
        raise ValueError("A destination has a name and a config.")
    place = {} if workspace_id is None else {"workspace_id": workspace_id}
    body = {**draft.body(), "type": kind, **place}
    answer = client.request("POST", "/observability/destinations", body=body)
    return read_data(Destination, answer, write=True)


def update(client: OpenRouter, *, destination_id: str, changes: DestinationChanges) -> Destination:
    """`PATCH /observability/destinations/{id}` with only what changed. ValueError when nothing did.

    Raises InvalidRequest, NotFound, Conflict; Forbidden where the account has locked its privacy settings.
    """
    if not changes:
        raise ValueError("There is nothing to change.")
    answer = client.request("PATCH", _one(destination_id), body=changes.body())
    return read_data(Destination, answer, write=True)


def delete(client: OpenRouter, *, destination_id: str) -> None:
    """`DELETE /observability/destinations/{id}`. One that is already gone counts as deleted."""
    try:
        answer = client.request("DELETE", _one(destination_id))
    except NotFound:
        return
    if answer.get("deleted", True) is not True:
        message = "OpenRouter did not confirm that the destination is deleted."
        raise UnreadableAnswer(message, outcome_unknown=True)


def _one(destination_id: str) -> str:
    return path("observability", "destinations", destination_id)


def _sent(value: Any) -> Any:
    """A value as JSON takes it; a secret opens here and nowhere before."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, FilterRules):
        return value.body()
    if isinstance(value, Mapping):
        return {name: _sent(one) for name, one in value.items()}
    return [_sent(one) for one in value] if isinstance(value, list | tuple) else value

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound, UnreadableAnswer
from orgadmin.openrouter.paging import Unrepeated
from orgadmin.openrouter.reading import read_data, read_list
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.timestamps import timestamp_text
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET, Unset

# Fixed by upstream: `GET /keys` takes no limit and tells no total, so a shorter page is the only sign of the
# end.
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An inference key, identified by `hash`. Money in US dollars; days, weeks (from Monday) and months are
    UTC.

    `limit` None means unlimited; `limit_remaining` can be zero or less. `limit_reset` None means a cap for
    the key's lifetime. `last_used_at` None with usage above zero means idle for long, not never used.
    """

    hash: str
    name: str
    label: str
    disabled: bool
    limit: Decimal | None
    limit_remaining: Decimal | None
    limit_reset: str | None
    include_byok_in_limit: bool
    usage: Decimal
    usage_daily: Decimal
    usage_weekly: Decimal
    usage_monthly: Decimal
    byok_usage: Decimal
    byok_usage_daily: Decimal
    byok_usage_weekly: Decimal
    byok_usage_monthly: Decimal
    created_at: datetime | None
    updated_at: datetime | None
    creator_user_id: str | None
    workspace_id: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    external_user: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    """A new key and its secret, which nothing can read again."""

    key: Key
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanges:
    """What to change of a key: UNSET leaves a field alone, None clears it where upstream allows that.

    Raises ValueError for what upstream is known to refuse: an empty name, a negative limit.
    """

    name: str | Unset = UNSET
    disabled: bool | Unset = UNSET
    limit: Decimal | Unset | None = UNSET
    limit_reset: str | Unset | None = UNSET
    include_byok_in_limit: bool | Unset = UNSET
    workspace_id: str | Unset = UNSET

    def __post_init__(self) -> None:
        for name in ("name", "disabled", "include_byok_in_limit", "workspace_id"):
            if getattr(self, name) is None:
                raise ValueError(f"“{name}” cannot be cleared.")
        if self.name is not UNSET:
            _check_name(self.name)
        if isinstance(self.limit, Decimal):
            _check_limit(self.limit)

    def __bool__(self) -> bool:
        return bool(self.body())

    def body(self) -> dict[str, Any]:
        """The JSON body: only what is changed."""
        pairs = ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self))
        return {name: value for name, value in pairs if value is not UNSET}


def page(
    client: OpenRouter,
    *,
    workspace_id: str | None = None,
    offset: int = 0,
    include_disabled: bool = True,
    include_expired: bool = True,
) -> tuple[Key, ...]:
    """`GET /keys`, one request: up to 100 keys of one workspace (the default one for None), newest first."""
    if offset < 0:
        raise ValueError("An offset starts at 0.")
    params = {
        "workspace_id": workspace_id,
        "offset": offset,
        "include_disabled": include_disabled,
        "include_expired": include_expired,
    }
    return read_list(Key, client.request("GET", "/keys", params=params))


def walk(
    client: OpenRouter,
    *,
    workspace_id: str | None = None,
    include_disabled: bool = True,
    include_expired: bool = True,
) -> Iterator[tuple[Key, ...]]:
    """The keys of one workspace, page by page until a page is short, each key once.

    New keys push older ones onto the next page, hence the duplicates that are dropped. Keys deleted during
    the walk pull others up past the offset: one that is missing here is not proven gone, `get` is the proof.
    """
    unrepeated = Unrepeated[Key](lambda row: row.hash)
    offset = 0
    while True:
        rows = page(
            client,
            workspace_id=workspace_id,
            offset=offset,
            include_disabled=include_disabled,
            include_expired=include_expired,
        )
        offset += len(rows)
        yield unrepeated.new(rows) if rows else ()
        if len(rows) < PAGE_SIZE:
            return


def get(client: OpenRouter, *, key_hash: str) -> Key:
    """`GET /keys/{hash}`. NotFound is the proof that a key is gone."""
    return read_data(Key, client.request("GET", path("keys", key_hash)))


def create(
    client: OpenRouter,
    *,
    name: str,
    limit: Decimal | None = None,
    limit_reset: str | None = None,
    include_byok_in_limit: bool | None = None,
    expires_at: datetime | None = None,
    creator_user_id: str | None = None,
    workspace_id: str | None = None,
) -> CreatedKey:
    """`POST /keys`. What is None is not sent, which upstream reads as unlimited, lifetime, never, nobody,
    default workspace.

    Never repeated once bytes were sent. An error with `outcome_unknown` means the key may exist without
    anybody knowing its secret: find it and delete it. When the answer was understood but for the secret,
    `metadata["hash"]` names that key. Raises ValueError before sending for an empty name, a negative or
    infinite limit, an `expires_at` not in UTC.
    """
    _check_name(name)
    if limit is not None:
        _check_limit(limit)
    asked = {
        "name": name,
        "limit": limit,
        "limit_reset": limit_reset,
        "include_byok_in_limit": include_byok_in_limit,
        "expires_at": None if expires_at is None else timestamp_text(expires_at),
        "creator_user_id": creator_user_id,
        "workspace_id": workspace_id,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    return _created(client.request("POST", "/keys", body=body))


def update(client: OpenRouter, *, key_hash: str, changes: KeyChanges) -> Key:
    """`PATCH /keys/{hash}` with only what changed. ValueError when nothing did: upstream refuses that."""
    if not changes:
        raise ValueError("There is nothing to change.")
    return read_data(Key, client.request("PATCH", path("keys", key_hash), body=changes.body()), write=True)


def delete(client: OpenRouter, *, key_hash: str) -> None:
    """`DELETE /keys/{hash}`, for ever. A key that is already gone counts as deleted."""
    try:
        answer = client.request("DELETE", path("keys", key_hash))
    except NotFound:
        return
    if answer.get("deleted", True) is not True:
        raise UnreadableAnswer("OpenRouter did not confirm that the key is deleted.", outcome_unknown=True)


def _created(answer: Mapping[str, Any]) -> CreatedKey:
    data = answer.get("data")
    # Upstream documents the secret at the top level; one of its samples has it inside. It must not stay in
    # `extra`.
    inner = data.get("key") if isinstance(data, Mapping) else None
    if isinstance(data, Mapping):
        answer = {**answer, "data": {name: value for name, value in data.items() if name != "key"}}
    key = read_data(Key, answer, write=True)
    for raw in (answer.get("key"), inner):
        if isinstance(raw, str) and raw:
            return CreatedKey(key=key, secret=Secret(raw))
    raise UnreadableAnswer(
        "OpenRouter made the key but its answer does not hold the secret.",
        outcome_unknown=True,
        metadata={"hash": key.hash},
    )


def _check_name(name: str) -> None:
    if not name:
        raise ValueError("A key has a name.")


def _check_limit(limit: Decimal) -> None:
    if not limit.is_finite() or limit < 0:
        raise ValueError("A limit is a finite amount, zero or more.")

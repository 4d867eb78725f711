"""Which keys and which members hold which guardrail. Each holds one at most: to assign is to move.

Bulk calls answer a count and no names. Unknown ids are passed over, so the count can be smaller than what was
asked, and only the lists say who was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_list
from orgadmin.openrouter.transport import OpenRouter

# Upstream names no largest bulk; more ids than this go in several calls.
LARGEST_BULK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAssignment:
    """A key that holds a guardrail. `key_name` is its name when the list was read; `assigned_by` is a
    member's id, None when nobody is known."""

    id: str
    guardrail_id: str
    key_hash: str
    key_name: str
    key_label: str
    assigned_by: str | None
    created_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAssignment:
    """A member who holds a guardrail, and with them every key they made."""

    id: str
    guardrail_id: str
    user_id: str
    organization_id: str
    assigned_by: str | None
    created_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def key_page(
    client: OpenRouter, *, guardrail_id: str | None = None, offset: int = 0, limit: int = LARGEST_PAGE
) -> Page[KeyAssignment]:
    """`GET /guardrails/{id}/assignments/keys`, or for None `GET /guardrails/assignments/keys`: those of every
    guardrail in every workspace. One request; the order is unspecified. NotFound for an unknown guardrail."""
    answer = _read(client, _where(guardrail_id, "keys"), offset, limit)
    return Page(read_list(KeyAssignment, answer), read_count(answer, "total_count"))


def key_walk(
    client: OpenRouter, *, guardrail_id: str | None = None, limit: int = LARGEST_PAGE
) -> Iterator[tuple[KeyAssignment, ...]]:
    """The keys that hold one guardrail, or for None any, page by page, each assignment once."""
    return walk_counted(
        lambda offset: key_page(client, guardrail_id=guardrail_id, offset=offset, limit=limit),
        lambda row: row.id,
    )


def member_page(
    client: OpenRouter, *, guardrail_id: str | None = None, offset: int = 0, limit: int = LARGEST_PAGE
) -> Page[MemberAssignment]:
    """`GET /guardrails/{id}/assignments/members`, or for None `GET /guardrails/assignments/members`: those of
    every guardrail. One request; the order is unspecified. NotFound for an unknown guardrail."""
    answer = _read(client, _where(guardrail_id, "members"), offset, limit)
    return Page(read_list(MemberAssignment, answer), read_count(answer, "total_count"))


def member_walk(
    client: OpenRouter, *, guardrail_id: str | None = None, limit: int = LARGEST_PAGE
) -> Iterator[tuple[MemberAssignment, ...]]:
    """The members who hold one guardrail, or for None any, page by page, each assignment once."""
    return walk_counted(
        lambda offset: member_page(client, guardrail_id=guardrail_id, offset=offset, limit=limit),
        lambda row: row.id,
    )


def assign_keys(client: OpenRouter, *, guardrail_id: str, key_hashes: Iterable[str]) -> int:
    """`POST /guardrails/{id}/assignments/keys`: how many keys upstream says it assigned.

    One call per 100 keys, each sent once and never repeated. When a later call fails, the error has
    `outcome_unknown`, because the keys of the earlier ones are assigned: read the list. Raises ValueError for
    no keys or an empty hash, NotFound for an unknown guardrail, InvalidRequest.
    """
    where = _where(guardrail_id, "keys")
    return _in_bulk(client, where, field_name="key_hashes", ids=key_hashes, count="assigned_count")


def unassign_keys(client: OpenRouter, *, guardrail_id: str, key_hashes: Iterable[str]) -> int:
    """`POST /guardrails/{id}/assignments/keys/remove`: how many keys upstream says it freed. Keys that hold
    another guardrail stay with it. Calls and errors are those of `assign_keys`."""
    where = _where(guardrail_id, "keys", "remove")
    return _in_bulk(client, where, field_name="key_hashes", ids=key_hashes, count="unassigned_count")


def assign_members(client: OpenRouter, *, guardrail_id: str, user_ids: Iterable[str]) -> int:
    """`POST /guardrails/{id}/assignments/members`: how many members upstream says it assigned. Calls and
    errors are those of `assign_keys`; a personal account, which has no members, may answer NotFound too."""
    where = _where(guardrail_id, "members")
    return _in_bulk(client, where, field_name="member_user_ids", ids=user_ids, count="assigned_count")


def unassign_members(client: OpenRouter, *, guardrail_id: str, user_ids: Iterable[str]) -> int:
    """`POST /guardrails/{id}/assignments/members/remove`: how many members upstream says it freed. Calls and
    errors are those of `assign_keys`."""
    where = _where(guardrail_id, "members", "remove")
    return _in_bulk(client, where, field_name="member_user_ids", ids=user_ids, count="unassigned_count")


def _where(guardrail_id: str | None, *tail: str) -> str:
    if guardrail_id is None:
        return path("guardrails", "assignments", *tail)
    return path("guardrails", guardrail_id, "assignments", *tail)


def _read(client: OpenRouter, where: str, offset: int, limit: int) -> Mapping[str, Any]:
    check_window(offset, limit)
    return client.request("GET", where, params={"offset": offset, "limit": limit})


def _in_bulk(client: OpenRouter, where: str, *, field_name: str, ids: Iterable[str], count: str) -> int:
    wanted = list(dict.fromkeys(ids))
    if not wanted or "" in wanted:
        raise ValueError("A bulk call names at least one id, and no empty one.")
    done = 0
    for start in range(0, len(wanted), LARGEST_BULK):
        try:
            answer = client.request("POST", where, body={field_name: wanted[start : start + LARGEST_BULK]})
            done += read_count(answer, count, write=True)
        except OpenRouterError as failure:
            failure.outcome_unknown = failure.outcome_unknown or start > 0
            raise
    return done

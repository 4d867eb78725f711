"""`/keys`: list, create, read, change and delete API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.ledger import Amounts
from orgadmin.sandbox.moments import RESETS, moment_of, seconds_of, spell
from orgadmin.sandbox.money import dollars, worn
from orgadmin.sandbox.state.keys import KeyDraft, KeyRow
from orgadmin.sandbox.wire.request import (
    Call,
    Check,
    Endpoint,
    Reply,
    boolean,
    number,
    one_of,
    or_null,
    recognised,
    text,
    utc_moment,
)

LAST_USE_IS_KNOWN_FROM = 1_767_225_600
"""1 January 2026: uses before it are not reported as `last_used_at`."""

_CHANGES: dict[str, Check] = {
    "name": text(shortest=1),
    "disabled": boolean,
    "limit": or_null(number(low=0)),
    "limit_reset": or_null(one_of(*RESETS)),
    "include_byok_in_limit": boolean,
    "workspace_id": text(),
}
_DRAFT: dict[str, Check] = {
    **{name: check for name, check in _CHANGES.items() if name != "disabled"},
    "expires_at": or_null(utc_moment),
    "creator_user_id": or_null(text(shortest=1)),
}
_EXTERNAL: dict[str, Check] = {"user": text(), "api_key": text(shortest=32)}


def list_keys(call: Call) -> Reply:
    offset = call.whole_number("offset", default=0, low=0)
    workspace = call.account.workspaces.named(call.query.get("workspace_id"))
    rows = call.account.keys.page(
        workspace.id,
        offset=offset,
        disabled=call.flag("include_disabled"),
        expired=call.flag("include_expired"),
        now=call.now,
    )
    return Reply({"data": [key_object(row, call.now) for row in rows]})


def create_key(call: Call) -> Reply:
    draft, secret = read_draft(call)
    row, secret = call.account.key_create(draft, call.now, secret=secret)
    return Reply({"data": key_object(row, call.now), "key": secret}, 201)


def read_draft(call: Call) -> tuple[KeyDraft, str | None]:
    """The key that is asked for, and the secret a reseller brings along (if any)."""
    body = call.json_object()
    if "name" not in body:
        raise InvalidRequestError('Invalid "name": required')
    fields = recognised(body, _DRAFT)
    external = _external(body.get("external"))
    fields["workspace_id"] = call.account.workspaces.named(fields.get("workspace_id")).id
    expires_at = fields.get("expires_at")
    if expires_at is not None and expires_at <= call.now:
        raise InvalidRequestError('Invalid "expires_at": must be in the future')
    return KeyDraft(**fields, external_user=external.get("user")), external.get("api_key")


def _external(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or "user" not in value:
        raise InvalidRequestError('Invalid "external": expected an object with "user"')
    return recognised(value, _EXTERNAL)


def get_key(call: Call) -> Reply:
    return Reply({"data": key_object(call.account.keys.get(call.path["hash"]), call.now)})


def update_key(call: Call) -> Reply:
    row = call.account.keys.get(call.path["hash"])
    changes = recognised(call.json_object(), _CHANGES)
    if "workspace_id" in changes:
        changes["workspace_id"] = call.account.workspaces.named(changes["workspace_id"]).id
    call.account.keys.update(row, changes, call.now)
    return Reply({"data": key_object(row, call.now)})


def delete_key(call: Call) -> Reply:
    call.account.key_delete(call.account.keys.get(call.path["hash"]), call.now)
    return Reply({"deleted": True})


def key_object(row: KeyRow, now: datetime) -> dict[str, Any]:
    """The ApiKey object, the same in every answer that holds one."""
    return {
        "hash": row.hash,
        "name": row.name,
        "label": row.label,
        "disabled": row.disabled,
        **spending(row, now),
        "created_at": spell(row.created_at, long=row.long),
        "updated_at": spell(row.updated_at, long=row.long) if row.updated_at else None,
        "creator_user_id": row.creator_user_id,
        "expires_at": spell(row.expires_at, long=False) if row.expires_at else None,
        "workspace_id": row.workspace_id,
        "last_used_at": _last_used(row, now),
        "external_user": row.external_user,
    }


def spending(row: KeyRow, now: datetime) -> dict[str, Any]:
    """The cap and the counters, which the keys' own `GET /key` shows too."""
    seconds = seconds_of(now)
    total = row.ledger.standing(seconds)
    windows = {reset: row.ledger.window(reset, seconds) for reset in RESETS}
    amount = worn if row.worn else _unworn
    answer: dict[str, Any] = {
        "limit": row.limit,
        "limit_remaining": _remaining(row, windows.get(row.limit_reset or "", total)),
        "limit_reset": row.limit_reset,
        "include_byok_in_limit": row.include_byok_in_limit,
        "usage": amount(dollars(total.usage)),
    }
    for reset, spent in windows.items():
        answer[f"usage_{reset}"] = amount(dollars(spent.usage))
    answer["byok_usage"] = amount(dollars(total.byok))
    for reset, spent in windows.items():
        answer[f"byok_usage_{reset}"] = amount(dollars(spent.byok))
    return answer


def _unworn(amount: float | int) -> float | int:
    return amount


def _remaining(row: KeyRow, spent: Amounts) -> float | int | None:
    """What is left in the window, as a difference of doubles. Can be zero or less."""
    if row.limit is None:
        return None
    return row.limit - dollars(spent.usage + (spent.byok if row.include_byok_in_limit else 0))


def _last_used(row: KeyRow, now: datetime) -> str | None:
    used = row.ledger.last_used(seconds_of(now))
    if used is None or used < LAST_USE_IS_KNOWN_FROM:
        return None
    return spell(moment_of(used), long=row.long)


ENDPOINTS = (
    Endpoint("GET", "/keys", list_keys),
    Endpoint("POST", "/keys", create_key),
    Endpoint("GET", "/keys/<hash>", get_key),
    Endpoint("PATCH", "/keys/<hash>", update_key),
    Endpoint("DELETE", "/keys/<hash>", delete_key),
)

"""`/guardrails/.../assignments`: which keys and which members hold a guardrail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.guardrails import AssignmentRow, GuardrailRow
from orgadmin.sandbox.wire.guardrail_fields import some
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply, text

_IDS = some(text(shortest=1))


def list_keys(call: Call) -> Reply:
    """Of one guardrail, or of all when the path names none."""
    return _listed(call, call.account.guardrails.keys.of(_named(call)), key_assignment)


def list_members(call: Call) -> Reply:
    return _listed(call, call.account.guardrails.members.of(_named(call)), member_assignment)


def assign_keys(call: Call) -> Reply:
    """A key that holds another guardrail is moved. Unknown hashes are passed over and not counted."""
    row = _assignable(call)
    known = [key_hash for key_hash in _asked(call, "key_hashes") if call.account.keys.find(key_hash)]
    call.account.guardrail_assign(row, call.account.guardrails.keys, known, call.now)
    return Reply({"assigned_count": len(known)})


def assign_members(call: Call) -> Reply:
    """A member who holds another guardrail is moved. A personal account has no members and answers 404."""
    row = _assignable(call)
    people = {member.id for member in call.account.members.all()}
    known = [user_id for user_id in _asked(call, "member_user_ids") if user_id in people]
    call.account.guardrail_assign(row, call.account.guardrails.members, known, call.now)
    return Reply({"assigned_count": len(known)})


def unassign_keys(call: Call) -> Reply:
    """Only those that hold this very guardrail are freed and counted."""
    row = call.account.guardrails.get(call.path["id"])
    freed = [call.account.guardrails.keys.free(it, only=row.id) for it in _asked(call, "key_hashes")]
    return Reply({"unassigned_count": sum(freed)})


def unassign_members(call: Call) -> Reply:
    row = call.account.guardrails.get(call.path["id"])
    freed = [call.account.guardrails.members.free(it, only=row.id) for it in _asked(call, "member_user_ids")]
    return Reply({"unassigned_count": sum(freed)})


def _named(call: Call) -> str | None:
    return call.account.guardrails.get(call.path["id"]).id if "id" in call.path else None


def _assignable(call: Call) -> GuardrailRow:
    row = call.account.guardrails.get(call.path["id"])
    if call.account.workspaces.governed_by(row.id) is not None:
        raise InvalidRequestError("A workspace's default guardrail governs all of it and cannot be assigned")
    return row


def _asked(call: Call, name: str) -> list[str]:
    """The ids of a bulk call, each once."""
    body = call.json_object()
    if name not in body:
        raise InvalidRequestError(f'Invalid "{name}": required')
    ids: list[str] = _IDS(name, body[name])
    return ids


def _listed(
    call: Call, rows: list[AssignmentRow], shown: Callable[[Account, AssignmentRow], dict[str, Any]]
) -> Reply:
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    page = [shown(call.account, row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def key_assignment(account: Account, row: AssignmentRow) -> dict[str, Any]:
    key = account.keys.get(row.subject)
    return {**_common(row), "key_hash": key.hash, "key_name": key.name, "key_label": key.label}


def member_assignment(account: Account, row: AssignmentRow) -> dict[str, Any]:
    return {**_common(row), "user_id": row.subject, "organization_id": account.organization_id or ""}


def _common(row: AssignmentRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "guardrail_id": row.guardrail_id,
        "assigned_by": row.assigned_by,
        "created_at": spell(row.created_at, long=row.long),
    }


ENDPOINTS = (
    Endpoint("GET", "/guardrails/assignments/keys", list_keys),
    Endpoint("GET", "/guardrails/assignments/members", list_members),
    Endpoint("GET", "/guardrails/<id>/assignments/keys", list_keys),
    Endpoint("POST", "/guardrails/<id>/assignments/keys", assign_keys),
    Endpoint("POST", "/guardrails/<id>/assignments/keys/remove", unassign_keys),
    Endpoint("GET", "/guardrails/<id>/assignments/members", list_members),
    Endpoint("POST", "/guardrails/<id>/assignments/members", assign_members),
    Endpoint("POST", "/guardrails/<id>/assignments/members/remove", unassign_members),
)

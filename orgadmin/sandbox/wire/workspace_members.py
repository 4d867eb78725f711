"""`/workspaces/{id}/members`: who is in a workspace. Everybody is in the default one, without a row."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.errors import ForbiddenError, InvalidRequestError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.members import MemberRow
from orgadmin.sandbox.state.memberships import MembershipRow, implicit, role_of
from orgadmin.sandbox.state.workspaces import WorkspaceRow
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply, list_of, text

MOST_AT_ONCE = 100

_user_ids = list_of(text(shortest=1))


def list_members(call: Call) -> Reply:
    workspace = call.account.workspaces.get(call.path["id"])
    members = call.account.members.all()
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    if workspace.id == call.account.workspaces.default_id:
        rows = implicit(workspace, members)
    else:
        rows = call.account.memberships.of_workspace(workspace.id)
    page = [member_object(row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def add_members(call: Call) -> Reply:
    """Everybody who is named and is of the organization, with the role they have there. Who was a member
    before gets the role anew and counts; who is a stranger is passed over and does not."""
    workspace, user_ids = _asked(call)
    people = {member.id: member for member in call.account.members}
    rows = [_put(call, workspace, people[user_id]) for user_id in user_ids if user_id in people]
    return Reply({"data": [member_object(row) for row in rows], "added_count": len(rows)})


def _put(call: Call, workspace: WorkspaceRow, member: MemberRow) -> MembershipRow:
    account = call.account
    row = account.memberships.find(workspace.id, member.id)
    if row is None:
        account.created += 1
        membership_id = uuid_text("membership", account.seed, account.born, account.created)
        row = MembershipRow(membership_id, workspace.id, member.id, role_of(member), call.now, long=True)
        account.memberships.add(row)
    row.role = role_of(member)
    return row


def remove_members(call: Call) -> Reply:
    """Nobody of a list in which one may not be removed; who is no member is passed over."""
    workspace, user_ids = _asked(call)
    found = (call.account.memberships.find(workspace.id, user_id) for user_id in user_ids)
    rows = [row for row in found if row is not None]
    for row in rows:
        _check_removable(call, row)
    for row in rows:
        call.account.memberships.remove(row)
    return Reply({"removed_count": len(rows)})


def _check_removable(call: Call, row: MembershipRow) -> None:
    if row.managed:
        raise ForbiddenError("SCIM-managed members can only be removed in your identity provider")
    keys = call.account.keys.of_workspace(row.workspace_id)
    if any(key.creator_user_id == row.user_id and key.active(call.now) for key in keys):
        raise InvalidRequestError(f"Member {row.user_id} has active API keys in this workspace")


def _asked(call: Call) -> tuple[WorkspaceRow, list[str]]:
    """A workspace whose members can be chosen, and the people named, each once."""
    workspace = call.account.workspaces.get(call.path["id"])
    call.account.members.all()
    body = call.json_object()
    if "user_ids" not in body:
        raise InvalidRequestError('Invalid "user_ids": required')
    user_ids = list(dict.fromkeys(_user_ids("user_ids", body["user_ids"])))
    if not 1 <= len(body["user_ids"]) <= MOST_AT_ONCE:
        raise InvalidRequestError(f'Invalid "user_ids": expected 1 to {MOST_AT_ONCE}')
    if workspace.id == call.account.workspaces.default_id:
        raise InvalidRequestError("Every member of the organization is in the default workspace")
    return workspace, user_ids


def member_object(row: MembershipRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "workspace_id": row.workspace_id,
        "user_id": row.user_id,
        "role": row.role,
        "created_at": spell(row.created_at, long=row.long),
    }


ENDPOINTS = (
    Endpoint("GET", "/workspaces/<id>/members", list_members),
    Endpoint("POST", "/workspaces/<id>/members/add", add_members),
    Endpoint("POST", "/workspaces/<id>/members/remove", remove_members),
)

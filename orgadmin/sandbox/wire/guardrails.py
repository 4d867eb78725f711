"""`/guardrails`: list, create, read, change and delete guardrails, the workspaces' default ones included."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.errors import ForbiddenError, InvalidRequestError, NotFoundError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.guardrails import GuardrailRow
from orgadmin.sandbox.wire.guardrail_fields import SETTINGS, settings_of
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply, recognised, text


def list_guardrails(call: Call) -> Reply:
    """Those of one workspace; a default guardrail is among them once it exists."""
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    workspace = call.account.workspaces.named(call.query.get("workspace_id"))
    rows = call.account.guardrails.of_workspace(workspace.id)
    page = [guardrail_object(row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def create_guardrail(call: Call) -> Reply:
    body = call.json_object()
    if "name" not in body:
        raise InvalidRequestError('Invalid "name": required')
    place = recognised(body, {"workspace_id": text()})
    settings = settings_of(body, call.account.shelf)
    workspace = call.account.workspaces.named(place.get("workspace_id"))
    row = call.account.guardrail_create(workspace, call.now, **settings)
    return Reply({"data": guardrail_object(row)}, 201)


def get_guardrail(call: Call) -> Reply:
    return Reply({"data": guardrail_object(call.account.guardrails.get(call.path["id"]))})


def update_guardrail(call: Call) -> Reply:
    """The first change of a workspace's default guardrail makes it."""
    account = call.account
    row = account.guardrails.find(call.path["id"])
    workspace = account.workspaces.governed_by(call.path["id"])
    if row is None and workspace is None:
        raise NotFoundError("Guardrail not found")
    changes = settings_of(call.json_object(), account.shelf)
    if not changes:
        raise InvalidRequestError("No update fields provided")
    if workspace is not None and changes.get("name") not in (None, workspace.default_guardrail_name):
        raise InvalidRequestError("A workspace's default guardrail cannot be renamed")
    if row is None:
        assert workspace is not None
        row = account.guardrail_create(workspace, call.now, default=True, **changes)
    else:
        for name, value in changes.items():
            setattr(row, name, value)
        row.updated_at = call.now
    return Reply({"data": guardrail_object(row)})


def delete_guardrail(call: Call) -> Reply:
    row = call.account.guardrails.get(call.path["id"])
    if call.account.workspaces.governed_by(row.id) is not None:
        raise ForbiddenError("A workspace's default guardrail cannot be deleted")
    call.account.guardrails.delete(row)
    return Reply({"deleted": True})


def guardrail_object(row: GuardrailRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "workspace_id": row.workspace_id,
        **{name: getattr(row, name) for name in SETTINGS},
        "created_at": spell(row.created_at, long=row.long),
        "updated_at": spell(row.updated_at, long=row.long) if row.updated_at else None,
    }


ENDPOINTS = (
    Endpoint("GET", "/guardrails", list_guardrails),
    Endpoint("POST", "/guardrails", create_guardrail),
    Endpoint("GET", "/guardrails/<id>", get_guardrail),
    Endpoint("PATCH", "/guardrails/<id>", update_guardrail),
    Endpoint("DELETE", "/guardrails/<id>", delete_guardrail),
)

"""`/observability/destinations`: list, create, read, change and delete where traces are sent."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.destinations import DestinationRow
from orgadmin.sandbox.wire.destination_fields import (
    SWITCHES,
    kind_of,
    merged_config,
    new_config,
    settings_of,
)
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply, recognised, text


def list_destinations(call: Call) -> Reply:
    """Those of one workspace, of the types that are documented."""
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    workspace = call.account.workspaces.named(call.query.get("workspace_id"))
    rows = call.account.destinations.of_workspace(workspace.id)
    page = [destination_object(row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def create_destination(call: Call) -> Reply:
    body, account = call.json_object(), call.account
    kind = kind_of(body)
    for name in ("name", "config"):
        if name not in body:
            raise InvalidRequestError(f'Invalid "{name}": required')
    place = recognised(body, {"workspace_id": text()})
    settings, config = settings_of(body, new=True), new_config(kind, body["config"])
    workspace = account.workspaces.named(place.get("workspace_id"))
    account.destinations.check_room(workspace.id, kind)
    account.destinations.check_name(workspace.id, kind, settings["name"])
    row = account.destination_create(workspace, call.now, kind=kind, config=config, **settings)
    return Reply({"data": destination_object(row)}, 201)


def get_destination(call: Call) -> Reply:
    return Reply({"data": destination_object(call.account.destinations.get(call.path["id"]))})


def update_destination(call: Call) -> Reply:
    """Type and workspace are fixed: like any other field that is not known they are passed over."""
    destinations = call.account.destinations
    row = destinations.get(call.path["id"])
    body = call.json_object()
    changes = settings_of(body)
    if "config" in body:
        changes["config"] = merged_config(row.type, row.config, body["config"])
    if not changes:
        raise InvalidRequestError("No update fields provided")
    if "name" in changes:
        destinations.check_name(row.workspace_id, row.type, changes["name"], but=row)
    destinations.change(row, changes, call.now)
    return Reply({"data": destination_object(row)})


def delete_destination(call: Call) -> Reply:
    call.account.destinations.delete(call.account.destinations.get(call.path["id"]))
    return Reply({"deleted": True})


def destination_object(row: DestinationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.type,
        "name": row.name,
        "enabled": row.enabled,
        "workspace_id": row.workspace_id,
        "config": row.config,
        "api_key_hashes": row.api_key_hashes,
        "filter_rules": row.filter_rules,
        "privacy_mode": row.privacy_mode,
        "sampling_rate": row.sampling_rate,
        **{name: getattr(row, name) for name in SWITCHES},
        "regions": row.regions,
        "created_at": spell(row.created_at, long=row.long),
        "updated_at": spell(row.updated_at, long=row.long),
    }


ENDPOINTS = (
    Endpoint("GET", "/observability/destinations", list_destinations),
    Endpoint("POST", "/observability/destinations", create_destination),
    Endpoint("GET", "/observability/destinations/<id>", get_destination),
    Endpoint("PATCH", "/observability/destinations/<id>", update_destination),
    Endpoint("DELETE", "/observability/destinations/<id>", delete_destination),
)

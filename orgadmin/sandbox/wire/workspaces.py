"""`/workspaces`: list, read, make, change and delete workspaces."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.errors import ForbiddenError, InvalidRequestError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.workspaces import WorkspaceRow
from orgadmin.sandbox.wire.request import (
    Call,
    Check,
    Endpoint,
    Reply,
    boolean,
    integer,
    list_of,
    number,
    one_of,
    or_null,
    recognised,
    text,
)

SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SERVER_TOOLS = tuple(
    f"openrouter:{name}"
    for name in (
        *("advisor", "apply_patch", "bash", "datetime", "fusion", "image_generation"),
        *("experimental__search_models", "shell", "subagent", "tool_search", "web_fetch", "web_search"),
    )
)

_FIELDS: dict[str, Check] = {
    "name": text(shortest=1, longest=100),
    "slug": text(shortest=1, longest=50, pattern=SLUG),
    "description": or_null(text(longest=500)),
    "default_text_model": or_null(text()),
    "default_image_model": or_null(text()),
    "default_provider_sort": or_null(one_of("price", "throughput", "latency", "exacto")),
    "is_observability_broadcast_enabled": boolean,
    "is_observability_io_logging_enabled": boolean,
    "io_logging_sampling_rate": number(low=0.0001, high=1),
    "io_logging_api_key_ids": or_null(list_of(integer)),
    "is_data_discount_logging_enabled": boolean,
    "disabled_server_tools": or_null(list_of(one_of(*SERVER_TOOLS))),
}


def list_workspaces(call: Call) -> Reply:
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    rows = list(call.account.workspaces)
    page = [workspace_object(row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def get_workspace(call: Call) -> Reply:
    return Reply({"data": workspace_object(call.account.workspaces.get(call.path["id"]))})


def create_workspace(call: Call) -> Reply:
    body = call.json_object()
    for name in ("name", "slug"):
        if name not in body:
            raise InvalidRequestError(f'Invalid "{name}": required')
    fields = _fields(body)
    account = call.account
    account.workspaces.check_slug_free(fields["slug"])
    account.created += 1
    row = WorkspaceRow(
        id=uuid_text("workspace", account.seed, account.born, account.created),
        created_at=call.now,
        long=True,
        **fields,
    )
    account.workspaces.add(row)
    return Reply({"data": workspace_object(row)}, 201)


def update_workspace(call: Call) -> Reply:
    row = call.account.workspaces.get(call.path["id"])
    changes = _fields(call.json_object())
    if not changes:
        raise InvalidRequestError("No update fields provided")
    if "slug" in changes:
        call.account.workspaces.check_slug_free(changes["slug"], but=row)
    for name, value in changes.items():
        setattr(row, name, value)
    row.updated_at = call.now
    return Reply({"data": workspace_object(row)})


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """What is known of a body, checked. No tool at all is the same as null."""
    fields = recognised(body, _FIELDS)
    if "disabled_server_tools" in fields:
        fields["disabled_server_tools"] = fields["disabled_server_tools"] or None
    return fields


def delete_workspace(call: Call) -> Reply:
    """Refused while keys are active, and for the default workspace unless the account may and the caller
    says so twice. Keys that are not active go with it, and so do its guardrails."""
    account = call.account
    row = account.workspaces.get(call.path["id"])
    if row.id == account.workspaces.default_id:
        _check_default_deletable(call)
    if account.keys.count_active(row.id, call.now):
        raise InvalidRequestError("This workspace still has active API keys")
    account.workspace_delete(row, call.now)
    return Reply({"deleted": True})


def _check_default_deletable(call: Call) -> None:
    if not call.account.default_deletable:
        raise ForbiddenError("Deleting the default workspace is not enabled for this account")
    if not call.flag("confirm_default_workspace_deletion"):
        raise InvalidRequestError(
            "Deleting the default workspace needs confirm_default_workspace_deletion=true"
        )


def workspace_object(row: WorkspaceRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "slug": row.slug,
        "description": row.description,
        "created_at": spell(row.created_at, long=row.long),
        "updated_at": spell(row.updated_at, long=row.long) if row.updated_at else None,
        "created_by": row.created_by,
        "default_guardrail_id": row.default_guardrail_id,
        "default_text_model": row.default_text_model,
        "default_image_model": row.default_image_model,
        "default_provider_sort": row.default_provider_sort,
        "is_observability_broadcast_enabled": row.is_observability_broadcast_enabled,
        "is_observability_io_logging_enabled": row.is_observability_io_logging_enabled,
        "io_logging_sampling_rate": row.io_logging_sampling_rate,
        "io_logging_api_key_ids": row.io_logging_api_key_ids,
        "is_data_discount_logging_enabled": row.is_data_discount_logging_enabled,
        "include_byok_in_budgets": row.include_byok_in_budgets,
        "disabled_server_tools": row.disabled_server_tools,
    }


ENDPOINTS = (
    Endpoint("GET", "/workspaces", list_workspaces),
    Endpoint("POST", "/workspaces", create_workspace),
    Endpoint("GET", "/workspaces/<id>", get_workspace),
    Endpoint("PATCH", "/workspaces/<id>", update_workspace),
    Endpoint("DELETE", "/workspaces/<id>", delete_workspace),
)

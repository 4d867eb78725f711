"""`/workspaces/{id}/budgets`: at most one budget an interval. Only enterprise plans can set them."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.budgets import INTERVALS, BudgetRow
from orgadmin.sandbox.state.workspaces import WorkspaceRow
from orgadmin.sandbox.wire.request import (
    Call,
    Check,
    Endpoint,
    Reply,
    boolean,
    number,
    one_of,
    recognised,
    refuse,
)

_interval = one_of(*INTERVALS)


def _amount(name: str, value: Any) -> float | int:
    amount: float | int = number(low=0)(name, value)
    if amount <= 0:
        refuse(name, "more than 0")
    return amount


_FIELDS: dict[str, Check] = {"limit_usd": _amount, "include_byok_in_budgets": boolean}


def list_budgets(call: Call) -> Reply:
    workspace = _workspace(call)
    rows = call.account.budgets.of_workspace(workspace.id)
    return _reply([budget_object(row) for row in rows], workspace)


def get_budget(call: Call) -> Reply:
    workspace = _workspace(call)
    row = call.account.budgets.get(workspace.id, _interval("interval", call.path["interval"]))
    return _reply(budget_object(row), workspace)


def put_budget(call: Call) -> Reply:
    """Makes or changes one. `include_byok_in_budgets` is the workspace's, whichever interval it comes
    with."""
    workspace = _workspace(call)
    call.account.budgets.check_settable()
    interval = _interval("interval", call.path["interval"])
    fields = recognised(call.json_object(), _FIELDS)
    if "limit_usd" not in fields:
        raise InvalidRequestError('Invalid "limit_usd": required')
    call.account.budgets.check_order(workspace.id, interval, fields["limit_usd"])
    row = _set(call, workspace, interval, fields["limit_usd"])
    if "include_byok_in_budgets" in fields:
        workspace.include_byok_in_budgets = fields["include_byok_in_budgets"]
    return _reply(budget_object(row), workspace)


def _set(call: Call, workspace: WorkspaceRow, interval: str, limit: float | int) -> BudgetRow:
    account = call.account
    row = account.budgets.find(workspace.id, interval)
    if row is None:
        account.created += 1
        budget_id = uuid_text("budget", account.seed, account.born, account.created)
        row = BudgetRow(budget_id, workspace.id, interval, limit, call.now, call.now, long=True)
        account.budgets.add(row)
    row.limit_usd, row.updated_at = limit, call.now
    return row


def delete_budget(call: Call) -> Reply:
    """Well done even where there was none."""
    workspace = _workspace(call)
    call.account.budgets.remove(workspace.id, _interval("interval", call.path["interval"]))
    return Reply({"deleted": True})


def _workspace(call: Call) -> WorkspaceRow:
    workspace = call.account.workspaces.get(call.path["id"])
    call.account.budgets.check_there()
    return workspace


def _reply(data: Any, workspace: WorkspaceRow) -> Reply:
    return Reply({"data": data, "include_byok_in_budgets": workspace.include_byok_in_budgets})


def budget_object(row: BudgetRow) -> dict[str, Any]:
    """Paths say `lifetime` where answers say null."""
    return {
        "id": row.id,
        "workspace_id": row.workspace_id,
        "limit_usd": row.limit_usd,
        "reset_interval": None if row.interval == "lifetime" else row.interval,
        "created_at": spell(row.created_at, long=row.long),
        "updated_at": spell(row.updated_at, long=row.long),
    }


ENDPOINTS = (
    Endpoint("GET", "/workspaces/<id>/budgets", list_budgets),
    Endpoint("GET", "/workspaces/<id>/budgets/<interval>", get_budget),
    Endpoint("PUT", "/workspaces/<id>/budgets/<interval>", put_budget),
    Endpoint("DELETE", "/workspaces/<id>/budgets/<interval>", delete_budget),
)

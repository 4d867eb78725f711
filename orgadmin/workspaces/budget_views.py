"""The budgets of a workspace: set, check while typing, raise by an amount."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.inventory.models import Workspace
from orgadmin.inventory.workspace_models import INTERVALS
from orgadmin.openrouter.errors import InvalidRequest, OpenRouterError
from orgadmin.pages import explained, go, respond
from orgadmin.raising import Raise, answer
from orgadmin.workspaces.budget_forms import BudgetsForm, SeenBudgetsField
from orgadmin.workspaces.budgeting import (
    SETTABLE,
    BudgetConflict,
    BudgetPlan,
    Progress,
    budget_raise,
    budgets_set,
)
from orgadmin.workspaces.edit_views import existing, page_of_workspace
from orgadmin.workspaces.selectors import budget_lines, limits_of


@allow(Permission.CHANGE, methods=("GET", "POST"))
def budgets(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    workspace = existing(request, workspace_uid)
    if request.method == "GET":
        return _sheet(request, workspace, _form(workspace))
    form = _form(workspace, request.POST)
    if not form.is_valid():
        return _sheet(request, workspace, form, status=400)
    plan = form.plan()
    if plan.is_empty:
        return go(
            request, page_of_workspace(request, workspace_uid), toast="Nothing to save: they are like this."
        )
    try:
        progress = budgets_set(
            actor=request.user,
            workspace=workspace,
            plan=plan,
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted:
        problem = "This form was already sent, and nothing was sent again. The history says what it came to."
        return go(request, page_of_workspace(request, workspace_uid), problem=problem)
    except BudgetConflict as conflict:
        form = _form(workspace, limits=conflict.theirs, shown=plan)
        return _sheet(request, workspace, form, status=409, conflict=(plan.seen, conflict.theirs))
    except OpenRouterError as error:
        form.renew_token()
        form.add_error(None, explained(error, "No budget was changed."))
        return _sheet(request, workspace, form, status=_status(error))
    if progress.error is not None:
        workspace.refresh_from_db()
        form = _form(workspace, shown=plan)
        return _sheet(request, workspace, form, status=_status(progress.error), progress=progress)
    return go(request, page_of_workspace(request, workspace_uid), toast="Budgets saved.")


def _status(error: OpenRouterError) -> int:
    return 400 if isinstance(error, InvalidRequest) else 502


def _form(
    workspace: Workspace, data: Any = None, *, limits: Any = None, shown: BudgetPlan | None = None
) -> BudgetsForm:
    """The form; what was posted is held against what its editor saw, not against what there is by now."""
    counts_byok = workspace.include_byok_in_budgets
    if data is not None:
        with suppress(ValidationError):
            limits, counts_byok = SeenBudgetsField().clean(data.get("seen", ""))
    return BudgetsForm(
        data,
        limits=limits_of(workspace) if limits is None else limits,
        counts_byok=counts_byok,
        shown=shown,
    )


def _sheet(
    request: OrgRequest,
    workspace: Workspace,
    form: BudgetsForm,
    *,
    status: int = 200,
    conflict: Any = None,
    progress: Progress | None = None,
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "workspace": workspace,
        "form": form,
        "lines": {line.interval: line for line in budget_lines(workspace)},
        "intervals": INTERVALS,
        "conflict": conflict,
        "progress": progress,
        "explained": explained,
        "was_refused": request.organization.capabilities.get(SETTABLE) is False,
    }
    return respond(
        request, "workspaces/budgets.html", context, fragment="workspaces/_budgets.html", status=status
    )


@allow(Permission.CHANGE)
def check(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    """What is wrong with amounts that are being typed. Sends nothing to OpenRouter."""
    workspace = existing(request, workspace_uid)
    form = _form(workspace, request.GET)
    form.is_valid()
    context = {"problems": {name: form.errors[name] for name in INTERVALS if name in form.errors}}
    return respond(request, "workspaces/budget_check.html", context, fragment="workspaces/_budget_check.html")


@allow(Permission.CHANGE, methods=("GET", "POST"))
def raise_budget(request: OrgRequest, workspace_uid: str, interval: str) -> HttpResponse:
    workspace = existing(request, workspace_uid)
    line = next((line for line in budget_lines(workspace) if line.interval == interval), None)
    if line is None:
        raise Http404("There is no such budget.")

    def act(amount: Decimal, form_token: UUID) -> Decimal:
        return budget_raise(
            actor=request.user,
            workspace=workspace,
            interval=interval,
            amount=amount,
            form_token=form_token,
        )

    wanted = Raise(
        called=f"{interval} budget of {workspace.name}",
        amount=line.limit,
        page=page_of_workspace(request, workspace_uid),
        act=act,
        used=line.used,
    )
    return answer(request, wanted)

"""Putting back what was changed of workspaces, their budgets and who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import User
from orgadmin.audit.restoring import NotRestorable, Offer, Restorer, register, verb_of
from orgadmin.audit.selectors import Act
from orgadmin.inventory.models import Member, Workspace, WorkspaceMember
from orgadmin.inventory.workspace_models import INTERVALS
from orgadmin.workspaces.budgeting import BudgetConflict, BudgetPlan, budgets_set, misordered
from orgadmin.workspaces.drafts import SETTINGS, WorkspaceEdit, settings_of
from orgadmin.workspaces.membership import Outcomes, members_add, members_remove
from orgadmin.workspaces.selectors import limits_of
from orgadmin.workspaces.services import EditConflict, workspace_update

GONE = "A deleted workspace cannot come back, nor what was in it: OpenRouter keeps nothing of it."
BYOK = "include_byok_in_budgets"


def _workspace(act: Act, uid: str = "") -> Workspace:
    rows = Workspace.objects.filter(organization=act.entry.organization, uid=uid or act.target_id)
    workspace = rows.filter(gone_at=None).select_related("organization").first()
    if workspace is None:
        raise NotRestorable(GONE)
    return workspace


# --- settings ---


def _look(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    now = settings_of(_workspace(act))
    return now, {name: value for name, value in (act.before or {}).items() if name in SETTINGS}


def _apply(actor: User, act: Act, offer: Offer, _: UUID) -> str:
    workspace = _workspace(act)
    seen = settings_of(workspace)
    try:
        workspace_update(
            actor=actor, workspace=workspace, edit=WorkspaceEdit(seen=seen, wanted={**seen, **offer.then})
        )
    except EditConflict as conflict:
        raise NotRestorable(f"{conflict} Nothing was restored: look at what it is now.") from None
    return f"“{workspace.name}” is as it was."


# --- budgets ---


def _look_at_budgets(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    workspace = _workspace(act)
    now: dict[str, Any] = {name: limits_of(workspace).get(name) for name in INTERVALS}
    before, after = act.before or {}, act.after or {}
    then: dict[str, Any] = {
        name: None if before.get(name) is None else Decimal(str(before[name]))
        for name in INTERVALS
        if name in before or name in after
    }
    if before.get(BYOK) is not None:
        now[BYOK], then[BYOK] = workspace.include_byok_in_budgets, before[BYOK]
    return now, then


def _apply_budgets(actor: User, act: Act, offer: Offer, _: UUID) -> str:
    workspace = _workspace(act)
    seen = limits_of(workspace)
    limits = {name: value for name, value in offer.then.items() if name in INTERVALS}
    wanted = {name: limit for name, limit in {**seen, **limits}.items() if limit is not None}
    if disorder := misordered(wanted):
        narrow, wide = disorder
        raise NotRestorable(
            f"The {narrow} budget would be ${wanted[narrow]:,.2f} and the {wide} one ${wanted[wide]:,.2f}: "
            "OpenRouter wants more in the wider window. Change the others first."
        )
    if BYOK in offer.then and not wanted:
        raise NotRestorable("Without a budget OpenRouter keeps no switch for BYOK.")
    try:
        progress = budgets_set(
            actor=actor, workspace=workspace, plan=BudgetPlan(seen, wanted, offer.then.get(BYOK))
        )
    except BudgetConflict as conflict:
        raise NotRestorable(f"{conflict} Nothing was restored: look at what they are now.") from None
    if progress.error is not None:
        part = "Only a part was restored." if progress.done else "Nothing was restored."
        raise NotRestorable(f"{part} {progress.error.message}")
    return f"The budgets of “{workspace.name}” are as they were."


# --- members ---


def _look_at_place(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    _workspace(act, act.target_id.partition("/")[0])
    is_in = WorkspaceMember.objects.filter(
        organization=act.entry.organization, place=act.target_id, gone_at=None
    ).exists()
    return {"is_in_workspace": is_in}, {"is_in_workspace": verb_of(act) == "delete"}


def _apply_place(actor: User, act: Act, offer: Offer, _: UUID) -> str:
    workspace_uid, _slash, user_id = act.target_id.partition("/")
    workspace = _workspace(act, workspace_uid)
    member = Member.objects.filter(organization=act.entry.organization, uid=user_id, gone_at=None).first()
    if member is None:
        raise NotRestorable("They are not in the organization any more.")
    change = members_add if offer.then["is_in_workspace"] else members_remove
    outcomes: Outcomes = change(actor=actor, workspace=workspace, members=[member])
    for _one, why in outcomes.failed:
        raise NotRestorable(why)
    if outcomes.unknown:
        raise NotRestorable("Nobody knows yet whether it took effect: the next sync will tell.")
    return f"{member} is {'in' if offer.then['is_in_workspace'] else 'not in'} “{workspace.name}” again."


register(
    "workspace",
    Restorer(
        look=_look,
        apply=_apply,
        verbs=frozenset({"update"}),
        why_not={
            "create": "A new workspace is taken back by deleting it, on its own page.",
            "delete": GONE,
        },
    ),
)
register(
    "workspace_budgets",
    Restorer(
        look=_look_at_budgets,
        apply=_apply_budgets,
        verbs=frozenset({"create", "update", "delete"}),
        why_not={},
    ),
)
register(
    "workspace_member",
    Restorer(
        look=_look_at_place,
        apply=_apply_place,
        verbs=frozenset({"create", "delete"}),
        why_not={"update": "The role comes from the organization: it is changed at OpenRouter."},
    ),
)

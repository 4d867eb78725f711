"""The budgets of a workspace: one call a budget, in an order that OpenRouter takes, an audit entry a call.

OpenRouter refuses limits out of order and has no way to set several at once (FACTS 3.6). So what grows is
sent from the widest interval down, what shrinks from the narrowest up; the first refusal stops the rest, and
the person is told what was done and what was not.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Outcome
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.acts import CarryOn, Refused, failed, note_refused
from orgadmin.inventory.models import Workspace, WorkspaceBudgets
from orgadmin.inventory.nouns import WORKSPACE_BUDGETS
from orgadmin.inventory.workspace_models import INTERVALS
from orgadmin.inventory.workspace_nouns import plain_budgets
from orgadmin.openrouter import workspace_budgets as upstream
from orgadmin.openrouter import workspaces
from orgadmin.openrouter.errors import NotFound, OpenRouterError, lacks_feature
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET
from orgadmin.workspaces.recording import mirror, note_found_gone

# Off once OpenRouter refused to set a budget: the plan has none (FACTS 3.16).
SETTABLE = "set_workspace_budgets"

Limits = Mapping[str, Decimal]


class BudgetConflict(Exception):
    """Somebody changed the budgets meanwhile. ``theirs`` is what OpenRouter has now."""

    def __init__(self, theirs: Limits) -> None:
        super().__init__("Somebody else changed these budgets in the meantime.")
        self.theirs = theirs


@dataclass(frozen=True)
class BudgetPlan:
    """What the editor saw and what they want, by interval; ``counts_byok`` is what the switch should become,
    None to leave it."""

    seen: Limits
    wanted: Limits
    counts_byok: bool | None = None

    @property
    def is_empty(self) -> bool:
        return self.seen == self.wanted and self.counts_byok is None


@dataclass
class Progress:
    """What came of the steps: done, and where and why it stopped."""

    done: list[upstream.Step] = field(default_factory=list)
    stopped: upstream.Step | None = None
    error: OpenRouterError | None = None


def misordered(limits: Limits) -> tuple[str, str] | None:
    """Two intervals, the narrower first, whose limits OpenRouter would refuse together."""
    return upstream.misordered(limits)


def budgets_set(
    *, actor: User, workspace: Workspace, plan: BudgetPlan, form_token: uuid.UUID | None = None
) -> Progress:
    """PUT and DELETE /workspaces/{id}/budgets/{interval}, as few as lead from what is to what is wanted.

    They are read right before: raises BudgetConflict when they are not what the editor saw. Raises
    AlreadySubmitted, and OpenRouterError where nothing at all was changed; a later refusal is in the answer.
    """
    client = client_for(workspace.organization)
    now = _read(client, workspace)
    if now != dict(plan.seen):
        raise BudgetConflict(now)
    return _take(client, actor, workspace, now, plan, form_token)


def budget_raise(
    *, actor: User, workspace: Workspace, interval: str, amount: Decimal, form_token: uuid.UUID
) -> Decimal:
    """Add an amount to what one budget is now; the new limit. Raises Refused, with words for the person,
    where there is no such budget or the next wider one would be too small; AlreadySubmitted;
    OpenRouterError."""
    client = client_for(workspace.organization)
    now = _read(client, workspace)
    if interval not in now:
        raise Refused(f"This workspace has no {interval} budget any more.")
    wanted = {**now, interval: now[interval] + amount}
    disorder = upstream.misordered(wanted)
    if disorder:
        raise Refused(
            f"The {disorder[0]} budget would be ${wanted[disorder[0]]:,.2f}, and the {disorder[1]} budget is "
            f"${wanted[disorder[1]]:,.2f}: a wider window needs more. Raise that one first."
        )
    progress = _take(client, actor, workspace, now, BudgetPlan(now, wanted), form_token)
    if progress.error is not None:
        raise progress.error
    return wanted[interval]


def _read(client: OpenRouter, workspace: Workspace) -> dict[str, Decimal]:
    """The limits as they are upstream this moment, mirrored too."""
    try:
        found = upstream.get_all(client, workspace_id=workspace.uid)
    except OpenRouterError as error:
        _note_why(client, workspace, error)
        raise
    with CarryOn("budgets not mirrored", workspace=workspace.uid):
        mirror_budgets(workspace, found, expected=None)
    return {budget.interval: budget.limit_usd for budget in found.budgets}


def _take(
    client: OpenRouter,
    actor: User,
    workspace: Workspace,
    now: dict[str, Decimal],
    plan: BudgetPlan,
    form_token: uuid.UUID | None,
) -> Progress:
    progress, counts_byok = Progress(), plan.counts_byok
    token = None
    if form_token is not None:
        token = token_of(form_token, actor=actor, organization=workspace.organization)
    for step in _steps(now, plan):
        sent = counts_byok if step.limit_usd is not None else None
        try:
            _step(client, actor, workspace, now, step, sent, token)
        except OpenRouterError as error:
            progress.stopped, progress.error = step, error
            _note_why(client, workspace, error)
            break
        token, counts_byok = None, None if step.limit_usd is not None else counts_byok
        progress.done.append(step)
    _settle_rows(client, workspace, now, progress.error)
    if progress.error is not None and not progress.done:
        raise progress.error
    if progress.done:
        _note_settable(workspace.organization, is_settable=True)
    return progress


def _steps(now: Limits, plan: BudgetPlan) -> Sequence[upstream.Step]:
    steps = upstream.steps(now, plan.wanted)
    if plan.counts_byok is not None and not any(step.limit_usd is not None for step in steps):
        # The switch travels with a budget: the narrowest is set to what it is.
        kept = next(interval for interval in INTERVALS if interval in plan.wanted)
        steps = (*steps, upstream.Step(kept, plan.wanted[kept]))
    return steps


def _step(
    client: OpenRouter,
    actor: User,
    workspace: Workspace,
    now: dict[str, Decimal],
    step: upstream.Step,
    counts_byok: bool | None,
    token: uuid.UUID | None,
) -> None:
    """One call, and its two entries. ``now`` is kept in step."""
    after = {name: limit for name, limit in now.items() if name != step.interval}
    if step.limit_usd is not None:
        after[step.interval] = step.limit_usd
    verb = "create" if not now else "update" if after else "delete"
    flag = {} if counts_byok is None else {"include_byok_in_budgets": counts_byok}
    old = {} if counts_byok is None else {"include_byok_in_budgets": workspace.include_byok_in_budgets}
    started = audit.start(
        actor=actor,
        organization=workspace.organization,
        action=f"workspace_budgets.{verb}",
        target=Target("workspace_budgets", workspace.uid, workspace.name),
        before=None if verb == "create" else {step.interval: now.get(step.interval), **old},
        after=None if verb == "delete" else {step.interval: step.limit_usd, **flag},
        form_token=token,
    )
    message = ""
    try:
        _send(client, workspace, step, counts_byok)
    except OpenRouterError as error:
        if not (error.outcome_unknown and _took_effect(client, workspace, step, counts_byok, error)):
            failed(started, error)
            raise
        message = f"{error.message} It was read again: the change took effect."
    now.clear()
    now.update(after)
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(started, outcome=Outcome.OK, message=message)
    if counts_byok is not None:
        _note_byok(workspace, counts_byok)


def _send(client: OpenRouter, workspace: Workspace, step: upstream.Step, counts_byok: bool | None) -> None:
    if step.limit_usd is None:
        upstream.delete(client, workspace_id=workspace.uid, interval=step.interval)
        return
    upstream.put(
        client,
        workspace_id=workspace.uid,
        interval=step.interval,
        limit_usd=step.limit_usd,
        include_byok_in_budgets=UNSET if counts_byok is None else counts_byok,
    )


def _took_effect(
    client: OpenRouter,
    workspace: Workspace,
    step: upstream.Step,
    counts_byok: bool | None,
    error: OpenRouterError,
) -> bool:
    """Whether a change whose answer never came is there, the switch that travelled with it too; the error
    then knows when it is not."""
    try:
        found = upstream.get_all(client, workspace_id=workspace.uid)
    except OpenRouterError:
        return False
    if counts_byok is not None and found.include_byok_in_budgets is None:
        return False
    error.outcome_unknown = False
    budget = found.of(step.interval)
    is_switched = counts_byok is None or found.include_byok_in_budgets is counts_byok
    return is_switched and (budget.limit_usd if budget else None) == step.limit_usd


# --- our rows ---


def _settle_rows(
    client: OpenRouter, workspace: Workspace, now: Limits, error: OpenRouterError | None
) -> None:
    """Bring our row into step after all calls. What nobody knows is left for the next pull, which explains it
    by the open act; the rest it must not find anew."""
    with CarryOn("budgets not mirrored", workspace=workspace.uid):
        if error is not None and error.outcome_unknown:
            limits = {interval: now.get(interval) for interval in INTERVALS}
            _budgets_of(workspace).update(**limits, written_at=timezone.now())
        else:
            mirror_budgets(workspace, upstream.get_all(client, workspace_id=workspace.uid), expected=now)


def mirror_budgets(
    workspace: Workspace, found: upstream.WorkspaceBudgets, *, expected: Limits | None
) -> None:
    """Write the budgets of a workspace as OpenRouter has them now. What is not as ``expected`` (None: as our
    row has it) was changed elsewhere, which no pull will see any more: it is noted here."""
    plain, asked_at = plain_budgets(workspace.uid, found), timezone.now()
    there = {budget.interval: budget.limit_usd for budget in found.budgets}
    with transaction.atomic():
        row = _budgets_of(workspace).select_for_update().first()
        known = row.limits if row is not None and row.gone_at is None else {}
        _note_changes_elsewhere(workspace, known if expected is None else expected, there)
        if plain is None:
            _budgets_of(workspace).filter(gone_at=None).update(gone_at=asked_at, written_at=asked_at)
            return
        values = WORKSPACE_BUDGETS.values(plain, row, None, asked_at)
        WorkspaceBudgets.objects.update_or_create(
            organization=workspace.organization,
            workspace_uid=workspace.uid,
            defaults={**values, "written_at": asked_at, "gone_at": None},
        )


def _budgets_of(workspace: Workspace) -> QuerySet[WorkspaceBudgets]:
    return WorkspaceBudgets.objects.filter(organization=workspace.organization, workspace_uid=workspace.uid)


def _note_changes_elsewhere(workspace: Workspace, known: Limits, there: Limits) -> None:
    names = [name for name in INTERVALS if known.get(name) != there.get(name)]
    if not names:
        return
    audit.outside_entry(
        organization=workspace.organization,
        action=f"workspace_budgets.{'create' if not known else 'update' if there else 'delete'}",
        target=Target("workspace_budgets", workspace.uid, workspace.name),
        before={name: known.get(name) for name in names} if known else None,
        after={name: there.get(name) for name in names} if there else None,
    ).save()


def _note_byok(workspace: Workspace, counts_byok: bool) -> None:
    with CarryOn("workspace row not saved", workspace=workspace.uid):
        Workspace.objects.filter(pk=workspace.pk).update(
            include_byok_in_budgets=counts_byok, written_at=timezone.now()
        )
        workspace.include_byok_in_budgets = counts_byok


# --- accounts without budgets ---


def _note_why(client: OpenRouter, workspace: Workspace, error: OpenRouterError) -> None:
    """Remember what a refusal says of the account; a workspace that is gone says nothing of it."""
    note_refused(workspace.organization, error)
    if not lacks_feature(error):
        return
    if isinstance(error, NotFound) and _is_gone(client, workspace):
        note_found_gone(workspace)
        return
    _note_settable(workspace.organization, is_settable=False)


def _is_gone(client: OpenRouter, workspace: Workspace) -> bool:
    try:
        found: Any = workspaces.get(client, workspace_id=workspace.uid)
    except NotFound:
        return True
    except OpenRouterError:
        return False
    with CarryOn("workspace row not saved", workspace=workspace.uid):
        mirror(organization=workspace.organization, found=found)
    return False


def _note_settable(organization: Organization, *, is_settable: bool) -> None:
    with CarryOn("capability not kept", organization=organization.slug), transaction.atomic():
        row = Organization.objects.select_for_update(no_key=True).only("capabilities").get(pk=organization.pk)
        if row.capabilities.get(SETTABLE) is not is_settable:
            row.capabilities = {**row.capabilities, SETTABLE: is_settable}
            row.save(update_fields=["capabilities"])

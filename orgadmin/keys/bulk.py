"""What can be done to many keys at once: the acts, what each would change, and their jobs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import ExpressionWrapper, F, Q, QuerySet

from orgadmin.access import Permission
from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.models import Key
from orgadmin.inventory.money import MoneyField
from orgadmin.inventory.nouns import stored
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.permission import permissions_of
from orgadmin.jobs.services import PATIENCE, NewJob, Skip, job_start, register
from orgadmin.keys.forms import OWN_WINDOW
from orgadmin.keys.selectors import lockable, own_members
from orgadmin.keys.services import Locked, key_delete, key_set_disabled, own_key_set_disabled
from orgadmin.keys.services.update import key_as_it_is, send_changes


@dataclass(frozen=True)
class Act:
    """One bulk act: its words, and which of the selected keys it would change at all."""

    name: str
    verb: str
    past: str
    consequence: str
    needed: Q
    is_final: bool = False


ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act(
            name="disable",
            verb="Disable",
            past="disabled",
            consequence="They refuse requests until somebody enables them. Their settings and history stay.",
            needed=Q(disabled=False),
        ),
        Act(
            name="enable",
            verb="Enable",
            past="enabled",
            consequence="They accept requests again, within their limits.",
            needed=Q(disabled=True),
        ),
        Act(
            name="limit",
            verb="Set limit of",
            past="given the limit",
            consequence="Usage so far is kept: a limit below it blocks a key at once.",
            needed=Q(),
        ),
        Act(
            name="delete",
            verb="Delete",
            past="deleted",
            consequence="Whatever uses them stops working. Nobody can bring a deleted key back.",
            needed=Q(),
            is_final=True,
        ),
    )
}


# What a limit of each window counts.
_SPENT = {None: "usage", "daily": "usage_daily", "weekly": "usage_weekly", "monthly": "usage_monthly"}


def blocked_by(
    keys: QuerySet[Key], *, limit: Decimal | None, limit_reset: str | None, counts_byok: bool | None = None
) -> int:
    """How many of the keys work now and would refuse requests at once under this limit (FACTS 3.7).

    ``limit_reset`` OWN_WINDOW: in the window that each has; ``counts_byok`` None: as each counts now.
    """
    limit = stored(limit)
    if limit is None:
        return 0
    over = Q(pk__in=[])
    for window, spent in _SPENT.items():
        if limit_reset == OWN_WINDOW:
            over |= Q(limit_reset=window) & _spent(spent, limit, counts_byok)
        elif limit_reset == window:
            over |= _spent(spent, limit, counts_byok)
    # Two columns of ours added up are plain integers to Django; the field makes them dollars again.
    both = {
        f"{spent}_and_byok": ExpressionWrapper(F(spent) + F(f"byok_{spent}"), output_field=MoneyField())
        for spent in _SPENT.values()
    }
    working = keys.filter(disabled=False).exclude(limit_remaining__lte=0)
    return working.annotate(**both).filter(over).count()


def _spent(column: str, limit: Decimal, counts_byok: bool | None) -> Q:
    """That the limit's counter has reached it."""
    alone, with_byok = Q(**{f"{column}__gte": limit}), Q(**{f"{column}_and_byok__gte": limit})
    if counts_byok is None:
        return Q(include_byok_in_limit=False) & alone | Q(include_byok_in_limit=True) & with_byok
    return with_byok if counts_byok else alone


def done_by(job_id: int, *, organization: Organization) -> QuerySet[JobItem, Any]:
    """The hashes of the keys that a job of the organization changed."""
    done = JobItem.objects.filter(job=job_id, job__organization=organization, job__kind__startswith="keys.")
    return done.filter(state=JobItem.State.OK).values("target_id")


def would_change(act: Act, keys: QuerySet[Key], *, may_change: bool) -> int:
    """How many of the keys the act would change: whether they are on or off, or whose lock holds them off."""
    locked_anew = lockable(keys).count() if act.name == "disable" and may_change else 0
    return keys.filter(act.needed).count() + locked_anew


def bulk_start(
    *,
    actor: User,
    organization: Organization,
    act: Act,
    keys: QuerySet[Key],
    params: dict[str, Any],
    form_token: uuid.UUID,
) -> Job:
    """A background job over the keys of the query, fixed now: what appears later is not touched."""
    found = keys.filter(gone_at=None)
    number = found.count()
    noun = "key" if number == 1 else "keys"
    targets = found.order_by("sort_name", "id").values_list("hash", "name")
    return job_start(
        actor=actor,
        organization=organization,
        new=NewJob(
            kind=f"keys.{act.name}",
            title=f"{act.verb} {number:,} {noun}",
            targets=targets.iterator(chunk_size=1000),
            params=params,
            form_token=token_of(form_token, actor=actor, organization=organization),
        ),
    )


def _key(job: Job, item: JobItem, may: frozenset[str]) -> Key:
    """The item's key as it is now. Raises Skip when it is gone or the actor may not change it (any more)."""
    keys = Key.objects.select_related("organization").filter(organization=job.organization)
    if Permission.CHANGE not in may:
        mine = own_members(user=job.actor, organization=job.organization)
        keys = keys.filter(owner__in=mine.values("pk")) if Permission.OWN_KEYS in may else keys.none()
        if not keys.filter(hash=item.target_id).exists():
            raise Skip(f"{job.actor} may not change this key any more.")
    key = keys.filter(hash=item.target_id, gone_at=None).first()
    if key is None:
        raise Skip("The key no longer exists.")
    return key


def _switch(job: Job, item: JobItem, *, disabled: bool) -> None:
    may = permissions_of(job)
    key = _key(job, item, may)
    may_change = Permission.CHANGE in may
    already = Skip(f"It was {'disabled' if disabled else 'enabled'} already.")
    # What a member disabled themselves, they could enable again: an administrator's lock is a change.
    takes_lock = disabled and may_change and lockable(Key.objects.filter(pk=key.pk)).exists()
    # The mirror may be minutes old, and in an incident the key that was enabled elsewhere matters most.
    is_alike = key.disabled is disabled and key_as_it_is(key=key, patience=PATIENCE).disabled is disabled
    if is_alike and not takes_lock:
        raise already
    if may_change:
        key_set_disabled(actor=job.actor, key=key, disabled=disabled, patience=PATIENCE)
        return
    try:
        if not own_key_set_disabled(actor=job.actor, key=key, disabled=disabled, patience=PATIENCE):
            raise already
    except Locked as locked:
        raise Skip(str(locked)) from None


@register("keys.disable")
def disable(job: Job, item: JobItem) -> str:
    _switch(job, item, disabled=True)
    return "Disabled."


@register("keys.enable")
def enable(job: Job, item: JobItem) -> str:
    _switch(job, item, disabled=False)
    return "Enabled."


@register("keys.limit")
def limit(job: Job, item: JobItem) -> str:
    key = _key(job, item, permissions_of(job))
    wanted = _wanted(job, key)
    # The window that a key has now stands in no parameter, and the mirror may be minutes old.
    if job.params["limit_reset"] == OWN_WINDOW or _limit_of(key) == wanted:
        key = key_as_it_is(key=key, patience=PATIENCE)
        wanted = _wanted(job, key)
        if _limit_of(key) == wanted:
            raise Skip("It had this limit already.")
    send_changes(
        actor=job.actor,
        key=key,
        # The job read its organization when it began; since then the key may have been replaced or forgotten.
        client=client_for(key.organization, patience=PATIENCE),
        action="key.update",
        before=_limit_of(key),
        changes=wanted,
    )
    return "Limit set." if wanted["limit"] is not None else "Limit removed."


def _wanted(job: Job, key: Key) -> dict[str, Any]:
    """Limit and window as the job would have them: always both (FACTS trap 10)."""
    amount, window = job.params["limit"], job.params["limit_reset"]
    return {
        "limit": None if amount is None else Decimal(amount),
        "limit_reset": key.limit_reset if window == OWN_WINDOW else window,
    }


def _limit_of(key: Key) -> dict[str, Any]:
    return {"limit": key.limit, "limit_reset": key.limit_reset}


@register("keys.delete")
def delete(job: Job, item: JobItem) -> str:
    key_delete(actor=job.actor, key=_key(job, item, permissions_of(job)), patience=PATIENCE)
    return "Deleted."

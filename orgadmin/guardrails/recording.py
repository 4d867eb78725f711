"""The outcome of an act on a guardrail in the audit log, then our row. The outcome is written first:
if our row cannot be written after it, the next pull adopts what OpenRouter has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.guardrails.drafts import differing
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Guardrail, KeyAssignment, MemberAssignment
from orgadmin.inventory.nouns import GUARDRAILS
from orgadmin.inventory.pending import repeated_acts
from orgadmin.inventory.summary import refresh_summary


def target_of(guardrail: Guardrail) -> Target:
    return Target(type="guardrail", id=guardrail.uid, name=guardrail.name)


def succeeded(started: Entry, *, organization: Organization, found: Any | None, message: str = "") -> None:
    """Record that OpenRouter said yes, then mirror ``found``, what it made of the guardrail in the shape of a
    row; None after a deletion."""
    target = Target(type="guardrail", id=found.id, name=found.name) if found else None
    with CarryOn("earlier acts not settled", action=started.action, target=started.target_id):
        Entry.objects.bulk_create(repeated_acts(started))
    # Models come back as other slugs than were sent: the log keeps what they became.
    after = {name: getattr(found, name) for name in started.after or () if hasattr(found, name)}
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(
            started,
            outcome=Outcome.OK,
            target=target,
            message=message,
            after={**(started.after or {}), **after},
        ) if found else audit.finish(started, outcome=Outcome.OK, message=message)
    if found is not None:
        with CarryOn("guardrail row not saved", guardrail=found.id):
            mirror(organization=organization, found=found, ours=frozenset(started.after or ()))


def mirror(*, organization: Organization, found: Any, ours: Collection[str] = frozenset()) -> None:
    """Write an upstream guardrail into our row. ``ours`` are the rules we just set; what else differs was
    changed elsewhere, which no pull will see any more: it is noted here."""
    with transaction.atomic():
        row = Guardrail.objects.select_for_update().filter(organization=organization, uid=found.id).first()
        now = timezone.now()
        values = GUARDRAILS.values(found, row, GUARDRAILS.prepare(organization), now)
        if row is not None and row.gone_at is None:
            _note_changes_elsewhere(row, values, ours)
        values |= {"written_at": now, "gone_at": None}
        Guardrail.objects.update_or_create(organization=organization, uid=found.id, defaults=values)
    refresh_summary(organization)


def _note_changes_elsewhere(row: Guardrail, values: dict[str, Any], ours: Collection[str]) -> None:
    before = {name: getattr(row, name) for name in GUARDRAILS.audited(values)}
    names = [name for name in differing(before, values) if name not in ours]
    if names:
        audit.outside_entry(
            organization=row.organization,
            action="guardrail.update",
            target=target_of(row),
            before={name: before[name] for name in names},
            after={name: values[name] for name in names},
        ).save()


def mark_gone(guardrail: Guardrail) -> None:
    """Note that it no longer exists upstream, nor do its assignments; rows and history stay."""
    now = timezone.now()
    gone = {"gone_at": now, "written_at": now}
    with transaction.atomic():
        Guardrail.objects.filter(pk=guardrail.pk, gone_at=None).update(**gone)
        for model in (KeyAssignment, MemberAssignment):
            model._default_manager.filter(
                organization=guardrail.organization, guardrail_uid=guardrail.uid, gone_at=None
            ).update(**gone)
    refresh_summary(guardrail.organization)


def note_found_gone(guardrail: Guardrail) -> None:
    """Somebody deleted it elsewhere, and we met it before a pull did: the log says so now."""
    before = GUARDRAILS.audited({name: getattr(guardrail, name) for name in GUARDRAILS.columns})
    with transaction.atomic():
        if not Guardrail.objects.select_for_update().filter(pk=guardrail.pk, gone_at=None).exists():
            return
        audit.outside_entry(
            organization=guardrail.organization,
            action="guardrail.delete",
            target=target_of(guardrail),
            before=before,
            after=None,
        ).save()
    mark_gone(guardrail)

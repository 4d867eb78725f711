"""The outcome of an act on an object of a noun in the audit log, then our row. The outcome is written first:
if our row cannot be written after it, the next pull adopts what OpenRouter has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target, comparable
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Mirror
from orgadmin.inventory.nouns import Noun
from orgadmin.inventory.pending import repeated_acts
from orgadmin.inventory.summary import refresh_summary


def target_of(noun: Noun, row: Any) -> Target:
    """A row of ours, or what upstream has in the shape of one."""
    identity = str(getattr(row, noun.identity, None) or getattr(row, noun.upstream_identity))
    values = {name: getattr(row, name, None) for name in noun.columns}
    return Target(type=noun.singular, id=identity, name=noun.called(identity, values, None) or identity)


def succeeded(
    started: Entry, *, noun: Noun, organization: Organization, found: Any | None, message: str = ""
) -> None:
    """Record that OpenRouter said yes, then mirror ``found``, what it made of the object; None after a
    deletion."""
    details = {"action": started.action, "target": started.target_id}
    with CarryOn("earlier acts not settled", **details):
        Entry.objects.bulk_create(repeated_acts(started))
    after = (
        started.after
        if found is None
        else {
            **(started.after or {}),
            **{name: getattr(found, name) for name in started.after or () if hasattr(found, name)},
        }
    )
    with CarryOn("audit outcome not saved", **details):
        audit.finish(
            started,
            outcome=Outcome.OK,
            target=None if found is None else target_of(noun, found),
            message=message,
            after=after,
        )
    if found is not None:
        with CarryOn("row not saved", noun=noun.kind, **details):
            mirror(noun=noun, organization=organization, found=found, ours=frozenset(started.after or ()))


def mirror(
    *, noun: Noun, organization: Organization, found: Any, ours: Collection[str] = frozenset()
) -> None:
    """Write an upstream object into our row. ``ours`` are the columns we just set; what else differs was
    changed elsewhere, which no pull will see any more: it is noted here."""
    identity: dict[str, Any] = {noun.identity: str(getattr(found, noun.upstream_identity))}
    rows = noun.model._default_manager.filter(organization=organization, **identity)
    with transaction.atomic():
        row = rows.select_for_update().first()
        now = timezone.now()
        values = noun.values(found, row, noun.prepare(organization), now)
        if row is not None and row.gone_at is None:
            _note_changes_elsewhere(noun, row, values, ours)
        values |= {"written_at": now, "gone_at": None}
        noun.model._default_manager.update_or_create(organization=organization, **identity, defaults=values)
    refresh_summary(organization)


def _note_changes_elsewhere(noun: Noun, row: Mirror, values: dict[str, Any], ours: Collection[str]) -> None:
    audited = noun.audited(values)
    before = {name: getattr(row, name) for name in audited}
    names = [
        name
        for name in audited
        if name not in ours and comparable(name, before[name]) != comparable(name, audited[name])
    ]
    if names:
        audit.outside_entry(
            organization=row.organization,
            action=f"{noun.singular}.update",
            target=target_of(noun, row),
            before={name: before[name] for name in names},
            after={name: audited[name] for name in names},
        ).save()


def mark_gone(*, noun: Noun, row: Mirror) -> None:
    """Note that it no longer exists upstream; the row and its history stay."""
    now = timezone.now()
    noun.model._default_manager.filter(pk=row.pk, gone_at=None).update(gone_at=now, written_at=now)
    refresh_summary(row.organization)


def note_found_gone(*, noun: Noun, row: Mirror) -> None:
    """Somebody deleted it elsewhere, and we met it before a pull did: the log says so now."""
    before = noun.audited({name: getattr(row, name) for name in noun.columns})
    with transaction.atomic():
        alive = noun.model._default_manager.select_for_update().filter(pk=row.pk, gone_at=None)
        if not alive.exists():
            return
        audit.outside_entry(
            organization=row.organization,
            action=f"{noun.singular}.delete",
            target=target_of(noun, row),
            before=before,
            after=None,
        ).save()
    mark_gone(noun=noun, row=row)

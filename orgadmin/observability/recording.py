"""The outcome of an act on a destination in the audit log, then our row. The outcome is written first:
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
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Destination
from orgadmin.inventory.nouns import DESTINATIONS
from orgadmin.inventory.pending import repeated_acts
from orgadmin.inventory.summary import refresh_summary
from orgadmin.observability.drafts import Sent, differing, marked


def target_of(destination: Destination) -> Target:
    return Target(type="destination", id=destination.uid, name=str(destination))


def succeeded(
    started: Entry,
    *,
    organization: Organization,
    found: Any | None,
    sent: Sent | None = None,
    message: str = "",
) -> None:
    """Record that OpenRouter said yes, then mirror ``found``, what it made of the destination in the shape of
    a row; None after a deletion. ``sent`` are the keys of the config that were."""
    with CarryOn("earlier acts not settled", action=started.action, target=started.target_id):
        Entry.objects.bulk_create(repeated_acts(started))
    if found is None:
        with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
            audit.finish(started, outcome=Outcome.OK, message=message)
        return
    after = {name: getattr(found, name) for name in started.after or () if hasattr(found, name)}
    if "config" in after:
        after["config"] = marked(found.type, after["config"], sent or {})
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        name = found.name or started.target_name
        audit.finish(
            started,
            outcome=Outcome.OK,
            target=Target(type="destination", id=found.id, name=name),
            message=message,
            after={**(started.after or {}), **after},
        )
    with CarryOn("destination row not saved", destination=found.id):
        mirror(organization=organization, found=found, ours=frozenset(started.after or ()))


def mirror(*, organization: Organization, found: Any, ours: Collection[str] = frozenset()) -> None:
    """Write an upstream destination into our row. ``ours`` are the settings we just set; what else differs
    was changed elsewhere, which no pull will see any more: it is noted here."""
    with transaction.atomic():
        rows = Destination.objects.select_for_update()
        row = rows.filter(organization=organization, uid=found.id).first()
        now = timezone.now()
        values = DESTINATIONS.values(found, row, DESTINATIONS.prepare(organization), now)
        if row is not None and row.gone_at is None:
            _note_changes_elsewhere(row, values, ours)
        values |= {"written_at": now, "gone_at": None}
        Destination.objects.update_or_create(organization=organization, uid=found.id, defaults=values)
    refresh_summary(organization)


def _note_changes_elsewhere(row: Destination, values: dict[str, Any], ours: Collection[str]) -> None:
    before = {name: getattr(row, name) for name in DESTINATIONS.audited(values)}
    names = [name for name in differing(before, values) if name not in ours]
    if names:
        audit.outside_entry(
            organization=row.organization,
            action="destination.update",
            target=target_of(row),
            before={name: before[name] for name in names},
            after={name: values[name] for name in names},
        ).save()


def mark_gone(destination: Destination) -> None:
    """Note that it no longer exists upstream; row and history stay."""
    now = timezone.now()
    Destination.objects.filter(pk=destination.pk, gone_at=None).update(gone_at=now, written_at=now)
    refresh_summary(destination.organization)


def note_found_gone(destination: Destination) -> None:
    """Somebody deleted it elsewhere, and we met it before a pull did: the log says so now."""
    before = DESTINATIONS.audited({name: getattr(destination, name) for name in DESTINATIONS.columns})
    with transaction.atomic():
        rows = Destination.objects.select_for_update().filter(pk=destination.pk, gone_at=None)
        if not rows.exists():
            return
        audit.outside_entry(
            organization=destination.organization,
            action="destination.delete",
            target=target_of(destination),
            before=before,
            after=None,
        ).save()
    mark_gone(destination)

"""What every act on a key does around its call: the outcome in the audit log, then our row.

The outcome is written first and alone. If our own row cannot be written after that, the act is still on
record and the next pull adopts what OpenRouter has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Key
from orgadmin.inventory.nouns import KEYS
from orgadmin.inventory.pending import Difference, Pending, repeated_acts, settled_acts
from orgadmin.inventory.summary import refresh_summary
from orgadmin.openrouter import keys as upstream


def target_of(key: Key) -> Target:
    return Target(type="key", id=key.hash, name=key.name)


def succeeded(
    started: Entry,
    *,
    organization: Organization,
    found: upstream.Key | None,
    message: str = "",
    request_id: str | None = None,
) -> Key | None:
    """Record that OpenRouter said yes, then mirror what it made of the key.

    Returns our row, or None when the database would not take it.
    """
    target = Target(type="key", id=found.hash, name=found.name) if found else None
    # Before its own outcome: the newest entry on a key must be about the newest act.
    with CarryOn("earlier acts not settled", action=started.action, target=started.target_id):
        Entry.objects.bulk_create(repeated_acts(started))
    with CarryOn("audit outcome not saved", action=started.action, target=target and target.id):
        audit.finish(started, outcome=Outcome.OK, target=target, message=message, request_id=request_id)
    if found is None:
        return None
    with CarryOn("key row not saved", key=found.hash):
        return mirror(organization=organization, found=found, ours=frozenset(started.after or ()))
    return None


def mirror(*, organization: Organization, found: upstream.Key, ours: Collection[str] = frozenset()) -> Key:
    """Write an upstream key into our row, marked as written by us just now.

    ``ours`` are the fields we just changed. What else differs from our row was changed elsewhere; the pull
    will not see that any more, so it is noted here. An answer that a later one has overtaken changes nothing:
    the row is given back as it is.
    """
    with transaction.atomic():
        row = Key.objects.select_for_update().filter(organization=organization, hash=found.hash).first()
        if row is not None and _is_overtaken(found, row):
            return row
        now = timezone.now()
        values = KEYS.values(found, row, KEYS.prepare(organization), now)
        if row is not None and row.gone_at is None:
            _note_changes_elsewhere(row, values, ours)
        values |= {"written_at": now, "gone_at": None}
        saved, _ = Key.objects.update_or_create(organization=organization, hash=found.hash, defaults=values)
    refresh_summary(organization)
    return saved


def _is_overtaken(found: upstream.Key, row: Key) -> bool:
    """Whether our row already holds a later state of the key; one without a date is the oldest."""
    return row.updated_at is not None and (found.updated_at is None or found.updated_at < row.updated_at)


def _note_changes_elsewhere(row: Key, values: Mapping[str, Any], ours: Collection[str]) -> None:
    after = {
        name: value
        for name, value in KEYS.audited(values).items()
        if name not in ours and getattr(row, name) != value
    }
    if after:
        before = {name: getattr(row, name) for name in after}
        target = Target(type=KEYS.singular, id=row.hash, name=values["name"])
        _note_elsewhere(row.organization, Difference(target, "update", before, after))


def _note_elsewhere(organization: Organization, found: Difference) -> None:
    """Write down a difference as a pull would: the outcome of a lost act that explains it, and the rest as
    done outside. What an act of ours under way may have done is left to its answer; nothing else is, since no
    pull will see the difference any more."""
    pending = Pending.of(organization, KEYS.singular)
    beside = pending.beside_in_flight(found)
    if beside is None:
        return
    settled = settled_acts(organization, KEYS.singular, [found.target.id])
    resolved, rest = pending.explain(beside, settled)
    if rest is not None:
        outside = audit.outside_entry(
            organization=organization,
            action=f"key.{rest.verb}",
            target=rest.target,
            before=rest.before,
            after=rest.after,
        )
        resolved = [*resolved, outside]
    Entry.objects.bulk_create(resolved)


def mark_gone(key: Key) -> bool:
    """Note that the key no longer exists upstream; its row and history stay. False: that was known."""
    now = timezone.now()
    news = Key.objects.filter(pk=key.pk, gone_at=None).update(gone_at=now, written_at=now)
    refresh_summary(key.organization)
    return bool(news)


def found_gone(key: Key) -> None:
    """OpenRouter does not know the key any more: unless we deleted it, somebody else did. Our row and the
    entry are written together or not at all: a pull finds what is not."""
    before = KEYS.audited({name: getattr(key, name) for name in KEYS.columns})
    with CarryOn("key row not marked gone", key=key.hash), transaction.atomic():
        if mark_gone(key):
            _note_elsewhere(key.organization, Difference(target_of(key), "delete", before, None))

"""Acts of ours that a pull may meet before our own rows know of them, so that it does not report them as done
outside.

In flight: the act began a moment ago and its answer may still come; the pull leaves the row alone and the
next one looks again. Lost: the answer never came (outcome ``unknown``, or none at all because the process
died); if what the pull finds is what the act wanted, the act did take effect, and its entry says so. Settled:
the answer came and stands in the log, but our row was not written (our database failed, or is about to).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import ActorKind, Entry, Outcome
from orgadmin.audit.services import Target, comparable, outcome_entry

# Longer than any web request and any single call of a job may take.
IN_FLIGHT = timedelta(minutes=3)
# An act lost for longer than this is history; a change found now was made by somebody else.
FORGET = timedelta(days=2)


@dataclass(frozen=True)
class Difference:
    """What a pull found changed on one object. ``verb`` is create, update or delete; ``before`` and ``after``
    hold the audited columns that differ, or all of them when it appeared or vanished."""

    target: Target
    verb: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    def without(self, names: Iterable[str]) -> Difference | None:
        """The same without some columns; None when nothing is left."""
        gone = set(names)
        after = {name: value for name, value in (self.after or {}).items() if name not in gone}
        before = {name: value for name, value in (self.before or {}).items() if name not in gone}
        return replace(self, before=before, after=after) if after else None


@dataclass
class Pending:
    """The open acts on one noun, oldest first, and how far the log was read for them."""

    organization: Organization
    noun: str
    read_to: int = 0
    in_flight: list[Entry] = field(default_factory=list)
    lost: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, organization: Organization, noun: str) -> Pending:
        """The open acts as they stand now, for one look outside a pull."""
        pending = cls(organization, noun)
        pending.refresh()
        return pending

    def refresh(self) -> None:
        """Read the log again if anything was written to it since: acts begin and end while a pull runs."""
        rows = Entry.objects.filter(organization=self.organization).order_by("-id")
        newest = rows.values_list("pk", flat=True).first() or 0
        if newest != self.read_to:
            self.read_to = newest
            self._read()

    def _read(self) -> None:
        now = timezone.now()
        started = Entry.objects.filter(
            organization=self.organization,
            about=None,
            outcome=Outcome.STARTED,
            target_type=self.noun,
            at__gte=now - FORGET,
        ).exclude(outcomes__outcome__in=[Outcome.OK, Outcome.FAILED])
        entries = list(started.prefetch_related("outcomes").order_by("id"))
        unanswered = {entry.pk for entry in entries if not entry.outcomes.all()}
        self.in_flight = [entry for entry in entries if entry.pk in unanswered and entry.at > now - IN_FLIGHT]
        flying = {entry.pk for entry in self.in_flight}
        self.lost = [entry for entry in entries if entry.pk not in flying]

    def is_in_flight(self, identity: str, values: Mapping[str, Any]) -> bool:
        """Whether an act that just began is about this object (or is about to create it)."""
        return any(_is_about(entry, identity, values) for entry in self.in_flight)

    def beside_in_flight(self, found: Difference) -> Difference | None:
        """What is left of a difference without what acts that just began may have done: the columns that they
        name, and the end of an object that they delete."""
        acts = [entry for entry in self.in_flight if entry.target_id == found.target.id]
        if found.verb == "update":
            return found.without(name for entry in acts for name in entry.after or ())
        return None if any(_explains(entry, found) for entry in acts) else found

    def explain(
        self, found: Difference, settled: Mapping[str, Entry]
    ) -> tuple[list[Entry], Difference | None]:
        """What of a difference we did ourselves, and what is left that we did not.

        Returns the unsaved ``ok`` of a lost act that explains it, and the rest (None: all is explained).
        ``settled`` are the newest entries of the objects (``settled_acts``).
        """
        for entry in self.lost:
            if _explains(entry, found):
                self.lost.remove(entry)
                return [_resolved(entry, found.target)], _rest(entry, found)
        last = settled.get(found.target.id)
        if last is not None and _explains(last, found):
            return [], _rest(last, found)
        return [], found


def _resolved(entry: Entry, target: Target) -> Entry:
    message = "The answer was lost; the next sync found that it took effect."
    return outcome_entry(entry, outcome=Outcome.OK, message=message, target=target)


def failed_creates(organization: Organization, noun: str, *, began: datetime) -> list[Entry]:
    """The unsaved ``failed`` of creates that left nobody knowing, long before a pull ``began`` that met all
    there is and took none of it for theirs.

    Not of those without any outcome: their object may be known, and only the outcome not be written.
    """
    acts = Entry.objects.filter(organization=organization, target_type=noun, target_id="")
    doubtful = acts.filter(
        about=None,
        at__gte=timezone.now() - FORGET,
        at__lt=began - IN_FLIGHT,
        pk__in=acts.filter(outcome=Outcome.UNKNOWN).values("about"),
    ).exclude(outcomes__outcome__in=[Outcome.OK, Outcome.FAILED])
    message = f"No sync found such a {noun}: it was not created, or was deleted before anybody saw it."
    return [outcome_entry(entry, outcome=Outcome.FAILED, message=message) for entry in doubtful]


def repeated_acts(act: Entry) -> list[Entry]:
    """The unsaved ``ok`` of older acts that wanted on the same object what ``act`` has now brought about, and
    of which nobody knows what came: their process died, and somebody did it again. Creates are no such acts,
    the second one makes a second object."""
    if not act.target_id:
        return []
    older = Entry.objects.filter(
        organization=act.organization_id,
        target_type=act.target_type,
        target_id=act.target_id,
        action=act.action,
        about=None,
        outcome=Outcome.STARTED,
        pk__lt=act.pk,
        at__gte=timezone.now() - FORGET,
    ).exclude(outcomes__outcome__in=[Outcome.OK, Outcome.FAILED])
    wanted = [entry for entry in older if _spelled(entry.after).items() <= _spelled(act.after).items()]
    message = "Its own answer was lost; the same was done again and took effect."
    return [outcome_entry(entry, outcome=Outcome.OK, message=message) for entry in wanted]


def settled_acts(organization: Organization, noun: str, identities: Iterable[str]) -> dict[str, Entry]:
    """The newest entry about each object, where that is an act of ours that took effect."""
    recent = Entry.objects.filter(
        organization=organization,
        target_type=noun,
        target_id__in=list(identities),
        at__gte=timezone.now() - FORGET,
    ).order_by("id")
    newest = {entry.target_id: entry for entry in recent}
    return {
        identity: entry
        for identity, entry in newest.items()
        if entry.outcome == Outcome.OK and entry.actor_kind != ActorKind.OUTSIDE
    }


# Which of our acts can be behind a difference: rotating creates, disabling updates.
_VERBS: Mapping[str, frozenset[str]] = {
    "create": frozenset({"create", "rotate"}),
    "update": frozenset({"update", "disable", "enable", "retire", "rekey"}),
    "delete": frozenset({"delete"}),
}


def _is_about(entry: Entry, identity: str, values: Mapping[str, Any]) -> bool:
    if entry.target_id:
        return entry.target_id == identity
    after: Mapping[str, Any] = entry.after or {}
    return "name" in after and after["name"] == values.get("name")


def _explains(entry: Entry, found: Difference) -> bool:
    if entry.action.rsplit(".", 1)[-1] not in _VERBS[found.verb]:
        return False
    if entry.target_id:
        # An object is created and deleted once: its identity says enough.
        is_it = entry.target_id == found.target.id
        return is_it and (found.verb != "update" or _matches(entry.after or {}, found.after or {}))
    return found.verb == "create" and _matches(entry.after or {}, found.after or {})


def _matches(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether every wanted value is what was found; values that only one side names do not count."""
    shared = [name for name in wanted if name in found]
    return bool(shared) and all(
        comparable(name, wanted[name]) == comparable(name, found[name]) for name in shared
    )


def _spelled(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: comparable(name, value) for name, value in (values or {}).items()}


def _rest(entry: Entry, found: Difference) -> Difference | None:
    """What the act does not account for: somebody else changed these columns of the same object."""
    return found.without(entry.after or {}) if found.verb == "update" else None

"""Reading the audit log: acts with what became of them, a page at a time or all of them in a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import ActorKind, Entry, Outcome

# Longer than any request may take: an act that has no outcome by then lost its process.
PATIENCE = timedelta(minutes=5)
STREAM_ROWS = 500


@dataclass(frozen=True)
class Act:
    """One act: the row that began it and the outcomes that followed, oldest first.

    An act that needed no answer from upstream has no outcomes: its first row says it all.
    """

    entry: Entry
    outcomes: tuple[Entry, ...] = ()

    @property
    def last(self) -> Entry:
        """The row that knows most: the newest outcome, or the entry itself."""
        return self.outcomes[-1] if self.outcomes else self.entry

    @property
    def outcome(self) -> str:
        """ok, failed, unknown, started (the answer may still come) or lost (no answer was recorded)."""
        found = self.last.outcome
        lost = found == Outcome.STARTED and self.entry.at < timezone.now() - PATIENCE
        return "lost" if lost else found

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.entry.at

    @property
    def before(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.entry.before
        return found

    @property
    def after(self) -> dict[str, Any] | None:
        """What it was changed to; what upstream made of it where that is known."""
        found: dict[str, Any] | None = self.last.after
        return found

    @property
    def target_id(self) -> str:
        """The object's identity upstream. A create learns it from its outcome."""
        return self.last.target_id or self.entry.target_id

    @property
    def target_name(self) -> str:
        return self.last.target_name or self.entry.target_name

    @property
    def message(self) -> str:
        return self.last.message

    @property
    def request_id(self) -> str:
        return self.last.upstream_request_id


@dataclass(frozen=True)
class ActFilters:
    """Which acts to show. Empty means not filtered.

    ``actor``: an ``ActorKind``, a user's number, or part of a name. ``action``: a verb or noun.verb.
    ``outcome``: as in ``Act.outcome``. ``since`` and ``until`` are days in UTC, both included.
    """

    actor: str = ""
    action: str = ""
    noun: str = ""
    target: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None


def acts_of(organization: Organization, filters: ActFilters | None = None) -> QuerySet[Entry]:
    """The first rows of the organization's acts that the filters let through, newest first."""
    found = Entry.objects.filter(organization=organization, about=None).order_by("-id")
    if filters is None:
        return found
    for condition in _conditions(organization, filters):
        found = found.filter(condition)
    return _with_outcome(found, filters.outcome)


def _conditions(organization: Organization, filters: ActFilters) -> Iterator[Q]:
    if filters.actor:
        yield _by_actor(filters.actor)
    if filters.action:
        exact = "." in filters.action
        yield Q(action=filters.action) if exact else Q(action__endswith=f".{filters.action}")
    if filters.noun:
        yield Q(target_type=filters.noun)
    if filters.target:
        yield _about_target(organization, filters.target)
    if filters.since:
        yield Q(at__gte=_midnight(filters.since))
    if filters.until:
        yield Q(at__lt=_midnight(filters.until) + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _by_actor(actor: str) -> Q:
    if actor in ActorKind.values:
        return Q(actor_kind=actor)
    if actor.isascii() and actor.isdigit():
        return Q(actor_id=int(actor[:18]))
    return Q(actor_name__icontains=actor)


def _about_target(organization: Organization, text: str) -> Q:
    # A created object's id is known to the outcome only, a new name to the outcome first.
    said_later = Entry.objects.filter(organization=organization).exclude(about=None)
    matches = Q(target_name__icontains=text) | Q(target_id__startswith=text)
    return matches | Q(pk__in=said_later.filter(matches).values("about_id"))


def _with_outcome(acts: QuerySet[Entry], outcome: str) -> QuerySet[Entry]:
    if not outcome:
        return acts
    answers = Entry.objects.filter(about=OuterRef("pk"))
    if outcome in {Outcome.STARTED, "lost"}:
        open_acts = acts.filter(~Exists(answers), outcome=Outcome.STARTED)
        deadline = timezone.now() - PATIENCE
        return open_acts.filter(at__lt=deadline) if outcome == "lost" else open_acts.filter(at__gte=deadline)
    newest = Subquery(answers.order_by("-id").values("outcome")[:1])
    return acts.annotate(came_to=Coalesce(newest, F("outcome"))).filter(came_to=outcome)


def with_outcomes(entries: Sequence[Entry]) -> list[Act]:
    """The acts that these rows began, in their order: one query for all their outcomes."""
    answers: dict[int, list[Entry]] = {}
    for answer in Entry.objects.filter(about__in=[entry.pk for entry in entries]).order_by("id"):
        answers.setdefault(answer.about_id or 0, []).append(answer)
    return [Act(entry, tuple(answers.get(entry.pk, ()))) for entry in entries]


def stream_acts(acts: QuerySet[Entry]) -> Iterator[Act]:
    """Every act of the query, newest first, a few hundred rows in memory at a time.

    Each piece begins where the last one ended, so entries written meanwhile neither shift nor repeat any.
    """
    rest = acts
    while piece := list(rest[:STREAM_ROWS]):
        yield from with_outcomes(piece)
        rest = acts.filter(pk__lt=piece[-1].pk)


def act_of(*, organization: Organization, entry_id: int) -> Act | None:
    """The act that a row belongs to, whether the row began it or is one of its outcomes."""
    row = Entry.objects.select_related("about").filter(organization=organization, pk=entry_id).first()
    return with_outcomes([row.about or row])[0] if row else None


def history_of(
    *,
    organization: Organization,
    target_types: Sequence[str],
    target_id: str,
    limit: int,
    also: Mapping[str, Collection[str]] | None = None,
) -> list[Act]:
    """The newest ``limit`` acts on one object, newest first: three queries. ``target_types`` are the nouns
    under which acts are about it; ``also`` names further ids by noun, where acts about the object bear
    another id than its own."""
    if not target_id:
        return []
    about = Q(target_type__in=target_types, target_id=target_id)
    for noun, ids in (also or {}).items():
        about |= Q(target_type=noun, target_id__in=list(ids))
    # Each act has at most a few rows, and any of them may be the one that knows the object's id.
    rows = Entry.objects.filter(about, organization=organization)
    heads = {about or pk for pk, about in rows.order_by("-id").values_list("pk", "about_id")[: limit * 4]}
    return with_outcomes(list(Entry.objects.filter(pk__in=heads).order_by("-id")[:limit]))


def people_who_acted(*, organization: Organization) -> list[User]:
    """Users named in the log, whether or not they still belong to the organization."""
    theirs = Entry.objects.filter(organization=organization, actor=OuterRef("pk"))
    return list(User.objects.filter(Exists(theirs)).order_by("first_name", "last_name", "email"))

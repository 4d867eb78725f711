"""Use from a file: our own export, or anybody's with its columns named.

A day has one source. What is held of a day from OpenRouter stays: rows that agree with it are there already,
and a day of which one row disagrees is refused whole. Days that nothing is held of, and days of an earlier
import, become what the file says, each in one transaction; so a file that comes twice changes nothing, and
one that was cut off anywhere can simply be read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby

from django.db import transaction

from orgadmin.accounts.models import Organization
from orgadmin.audit.services import Target, note
from orgadmin.usage.clock import ACTIVITY_DAYS, today
from orgadmin.usage.counts import Counts, added_up, whole_counts
from orgadmin.usage.importrows import FileRow, Parts, Resolver
from orgadmin.usage.models import MEASURES, DaySum, HistoryPart, Source, UsageDay
from orgadmin.usage.store import NATURAL, Fact, Scope, replace_facts

# Lines of a refused day that are listed.
LISTED = 5

Natural = tuple[int, ...]


@dataclass(frozen=True)
class Refusal:
    """A day that was left as it is, and why; ``lines`` are some of the file's that disagree."""

    day: date
    why: str
    lines: tuple[int, ...] = ()


@dataclass
class Imported:
    """What came of a file. Rows are counted; ``unknown`` says of what kinds of names how many rows had one
    that nobody here knows."""

    rows: int = 0
    written: int = 0
    already: int = 0
    days: list[date] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


def usage_import(
    *, organization: Organization, rows: Iterable[FileRow], name: str, is_dry: bool = False
) -> Imported:
    """Take over the days of a file, whose rows come day by day. ``is_dry`` writes nothing and tells what
    would be done."""
    done = Imported()
    resolver = Resolver(organization)
    for day, of_day in groupby(rows, key=lambda row: row.day):
        _Day(organization, day, list(of_day), resolver, done, is_dry).take()
    done.unknown = resolver.unknown
    if done.written and not is_dry:
        note(
            actor=None,
            organization=organization,
            action="day.import",
            target=Target(type="day", id=done.days[0].isoformat(), name=name[:300]),
            after={
                "rows": done.written,
                "first_day": min(done.days).isoformat(),
                "last_day": max(done.days).isoformat(),
            },
        )
    return done


@dataclass
class _Day:
    organization: Organization
    day: date
    rows: list[FileRow]
    resolver: Resolver
    done: Imported
    is_dry: bool

    def take(self) -> None:
        self.done.rows += len(self.rows)
        if why := self._why_not():
            self.done.refused.append(Refusal(self.day, why, tuple(row.line for row in self.rows[:LISTED])))
            return
        facts, lines = self._facts()
        with transaction.atomic():
            source = self._source()
            if source in (Source.ACTIVITY, Source.ANALYTICS):
                self._compare(source, facts, lines)
                return
            if source == Source.IMPORT and self._held() == facts:
                self.done.already += len(self.rows)
                return
            if not self.is_dry:
                self._write(facts)
        self.done.written += len(self.rows)
        self.done.days.append(self.day)

    def _source(self) -> str:
        row = DaySum.objects.select_for_update().filter(organization=self.organization, day=self.day).first()
        return row.source if row else Source.NONE

    def _why_not(self) -> str:
        """Why nobody may write the day now; "" when somebody may."""
        if self.day >= today():
            return "the day is not over"
        if DaySum.objects.filter(organization=self.organization, day=self.day).exclude(source="").exists():
            return ""
        if self.day >= today() - timedelta(days=ACTIVITY_DAYS) and self.organization.is_connected:
            return "OpenRouter's activity still tells of it: sync it instead"
        being_fetched = HistoryPart.objects.filter(
            organization=self.organization, done_at=None, since__lte=self.day, until__gte=self.day
        )
        if being_fetched.exists():
            return "its history is being fetched from OpenRouter"
        return ""

    def _facts(self) -> tuple[dict[Natural, Counts], dict[Natural, list[int]]]:
        """The day as the file has it, by natural key, and the lines each came from."""
        lines: dict[Natural, list[int]] = {}
        pairs: list[tuple[Natural, Counts]] = []
        for row, parts in zip(self.rows, self.resolver.parts(self.rows, adds=not self.is_dry), strict=True):
            natural = _natural(parts)
            lines.setdefault(natural, []).append(row.line)
            pairs.append((natural, row.counts))
        return {place: counts for place, counts in added_up(pairs).items() if any(counts)}, lines

    def _held(self) -> dict[Natural, Counts]:
        facts = UsageDay.objects.filter(organization_id=self.organization.pk, day=self.day).order_by()
        rows = facts.values_list(*NATURAL[1:], "provider_id", *MEASURES)
        width = len(NATURAL)
        return {row[:width]: whole_counts(row[width:]) for row in rows}

    def _compare(self, source: str, facts: dict[Natural, Counts], lines: dict[Natural, list[int]]) -> None:
        """Lay the file beside what OpenRouter told."""
        held = self._held()
        wrong = sorted(
            line for place in lines if held.get(place) != facts.get(place) for line in lines[place]
        )
        if not wrong:
            self.done.already += len(self.rows)
            return
        why = f"{len(wrong)} of {len(self.rows)} rows disagree with OpenRouter's {source}"
        self.done.refused.append(Refusal(self.day, why, tuple(wrong[:LISTED])))

    def _write(self, facts: dict[Natural, Counts]) -> None:
        here = UsageDay.objects.filter(organization_id=self.organization.pk, day=self.day).order_by()
        keys = {*here.values_list("key_id", flat=True).distinct(), *(place[0] for place in facts)}
        replace_facts(
            organization_id=self.organization.pk,
            scopes=[Scope(key_id, self.day, self.day) for key_id in keys],
            facts=_as_facts(self.day, facts),
        )
        # OpenRouter's own total of a day that it forgot is not known.
        DaySum.objects.update_or_create(
            organization=self.organization,
            day=self.day,
            defaults={"source": Source.IMPORT, "upstream": None, "upstream_requests": None},
        )


def _natural(parts: Parts) -> Natural:
    return (parts.key, parts.member, parts.workspace, parts.model, parts.endpoint, parts.provider)


def _as_facts(day: date, facts: dict[Natural, Counts]) -> Iterator[Fact]:
    for place, counts in facts.items():
        yield (day, *place, *counts)  # type: ignore[misc]

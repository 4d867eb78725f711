"""OpenRouter's total of each day beside the sum of our facts, and what explains a difference.

Explanations that the code knows are found when somebody looks: they are true of that moment and never go
stale. What a person wrote stands in the row of the day. A hint says where to look and explains nothing: keys
that add up to more than the total may as well be keys that were counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Min, QuerySet, Sum

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.services import Target, note
from orgadmin.audit.text import writable
from orgadmin.usage.clock import days_between, today
from orgadmin.usage.history import gap
from orgadmin.usage.models import DaySum, Dimension, Grain, HistoryPart, Source, UsageDay, UsageRollup

# Above this part of OpenRouter's total a difference wants an explanation.
ALLOWED = Decimal("0.001")
# Below this many dollars it is rounding.
ROUNDING = Decimal("0.000001")
LONGEST = 300

OPEN = "The day is still open."
NOT_PULLED = "OpenRouter's activity of this day has not been pulled yet."
FETCHING = "History is still being fetched."
KEYS_ABOVE = "The keys add up to more than OpenRouter's total of the organization."


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One day, money being credits and BYOK together. ``upstream`` is None where OpenRouter never told its
    total; ``explanation`` was written by a person, ``reason`` is what the code knows, ``hint`` where to
    look."""

    day: date
    source: str
    upstream: Decimal | None
    upstream_requests: int | None
    ours: Decimal
    requests: int
    explanation: str
    reason: str
    hint: str
    checked_at: datetime | None

    @property
    def difference(self) -> Decimal | None:
        """What we hold more (or, below zero, less) than OpenRouter."""
        return None if self.upstream is None else self.ours - self.upstream

    @property
    def share(self) -> Decimal | None:
        """The difference as part of OpenRouter's total; None without either."""
        return self.difference / abs(self.upstream) if self.difference is not None and self.upstream else None

    @property
    def differs(self) -> bool:
        """Whether there is a difference at all, in money or in requests."""
        if self.difference is None:
            return False
        return abs(self.difference) > ROUNDING or self.requests != self.upstream_requests

    @property
    def is_large(self) -> bool:
        if self.difference is None or self.upstream is None:
            return False
        return abs(self.difference) > max(ROUNDING, ALLOWED * abs(self.upstream))

    @property
    def is_flagged(self) -> bool:
        """Whether somebody should look: a large difference that nothing explains."""
        return self.is_large and not self.explanation and not self.reason


def reconciled(
    organization: Organization, since: date | None = None, until: date | None = None
) -> list[Reconciled]:
    """Every day from the first that anything is known of to today, or of the given ones; newest first.

    Two numbers a day and no facts, so that years take a handful of queries.
    """
    span = _span(organization, since, until)
    if span is None:
        return []
    sums = {row.day: row for row in DaySum.objects.filter(organization=organization, day__range=span)}
    totals = _totals(organization, span)
    reasons = _reasons(organization, span, sums)
    hints = dict.fromkeys(_above(organization, sums, totals), KEYS_ABOVE)
    found = []
    for day in reversed(days_between(*span)):
        row, (ours, requests) = sums.get(day), totals.get(day, (Decimal(0), 0))
        found.append(
            Reconciled(
                day=day,
                source=row.source if row else Source.NONE,
                upstream=row.upstream if row else None,
                upstream_requests=row.upstream_requests if row else None,
                ours=ours,
                requests=requests,
                explanation=row.explanation if row else "",
                reason=reasons.get(day, ""),
                hint=hints.get(day, ""),
                checked_at=row.checked_at if row else None,
            )
        )
    return found


def _span(organization: Organization, since: date | None, until: date | None) -> tuple[date, date] | None:
    known = DaySum.objects.filter(organization=organization).aggregate(first=Min("day"), last=Max("day"))
    rolled = _days(organization).aggregate(first=Min("start"), last=Max("start"))
    firsts = [day for day in (known["first"], rolled["first"]) if day is not None]
    lasts = [day for day in (known["last"], rolled["last"]) if day is not None]
    if not firsts:
        return None
    first, last = max(min(firsts), since or date.min), min(max(today(), *lasts), until or date.max)
    return (first, last) if first <= last else None


def _days(organization: Organization) -> QuerySet[UsageRollup]:
    return UsageRollup.objects.filter(
        organization_id=organization.pk, dimension=Dimension.TOTAL, grain=Grain.DAY
    )


def _totals(organization: Organization, span: tuple[date, date]) -> dict[date, tuple[Decimal, int]]:
    rows = _days(organization).filter(start__range=span)
    return {
        day: (usage + byok_usage, requests)
        for day, usage, byok_usage, requests in rows.values_list("start", "usage", "byok_usage", "requests")
    }


# --- what the code knows ---------------------------------------------------------------------------


def _reasons(
    organization: Organization, span: tuple[date, date], sums: Mapping[date, DaySum]
) -> dict[date, str]:
    reasons: dict[date, str] = {}
    for since, until in _being_fetched(organization):
        reasons |= dict.fromkeys(days_between(max(since, span[0]), min(until, span[1])), FETCHING)
    for day in days_between(*span):
        if day >= today():
            reasons[day] = OPEN
        elif day not in sums and day not in reasons:
            reasons[day] = NOT_PULLED
    return reasons


def _being_fetched(organization: Organization) -> list[tuple[date, date]]:
    parts = HistoryPart.objects.filter(organization=organization, done_at=None)
    open_parts = parts.aggregate(first=Min("since"), last=Max("until"))
    spans = [(open_parts["first"], open_parts["last"]), gap(organization) or (None, None)]
    return [(since, until) for since, until in spans if since is not None and until is not None]


def _above(
    organization: Organization,
    sums: Mapping[date, DaySum],
    totals: Mapping[date, tuple[Decimal, int]],
) -> list[date]:
    """The days on which we hold more than OpenRouter's total, and the keys alone add up to more."""
    more = {
        day: row.upstream
        for day, row in sums.items()
        if row.upstream is not None and totals.get(day, (Decimal(0), 0))[0] > row.upstream + ROUNDING
    }
    if not more:
        return []
    facts = UsageDay.objects.filter(organization_id=organization.pk, day__in=more, key_id__gt=0).order_by()
    by_keys = facts.values_list("day").annotate(Sum("usage"), Sum("byok_usage"))
    return [day for day, usage, byok_usage in by_keys if usage + byok_usage > more[day] + ROUNDING]


# --- what a person knows ---------------------------------------------------------------------------


class NoSuchDay(Exception):
    """Nothing is known of the day, so there is nothing to explain."""


def day_explain(*, actor: User, organization: Organization, day: date, explanation: str) -> bool:
    """Write down why a day differs; an empty text takes the explanation back. False: it said so already.
    Raises NoSuchDay."""
    text = writable(explanation).strip()[:LONGEST]
    with transaction.atomic():
        row = DaySum.objects.select_for_update().filter(organization=organization, day=day).first()
        if row is None:
            raise NoSuchDay
        if row.explanation == text:
            return False
        note(
            actor=actor,
            organization=organization,
            action="day.explain",
            target=Target(type="day", id=day.isoformat(), name=day.isoformat()),
            before={"explanation": row.explanation},
            after={"explanation": text},
        )
        row.explanation = text
        row.save(update_fields=["explanation"])
    return True

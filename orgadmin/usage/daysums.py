"""Writing down what OpenRouter's own total of a day is, and where the facts of the day come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.usage.counts import NOTHING, Counts, added_up
from orgadmin.usage.models import DaySum, Source


def note_days(
    organization: Organization, source: Source, days: Iterable[date], counts: Iterable[tuple[date, Counts]]
) -> None:
    """The total of each day; a day without any is a day of nothing. What a person wrote of it stays."""
    totals: Mapping[date, Counts] = added_up(counts)
    now = timezone.now()
    DaySum.objects.bulk_create(
        [
            DaySum(
                organization=organization,
                day=day,
                source=source,
                upstream=Decimal(sum(totals.get(day, NOTHING)[-2:])).scaleb(-9),
                upstream_requests=totals.get(day, NOTHING)[0],
                checked_at=now,
            )
            for day in days
        ],
        update_conflicts=True,
        unique_fields=["organization", "day"],
        update_fields=["source", "upstream", "upstream_requests", "checked_at"],
    )

"""Days as OpenRouter counts them: in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

# GET /activity has the last 30 completed days (FACTS 2.8), analytics a year (FACTS 2.9).
ACTIVITY_DAYS = 30
HISTORY_DAYS = 365
# For this long after midnight the day before may not be complete upstream, or not know yet that it is over.
SETTLING = timedelta(minutes=10)


def today(now: datetime | None = None) -> date:
    return (now or timezone.now()).astimezone(UTC).date()


def last_complete_day(now: datetime | None = None) -> date:
    """The newest day whose activity can be taken for complete."""
    return today((now or timezone.now()) - SETTLING) - timedelta(days=1)


def activity_window(now: datetime | None = None) -> tuple[date, date]:
    """First and last day that activity answers for and that is complete, be either clock a little ahead."""
    at = now or timezone.now()
    return today(at + SETTLING) - timedelta(days=ACTIVITY_DAYS), last_complete_day(at)


def midnight(day: date) -> datetime:
    """The moment the day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days_between(since: date, until: date) -> list[date]:
    """Both included; none when they are the other way round."""
    return [date.fromordinal(number) for number in range(since.toordinal(), until.toordinal() + 1)]

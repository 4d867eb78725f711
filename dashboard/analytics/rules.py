"""What FACTS 2.9 says of analytics and ``/analytics/meta`` does not: how long is kept, what may be summed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.analytics.question import CUSTOM, Question, moment

YEAR, MONTH, BY_MINUTE = timedelta(days=365), timedelta(days=31), timedelta(hours=3)
MONTH_METRICS = frozenset(
    [
        "guardrail_invoked_count",
        "response_cached_count",
        "openrouter_usage",
        "byok_fees",
        "usage_file",
        "usage_upstream_file",
        "usage_web_fetch",
        "usage_upstream_web_fetch",
        "guardrail_invoked_rate",
        "response_cached_rate",
    ]
)
MONTH_DIMENSIONS = frozenset(
    [
        "generation_id",
        "provider",
        "origin",
        "country",
        "finish_reason",
        "external_user",
        "context_length_bucket",
    ]
)


def is_short(name: str) -> bool:
    """Whether a metric or dimension is kept for 31 days only."""
    is_timing = name.endswith(("_latency", "_throughput"))
    return name in MONTH_METRICS or name in MONTH_DIMENSIONS or is_timing


@dataclass(frozen=True)
class Allowance:
    """The longest range a question may have, and in words why it is less than a year."""

    most: timedelta
    why: str = ""


def allowance(question: Question, labels: Mapping[str, str]) -> Allowance:
    """``labels`` are what metrics and dimensions are called."""
    if question.granularity == "minute":
        return Allowance(BY_MINUTE, "OpenRouter answers by the minute for at most 3 hours.")
    fields = (*question.metrics, *question.dimensions, *(one.field for one in question.asked))
    short = [labels.get(name, name) for name in dict.fromkeys(fields) if is_short(name)]
    if not short:
        return Allowance(YEAR)
    return Allowance(MONTH, f"OpenRouter keeps {_listed(short)} for 31 days only.")


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    if len(quoted) > 3:
        return f"{', '.join(quoted[:3])} and {len(quoted) - 3} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


@dataclass(frozen=True)
class Period:
    """A stretch of time in UTC: ``start`` is in it, ``end`` is not."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def period(question: Question, now: datetime) -> Period | None:
    """The range that was asked for, before anything shortens it; None when its dates make no sense."""
    now = now.astimezone(UTC).replace(microsecond=0)
    if question.range == CUSTOM:
        since, until = moment(question.since), moment(question.until)
        if since is None or until is None:
            return None
        # The last minute of the day means the whole of it.
        end = until + timedelta(minutes=1) if (until.hour, until.minute) == (23, 59) else until
        return Period(since, end) if since < end else None
    return _PRESETS[question.range](now)


def newest_part(asked: Period, most: timedelta, granularity: str) -> Period:
    """The newest part of a range that is allowed, begun at midnight unless its buckets are finer."""
    if asked.length <= most:
        return asked
    start = asked.end - most
    midnight = _midnight(start)
    if granularity not in ("minute", "hour") and start != midnight:
        start = midnight + timedelta(days=1)
    return Period(start, asked.end)


def length_of(name: str) -> timedelta:
    """How long a preset can get; a month has 31 days at most."""
    lengths = {
        "1h": timedelta(hours=1),
        "3h": BY_MINUTE,
        "24h": timedelta(days=1),
        "today": timedelta(days=1),
    }
    lengths |= {"7d": timedelta(days=7), "90d": timedelta(days=90), "12m": YEAR, CUSTOM: timedelta()}
    return lengths.get(name, MONTH)


def _midnight(when: datetime) -> datetime:
    return when.replace(hour=0, minute=0, second=0)


def _last_days(days: int) -> Callable[[datetime], Period]:
    return lambda now: Period(_midnight(now) - timedelta(days=days - 1), now)


def _last_hours(hours: int) -> Callable[[datetime], Period]:
    return lambda now: Period(now - timedelta(hours=hours), now)


def _this_month(now: datetime) -> Period:
    start = _midnight(now).replace(day=1)
    return Period(start, now)


def _last_month(now: datetime) -> Period:
    end = _midnight(now).replace(day=1)
    return Period((end - timedelta(days=1)).replace(day=1), end)


# A range that ends now begins a second earlier at the least: at midnight there is nothing of today yet.
def _begun(of: Callable[[datetime], Period]) -> Callable[[datetime], Period]:
    def made(now: datetime) -> Period:
        found = of(now)
        return found if found.start < found.end else Period(found.start, found.start + timedelta(seconds=1))

    return made


_PRESETS: Mapping[str, Callable[[datetime], Period]] = {
    "1h": _last_hours(1),
    "3h": _last_hours(3),
    "24h": _last_hours(24),
    "today": _begun(lambda now: Period(_midnight(now), now)),
    "7d": _last_days(7),
    "31d": _last_days(31),
    "month": _begun(_this_month),
    "last-month": _last_month,
    "90d": _last_days(90),
    "12m": _last_days(365),
}

"""What a spend page is asked for: everything of it stands in the URL, in names that outlive a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

from django.http import QueryDict

from orgadmin.usage.models import Dimension, month_of
from orgadmin.usage.spans import DAY, Span, months_before, next_month

RANGES: Mapping[str, str] = {
    "today": "Today",
    "7d": "7 d",
    "30d": "30 d",
    "90d": "90 d",
    "month": "This month",
    "last-month": "Last month",
    "12m": "12 m",
    "all": "All",
}
GROUPS: Mapping[str, Dimension] = {
    "model": Dimension.MODEL,
    "provider": Dimension.PROVIDER,
    "key": Dimension.KEY,
    "member": Dimension.MEMBER,
    "workspace": Dimension.WORKSPACE,
}
MEASURES: Mapping[str, str] = {
    "total": "Spend, BYOK included",
    "usage": "Spend from credits",
    "byok_usage": "BYOK spend",
    "requests": "Requests",
    "tokens": "Tokens",
    "prompt_tokens": "Prompt tokens",
    "completion_tokens": "Completion tokens",
    "reasoning_tokens": "Reasoning tokens",
    "per_million": "Cost per million tokens",
}
# Sums of money, and what is written as money.
AMOUNTS = frozenset({"total", "usage", "byok_usage"})
MONEY = AMOUNTS | {"per_million"}
GRAINS: Mapping[str, str] = {"day": "By day", "week": "By week", "month": "By month"}
# Above so many days a chart has weeks, and above so many months.
DAYS_BY_DAY, DAYS_BY_WEEK = 62, 240
LONGEST_NAME = 200
# So many parts of one dimension can be asked for together.
MOST_PARTS = 20
# OpenRouter began in 2023.
FIRST_YEAR = 2020


@dataclass(frozen=True)
class SpendFilters:
    """The range, the grouping and the measure; and for each dimension the parts that count, by name; none:
    all of them."""

    range: str = "30d"
    since: str = ""
    until: str = ""
    group: str = "model"
    measure: str = "total"
    grain: str = ""
    model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    workspace: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> SpendFilters:
        """Read a query string. What makes no sense is dropped: an old link still opens a page."""
        text = {
            field.name: _clean(query.get(field.name, "")) for field in fields(cls) if field.name not in GROUPS
        }
        since, until = day_of(text["since"]), day_of(text["until"])
        if since and until and since > until:
            since, until = until, since
        return cls(
            range="custom" if since and until else text["range"] if text["range"] in RANGES else "30d",
            # One of the two alone is kept: the other is still to come.
            since=since.isoformat() if since else "",
            until=until.isoformat() if until else "",
            group=text["group"] if text["group"] in GROUPS else "model",
            measure=text["measure"] if text["measure"] in MEASURES else "total",
            grain=text["grain"] if text["grain"] in GRAINS else "",
            **{name: _parts(query.getlist(name)) for name in GROUPS},
        )

    @property
    def dimension(self) -> Dimension:
        return GROUPS[self.group]

    @property
    def filtered(self) -> dict[str, tuple[str, ...]]:
        """The names of the parts that are filtered by, by dimension."""
        return {name: getattr(self, name) for name in GROUPS if getattr(self, name)}

    def span(self, today: date, first: date | None) -> Span:
        """The days meant, today included where the range reaches it. ``first`` is the oldest day there is."""
        yesterday = today - DAY
        if self.range == "custom":
            return Span(date.fromisoformat(self.since), min(date.fromisoformat(self.until), today))
        if self.range == "today":
            return Span(today, today)
        if self.range == "month":
            return Span(month_of(today), today)
        if self.range == "last-month":
            last = month_of(today) - DAY
            return Span(month_of(last), last)
        if self.range == "12m":
            return Span(months_before(today, 11), today)
        if self.range == "all":
            return Span(min(first or yesterday, yesterday), today)
        return Span(today - timedelta(days=int(self.range.removesuffix("d")) - 1), today)

    def compared(self, span: Span) -> tuple[Span, Span]:
        """The complete days of this range that are held against others, and those: the same days of the month
        before, as far as that had as many, or as many days just before."""
        if self.range not in ("month", "last-month") or not span.days:
            return span, span.before
        last = month_of(span.since) - DAY
        if span.until + DAY == next_month(span.since):
            return span, Span(month_of(last), last)
        day = min(span.until.day, last.day)
        return Span(span.since, span.since.replace(day=day)), Span(month_of(last), last.replace(day=day))

    def bucket(self, span: Span) -> str:
        """The chosen width of the bars, unless it would make too many of them."""
        widest = "day" if span.days <= DAYS_BY_DAY else "week" if span.days <= DAYS_BY_WEEK else "month"
        order = list(GRAINS)
        return self.grain if self.grain and order.index(self.grain) >= order.index(widest) - 1 else widest

    def query(self, **changes: str | tuple[str, ...]) -> str:
        """The query string with some of it changed; defaults are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)} | changes
        defaults = SpendFilters()
        kept = {
            name: value
            for name, value in values.items()
            if value and value != getattr(defaults, name) and not (name == "range" and value == "custom")
        }
        return urlencode(kept, doseq=True)

    def of_a_month(self) -> SpendFilters:
        """The same parts over 30 days, by model."""
        return replace(self, range="30d", since="", until="", group="model", measure="total", grain="")

    def pairs(self) -> list[tuple[str, str]]:
        """The query string as pairs, for a form to carry along."""
        return parse_qsl(self.query())

    def with_part(self, name: str, part: str) -> str:
        """The query string with one more part of the dimension ``name``."""
        return self.query(**{name: (*getattr(self, name), part)})

    def without_part(self, name: str, part: str) -> str:
        """The query string with one part of the dimension ``name`` less."""
        return self.query(**{name: tuple(one for one in getattr(self, name) if one != part)})


def _clean(text: str) -> str:
    return text.strip()[:LONGEST_NAME].replace("\x00", "")


def _parts(texts: list[str]) -> tuple[str, ...]:
    """Each once, in the order they came."""
    cleaned = (_clean(text) for text in texts)
    return tuple(dict.fromkeys(text for text in cleaned if text))[:MOST_PARTS]


def day_of(text: str) -> date | None:
    """A day as an address spells it; None for one before anything that can be asked for, because a year is
    typed digit by digit."""
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day and day.year >= FIRST_YEAR else None

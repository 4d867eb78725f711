"""What the daily record is asked for: everything of it stands in the URL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.spend.filters import day_of
from orgadmin.usage.spans import Span, months_before

RANGES: Mapping[str, str] = {"30d": "30 d", "90d": "90 d", "12m": "12 m", "all": "All"}
USUAL, CUSTOM = "30d", "custom"


@dataclass(frozen=True)
class DailyFilters:
    """The dimension ("": everything together), the metric by OpenRouter's name, and the range."""

    by: str = ""
    metric: str = ""
    range: str = USUAL
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, query: QueryDict, recorded: Mapping[str, Collection[str]]) -> DailyFilters:
        """Read a query string. ``recorded`` are the names of metrics by dimension: what is not among them is
        dropped, as is whatever makes no sense. An old link still opens a page."""
        by, metric, chosen = (query.get(name, "") for name in ("by", "metric", "range"))
        if by not in recorded:
            by = next(iter(recorded), "")
        metrics = recorded.get(by, ())
        since, until = (day_of(query.get(name, "").strip()) for name in ("since", "until"))
        if since and until and since > until:
            since, until = until, since
        return cls(
            by=by,
            metric=metric if metric in metrics else next(iter(metrics), ""),
            range=CUSTOM if since and until else chosen if chosen in RANGES else USUAL,
            # One of the two alone is kept: the other is still to come.
            since=since.isoformat() if since else "",
            until=until.isoformat() if until else "",
        )

    def span(self, first: date, newest: date) -> Span:
        """The days meant, as far as they can have a record: from the first there is to the newest there
        might be. Empty where these days are others."""
        asked = self._asked(first, newest)
        return Span(max(asked.since, first), min(asked.until, newest))

    def _asked(self, first: date, newest: date) -> Span:
        if self.range == CUSTOM:
            return Span(date.fromisoformat(self.since), date.fromisoformat(self.until))
        if self.range == "12m":
            return Span(months_before(newest, 11), newest)
        if self.range == "all":
            return Span(first, newest)
        return Span(newest - timedelta(days=int(self.range.removesuffix("d")) - 1), newest)

    def query(self, **changes: str) -> str:
        """The query string with some of it changed; what is usual is left out."""
        values = asdict(self) | changes
        return urlencode(
            {name: value for name, value in values.items() if value and value not in (USUAL, CUSTOM)}
        )

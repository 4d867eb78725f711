"""Which keys a list shows, and in which order: everything of it stands in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

STATES: Mapping[str, str] = {
    "active": "Active",
    "disabled": "Disabled",
    "expired": "Expired",
    "exhausted": "Limit reached",
    "gone": "Deleted",
}
LIMITS: Mapping[str, str] = {"with": "With a limit", "without": "Without a limit"}
GUARDRAILS: Mapping[str, str] = {"without": "No guardrail applies", "with": "A guardrail applies"}
EXPIRES: Mapping[str, str] = {"1": "1 day", "7": "7 days", "30": "30 days", "90": "90 days"}
IDLE: Mapping[str, str] = {"7": "7 days", "30": "30 days", "90": "90 days", "180": "180 days"}
# What a column is called in the URL; the order they are offered in.
SORTS = ("name", "workspace", "owner", "state", "today", "month", "limit", "used", "expires", "created")
NO_OWNER = "none"
MOST_DAYS = 3650
FIELDS = ("q", "workspace", "state", "owner", "limit", "guardrail", "expires", "idle", "sort")


@dataclass(frozen=True)
class KeyFilters:
    """The filters of a key list. Empty means not filtered; ``expires`` and ``idle`` are whole days.

    What makes no sense is dropped, for an old link still opens a list, and told in ``problems``, one sentence
    each.
    """

    q: str = ""
    workspace: str = ""
    state: str = ""
    owner: str = ""
    limit: str = ""
    guardrail: str = ""
    expires: str = ""
    idle: str = ""
    sort: str = "name"
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> KeyFilters:
        """Read a query string."""
        text = {name: query.get(name, "").strip()[:200].replace("\x00", "") for name in FIELDS}
        known = {
            "state": text["state"] if text["state"] in STATES else "",
            "limit": text["limit"] if text["limit"] in LIMITS else "",
            "guardrail": text["guardrail"] if text["guardrail"] in GUARDRAILS else "",
            "expires": _days(text["expires"]),
            "idle": _days(text["idle"]),
        }
        return cls(
            **known,
            problems=tuple(
                f"This link filters by something unknown, which is left out: {name}={text[name][:60]}."
                for name in known
                if text[name] and not known[name]
            ),
            q=text["q"],
            workspace=text["workspace"][:100],
            owner=text["owner"][:100],
            sort=text["sort"] if text["sort"].removeprefix("-") in SORTS else "name",
        )

    @property
    def is_empty(self) -> bool:
        return replace(self, sort="name") == KeyFilters()

    @property
    def is_search(self) -> bool:
        """Whether nothing but words were asked for."""
        return self == KeyFilters(q=self.q, sort=self.sort)

    @property
    def folded(self) -> bool:
        """Whether one of the filters behind "More filters" is set, so that they start open."""
        return bool(self.limit or self.guardrail or self.expires or self.idle)

    def query(self) -> str:
        """The query string of these filters."""
        values = {name: getattr(self, name) for name in FIELDS}
        default = {"sort": "name"}
        kept = {name: value for name, value in values.items() if value and value != default.get(name)}
        return urlencode(kept)


def _days(text: str) -> str:
    valid = text.isascii() and text.isdigit() and 0 < int(text[:5]) <= MOST_DAYS and len(text) <= 4
    return str(int(text)) if valid else ""

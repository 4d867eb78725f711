"""Which models a list shows, and in which order: everything of it stands in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

STATES: Mapping[str, str] = {
    "expiring": "Has an end",
    "new": "New in 30 days",
    "gone": "No longer offered",
}
PRICES: Mapping[str, str] = {"free": "Free", "paid": "Paid", "varies": "Price varies"}
ZDR: Mapping[str, str] = {
    "some": "At one provider or more",
    "all": "At every provider",
    "none": "At none",
    "unknown": "Not known",
}
USED: Mapping[str, str] = {"yes": "Used here in 30 days", "no": "Not used here"}
SORTS = ("name", "context", "prompt", "completion", "providers", "created", "spend", "ends")
FIELDS = ("q", "provider", "takes", "gives", "zdr", "price", "used", "guardrail", "state", "sort")
_CHOICES = {"zdr": ZDR, "price": PRICES, "used": USED, "state": STATES}


@dataclass(frozen=True)
class ModelFilters:
    """Empty means not filtered. ``takes`` and ``gives`` are modalities, ``provider`` a slug, ``guardrail``
    the id of one that must not refuse the model. What makes no sense is dropped: an old link still opens a
    list."""

    q: str = ""
    provider: str = ""
    takes: str = ""
    gives: str = ""
    zdr: str = ""
    price: str = ""
    used: str = ""
    guardrail: str = ""
    state: str = ""
    sort: str = "name"

    @classmethod
    def of(cls, query: QueryDict, *, reads_all: bool) -> ModelFilters:
        """Read a query string. Who does not read everything learns nothing of use and guardrails."""
        text = {name: query.get(name, "").strip()[:200].replace("\x00", "") for name in FIELDS}
        for name, choices in _CHOICES.items():
            if text[name] not in choices:
                text[name] = ""
        column = text["sort"].removeprefix("-")
        if column not in SORTS or (column == "spend" and not reads_all):
            text["sort"] = "name"
        if not reads_all:
            text["used"] = text["guardrail"] = ""
        return cls(**text)

    @property
    def is_empty(self) -> bool:
        return replace(self, sort="name") == ModelFilters()

    def query(self) -> str:
        """The query string of these filters."""
        values = {name: getattr(self, name) for name in FIELDS}
        return urlencode(
            {name: value for name, value in values.items() if value and (name, value) != ("sort", "name")}
        )

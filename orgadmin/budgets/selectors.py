"""The table of limits: filtered, in the order of how near they are to their end, fifty at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from orgadmin.accounts.models import Organization
from orgadmin.budgets.limits import GUARDRAIL, KEY, KINDS, WORKSPACE, Everything, Limit, day_words, outlook_of
from orgadmin.budgets.pace import Fate, Outlook
from orgadmin.inventory.money import to_dollars
from orgadmin.inventory.windows import next_reset

STATES = ("over", "near", "pace", "fine", "unknown")
INTERVALS = ("daily", "weekly", "monthly", "never")
NEAR = 0.8
LONGEST = 200


@dataclass(frozen=True)
class BudgetFilters:
    """What the table is asked for. What makes no sense is as if it was not there."""

    q: str = ""
    kind: str = ""
    state: str = ""
    interval: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> BudgetFilters:
        def one_of(name: str, words: Sequence[str]) -> str:
            return query.get(name, "") if query.get(name, "") in words else ""

        return cls(
            q=query.get("q", "").strip().replace("\x00", "")[:LONGEST],
            kind=one_of("kind", KINDS),
            state=one_of("state", STATES),
            interval=one_of("interval", INTERVALS),
        )

    @property
    def is_empty(self) -> bool:
        return self == BudgetFilters()

    def query(self) -> str:
        found = QueryDict(mutable=True)
        found.update({name: value for name, value in vars(self).items() if value})
        return found.urlencode()


@dataclass(frozen=True)
class Row:
    """A limit as the page shows it: whose, with links; amounts in US dollars."""

    limit: Limit
    subjects: list[tuple[str, str]]
    amount: Decimal
    used: Decimal | None
    resets_at: datetime | None
    outlook: Outlook
    # Where it is raised; "" where nobody can.
    raise_url: str

    @property
    def left(self) -> Decimal | None:
        return None if self.used is None else self.amount - self.used

    @property
    def words(self) -> str:
        """When it will be exceeded."""
        day = self.outlook.day
        return {
            Fate.OVER: "used up",
            Fate.EXCEEDED: f"on {day_words(day)}" if day else "",
            Fate.FITS: "not before it resets" if self.resets_at else "not within a year",
            Fate.EARLY: "too early to tell",
            Fate.UNKNOWN: "not known",
        }[self.outlook.fate]


def matching(everything: Everything, filters: BudgetFilters) -> list[Limit]:
    """The limits that the filters let through, those nearest to their end first, unknown ones last."""
    words = filters.q.casefold().split()[:8]
    found = [
        row
        for row in everything.limits()
        if (not filters.kind or row.kind == filters.kind)
        and (not filters.interval or _interval_of(row) == filters.interval)
        and (not filters.state or _is_in_state(row, filters.state, everything.now))
        and (not words or all(word in everything.names_of(row) for word in words))
    ]
    found.sort(key=lambda row: (-row.share, row.kind, row.key, row.member, row.workspace, row.guardrail))
    return found


def _interval_of(row: Limit) -> str:
    return row.interval if row.interval in ("daily", "weekly", "monthly") else "never"


def _is_in_state(row: Limit, state: str, now: datetime) -> bool:
    if state == "over":
        return row.share >= 1
    if state == "near":
        return row.share >= NEAR
    if state == "unknown":
        return row.used is None
    fate = outlook_of(row, now).fate
    is_on_pace = fate in (Fate.OVER, Fate.EXCEEDED)
    return is_on_pace if state == "pace" else row.used is not None and not is_on_pace and row.share < NEAR


def shown(everything: Everything, rows: Sequence[Limit]) -> list[Row]:
    """These limits with names, links and what will become of them."""
    return [_row(everything, row) for row in rows]


def _row(everything: Everything, row: Limit) -> Row:
    at = {"organization": everything.organization.slug}
    return Row(
        limit=row,
        subjects=list(_subjects(everything, row, at)),
        amount=to_dollars(row.limit),
        used=None if row.used is None else to_dollars(row.used),
        resets_at=next_reset(row.interval, everything.now),
        outlook=outlook_of(row, everything.now),
        raise_url=_raise_url(everything, row, at),
    )


def _subjects(everything: Everything, row: Limit, at: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and page of whom it limits, then of what says so."""
    if row.key:
        _, key_hash, name, *_ = everything.keys[row.key]
        yield name, reverse("keys:detail", kwargs={**at, "key_hash": key_hash})
    if row.member:
        uid, name = everything.members[row.member]
        yield name, reverse("members:detail", kwargs={**at, "member_uid": uid})
    if row.workspace and row.kind == WORKSPACE:
        _, uid, name, *_ = everything.workspaces[row.workspace]
        yield name, reverse("workspaces:detail", kwargs={**at, "workspace_uid": uid})
    if row.guardrail:
        name = everything.guardrails[row.guardrail][1]
        if row.workspace:
            name = f"default of {everything.workspaces[row.workspace][2]}"
        yield name, reverse("guardrails:detail", kwargs={**at, "guardrail_uid": row.guardrail})


def _raise_url(everything: Everything, row: Limit, at: dict[str, Any]) -> str:
    if row.kind == KEY:
        key_hash = everything.keys[row.key][1]
        address = reverse("keys:raise-limit", kwargs={**at, "key_hash": key_hash})
    elif row.kind == GUARDRAIL:
        address = reverse("guardrails:raise-limit", kwargs={**at, "guardrail_uid": row.guardrail})
    else:
        uid = everything.workspaces[row.workspace][1]
        where = {**at, "workspace_uid": uid, "interval": row.interval}
        address = reverse("workspaces:raise-budget", kwargs=where)
    return f"{address}?back=budgets"


def near_the_end(organization: Organization, most: int) -> list[Row]:
    """The budgets of guardrails and workspaces that are nearest to their end, four fifths used or more."""
    everything = Everything.of(organization)
    near = [row for row in everything.limits() if row.kind != KEY and row.share >= NEAR]
    near.sort(key=lambda row: -row.share)
    return shown(everything, near[:most])

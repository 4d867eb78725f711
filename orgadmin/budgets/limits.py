"""Every limit of an organization: of keys, of guardrails for each key and member that holds one, of
workspaces.

Ten thousand keys make some twenty thousand limits, so they are plain tuples of whole nano-dollars until it is
known which fifty are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, F, OuterRef, Q, Subquery, Value
from django.db.models.expressions import ExpressionWrapper
from django.db.models.functions import JSONObject
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.budgets.pace import LEAST_ELAPSED, Outlook, for_ever, in_window
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    Member,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
    member_name,
)
from orgadmin.inventory.windows import next_reset
from orgadmin.inventory.workspace_models import INTERVALS
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import month_of
from orgadmin.usage.pools import LIFETIME, Pools, pools_of, windows

KEY, GUARDRAIL, WORKSPACE = "key", "guardrail", "workspace"
KINDS = (KEY, GUARDRAIL, WORKSPACE)
NANO = 10**9
# The counters of a key, two for each window: credits and BYOK.
_FIRST = {"daily": 0, "weekly": 2, "monthly": 4}
_COUNTERS = 2 * len(_FIRST)


class Limit(NamedTuple):
    """One limit in nano-dollars. ``used`` is None where nobody can tell. ``key``, ``member`` and
    ``workspace`` are primary keys (0: none), ``guardrail`` its id; ``a_day`` is the pace of a limit that
    never resets."""

    share: float
    kind: str
    limit: int
    used: int | None
    interval: str | None
    counts_byok: bool
    key: int = 0
    member: int = 0
    workspace: int = 0
    guardrail: str = ""
    is_at_least: bool = False
    a_day: float | None = None


def limit_of(kind: str, limit: int, used: int | None, interval: str | None, byok: bool, **of: Any) -> Limit:
    share = -1.0 if used is None else used / limit if limit > 0 else 1.0
    return Limit(share, kind, limit, used, interval, byok, **of)


def outlook_of(row: Limit, now: datetime) -> Outlook:
    """Its fate at the present pace: of a window evenly, of a limit without one as its subject spent this
    month so far."""
    ends = next_reset(row.interval, now)
    began = windows(today(now)).get(row.interval or "")
    if ends is None or began is None:
        return for_ever(row.limit, row.used, a_day=row.a_day, now=now)
    return in_window(row.limit, row.used, began=midnight(began), ends=ends, now=now)


@dataclass
class Everything:
    """What the limits are computed from: eight queries, whatever the size."""

    organization: Organization
    now: datetime = field(default_factory=timezone.now)
    keys: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    # Of keys that were deleted within a window: their owner, when, and what they had counted.
    deleted: list[tuple[Any, ...]] = field(default_factory=list)
    hashes: dict[str, int] = field(default_factory=dict)
    guardrails: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    held: list[tuple[str, str, str]] = field(default_factory=list)
    members: dict[int, tuple[str, str]] = field(default_factory=dict)
    workspaces: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    pools: Pools | None = None

    @classmethod
    def of(cls, organization: Organization) -> Everything:
        found = cls(organization)
        found._read()
        return found

    def _read(self) -> None:
        mine = {"organization": self.organization, "gone_at": None}
        nano = {name: _nano(column) for name, column in _KEY_MONEY.items()}
        earliest = midnight(min(windows(today(self.now)).values()))
        lived = Q(gone_at=None) | Q(gone_at__gte=earliest)
        keys = Key.objects.filter(lived, organization=self.organization).order_by()
        rows = keys.values_list(
            *("pk", "hash", "name", "limit_reset", "include_byok_in_limit", "owner_id", "workspace_id"),
            *nano.values(),
            "gone_at",
        )
        for row in rows.iterator(chunk_size=5000):
            if row[15] is None:
                self.keys[row[0]] = row
            elif row[5]:
                self.deleted.append(row)
        self.hashes = {row[1]: pk for pk, row in self.keys.items()}
        limited = Guardrail.objects.filter(**mine).exclude(limit_usd=None).order_by()
        self.guardrails = {
            row[0]: row
            for row in limited.values_list(
                "uid", "name", "reset_interval", "include_byok_in_budgets", _nano("limit_usd")
            )
        }
        of_keys = KeyAssignment.objects.filter(**mine).order_by()
        of_members = MemberAssignment.objects.filter(**mine).order_by()
        self.held = list(
            of_keys.values_list(Value("k"), "key_hash", "guardrail_uid").union(
                of_members.values_list(Value("m"), "user_id", "guardrail_uid"), all=True
            )
        )
        people = Member.objects.filter(organization=self.organization).order_by()
        self.members = {
            pk: (uid, member_name(uid, email, first, last))
            for pk, uid, email, first, last in people.values_list(
                "pk", "uid", "email", "first_name", "last_name"
            )
        }
        budgets = WorkspaceBudgets.objects.filter(workspace_uid=OuterRef("uid"), **mine)
        limits = budgets.values(limits=JSONObject(**{name: _nano(name) for name in INTERVALS}))[:1]
        places = Workspace.objects.filter(**mine).order_by().annotate(limits=Subquery(limits))
        self.workspaces = {
            row[0]: row
            for row in places.values_list(
                *("pk", "uid", "name", "default_guardrail_id", "include_byok_in_budgets", "created_at"),
                "limits",
            )
        }
        if any(row[6] for row in self.workspaces.values()):
            self.pools = pools_of(self.organization)

    # --- the limits ---

    def limits(self) -> Iterator[Limit]:
        yield from self._of_keys()
        yield from self._of_guardrails()
        yield from self._of_workspaces()

    def _is_counted_since(self, interval: str | None) -> bool:
        """Whether the keys were asked after the window began."""
        asked = self.organization.summary.get("asked_at")
        began = windows(today(self.now)).get(interval or "")
        if not asked or (began is None and interval):
            return False
        return began is None or datetime.fromisoformat(asked) >= midnight(began)

    def _of_keys(self) -> Iterator[Limit]:
        counted: dict[str | None, bool] = {None: self._is_counted_since(None)}
        counted.update(self._counted)
        days = _days_of_month(self.now)
        for pk, row in self.keys.items():
            interval, byok, limit, left = row[3], row[4], row[7], row[8]
            if limit is None:
                continue
            used = None if left is None or not counted.get(interval, False) else limit - left
            month = row[13] + (row[14] if byok else 0)
            a_day = month / days if days and interval is None and counted["monthly"] else None
            yield limit_of(KEY, limit, used, interval, byok, key=pk, a_day=a_day)

    def _of_guardrails(self) -> Iterator[Limit]:
        """Of each key and each member that holds one, never pooled (FACTS 3.5); the default guardrail of a
        workspace is held by every key and every owner in it."""
        by_member = self._by_member()
        numbers = {uid: pk for pk, (uid, _) in self.members.items()}
        for side, subject, uid in self.held:
            guardrail = self.guardrails.get(uid)
            if guardrail is None:
                continue
            if side == "k" and (pk := self.hashes.get(subject)):
                yield self._of_guardrail(guardrail, self.keys[pk][9:15], key=pk)
            elif side == "m" and (pk := numbers.get(subject)):
                yield self._of_guardrail(guardrail, by_member.get(pk, [0] * _COUNTERS), member=pk)
        yield from self._of_default_guardrails(by_member)

    def _by_member(self) -> dict[int, list[int]]:
        """What the keys of each member counted; a deleted one in the windows it still lived in."""
        starts = {at: midnight(windows(today(self.now))[name]) for name, at in _FIRST.items()}
        sums: dict[int, list[int]] = {}
        for row in (*self.keys.values(), *self.deleted):
            if not row[5]:
                continue
            mine = sums.setdefault(row[5], [0] * _COUNTERS)
            for at, start in starts.items():
                if row[15] is None or row[15] >= start:
                    mine[at] += row[9 + at]
                    mine[at + 1] += row[10 + at]
        return sums

    def _of_default_guardrails(self, by_member: Mapping[int, list[int]]) -> Iterator[Limit]:
        defaults = {
            pk: self.guardrails[row[3]] for pk, row in self.workspaces.items() if row[3] in self.guardrails
        }
        if not defaults:
            return
        seen: set[tuple[int, int]] = set()
        for pk, row in self.keys.items():
            guardrail = defaults.get(row[6])
            if guardrail is None:
                continue
            yield self._of_guardrail(guardrail, row[9:15], key=pk, workspace=row[6])
            if row[5] and (row[5], row[6]) not in seen:
                seen.add((row[5], row[6]))
                yield self._of_guardrail(guardrail, by_member[row[5]], member=row[5], workspace=row[6])

    def _of_guardrail(self, guardrail: tuple[Any, ...], counters: Any, **of: int) -> Limit:
        uid, _, interval, byok, limit = guardrail
        used = None
        if interval in _FIRST and self._counted.get(interval):
            at = _FIRST[interval]
            used = counters[at] + (counters[at + 1] if byok else 0)
        return limit_of(GUARDRAIL, limit, used, interval, bool(byok), guardrail=uid, **of)

    @cached_property
    def _counted(self) -> Mapping[str, bool]:
        return {window: self._is_counted_since(window) for window in _FIRST}

    def _of_workspaces(self) -> Iterator[Limit]:
        """Pooled; what is used is our estimate (``orgadmin.usage.pools``)."""
        pools, days = self.pools, _days_of_month(self.now)
        for pk, row in self.workspaces.items():
            _, _, _, _, byok, created_at, limits = row
            is_older = pools is None or created_at is None or created_at.date() < pools.first
            for interval, limit in (limits or {}).items():
                if limit is None:
                    continue
                used = a_day = None
                if pools is not None:
                    used = round(pools.of(pk, interval).counted(with_byok=bool(byok)) * NANO)
                    month = pools.of(pk, "monthly").counted(with_byok=bool(byok)) * NANO
                    a_day = float(month) / days if days else None
                yield limit_of(
                    WORKSPACE,
                    limit,
                    used,
                    interval,
                    bool(byok),
                    workspace=pk,
                    is_at_least=interval == LIFETIME and is_older,
                    a_day=a_day,
                )

    # --- names ---

    def names_of(self, row: Limit) -> str:
        """All that a search may hit."""
        parts = []
        if row.key:
            parts.append(self.keys[row.key][2])
        if row.member:
            parts.append(self.members[row.member][1])
        if row.guardrail:
            parts.append(self.guardrails[row.guardrail][1])
        if row.workspace:
            parts.append(self.workspaces[row.workspace][2])
        return " ".join(parts).casefold()


def _nano(column: str) -> Any:
    """Money as whole nano-dollars: decimals made one by one are slow."""
    return ExpressionWrapper(F(column), BigIntegerField())


_KEY_MONEY = {
    "limit": "limit",
    "left": "limit_remaining",
    **{
        f"{kind}_{window}": f"{'byok_' if kind == 'byok' else ''}usage_{window}"
        for window in ("daily", "weekly", "monthly")
        for kind in ("usage", "byok")
    },
}


def _days_of_month(now: datetime) -> float | None:
    """How many days of the month are past; None while they are too few to tell a pace by."""
    began, ends = midnight(month_of(today(now))), next_reset("monthly", now)
    assert ends is not None
    past, whole = now - began, ends - began
    return past.total_seconds() / 86400 if past >= LEAST_ELAPSED * whole else None


def day_words(day: date) -> str:
    """ "Thursday 27 Nov"."""
    return f"{day:%A} {day.day} {day:%b}"

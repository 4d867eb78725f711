"""What is spent through BYOK and through credits, and which limits do not see what goes through BYOK."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import BigIntegerField, Case, F, OuterRef, Q, Subquery, Sum, Value, When

from orgadmin.accounts.models import Organization
from orgadmin.byok.known import Known
from orgadmin.byok.selectors import last_days, spent_by_provider
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
)
from orgadmin.inventory.money import MoneyField
from orgadmin.inventory.windows import RESETS
from orgadmin.usage.amounts import NOTHING
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.pools import pools_of, windows
from orgadmin.usage.spans import Span

_NANO = BigIntegerField()
_WINDOWS = tuple(RESETS)


@dataclass(frozen=True)
class Side:
    """One provider in the last 30 complete days, in US dollars; ``working`` counts its enabled
    credentials, ``credentials`` all of them."""

    slug: str
    name: str
    credits: Decimal
    byok: Decimal
    credentials: int
    working: int

    @property
    def total(self) -> Decimal:
        return self.credits + self.byok


def side_by_side(known: Known) -> tuple[Span, list[Side]]:
    """Every provider that was used or has a credential, the most expensive first."""
    spent = spent_by_provider(known)
    have: dict[str, list[bool]] = {}
    for one in known.credentials:
        have.setdefault(one.provider, []).append(not one.disabled)
    sides = [
        Side(
            slug=slug,
            name=known.provider_name(slug) or "Provider not told",
            credits=spent.get(slug, NOTHING).usage,
            byok=spent.get(slug, NOTHING).byok_usage,
            credentials=len(have.get(slug, ())),
            working=sum(have.get(slug, ())),
        )
        for slug in {*spent, *have}
    ]
    return last_days(), sorted(sides, key=lambda side: (-side.total, side.name.casefold()))


@dataclass(frozen=True)
class Gap:
    """One limit that does not count BYOK. ``escaped``: US dollars through BYOK in its present window, None
    where nobody can tell. ``interval`` None is a cap for ever."""

    kind: str
    uid: str
    name: str
    limit: Decimal
    interval: str | None
    escaped: Decimal | None


@dataclass(frozen=True)
class Gaps:
    """All limits that do not count BYOK, those that most escapes first; ``shown`` the first of them."""

    shown: Sequence[Gap]
    number: int
    escaping: int

    @classmethod
    def of(cls, found: Iterable[Gap], most: int) -> Gaps:
        rows = sorted(found, key=lambda gap: (-(gap.escaped or 0), gap.name.casefold(), gap.uid))
        return cls(rows[:most], len(rows), sum(bool(gap.escaped) for gap in rows))


def _counted(organization: Organization) -> frozenset[str]:
    """The windows that have begun before the keys were asked last: what counters say of others is over."""
    asked = organization.summary.get("asked_at")
    if not asked:
        return frozenset()
    moment = datetime.fromisoformat(asked)
    return frozenset(name for name, day in windows(today()).items() if moment >= midnight(day))


def gaps_of_keys(organization: Organization, most: int) -> Gaps:
    """Two queries: the keys, those through which most escapes first, and how many there are. Of a window that
    the keys were not asked in yet nothing is known to escape."""
    counted = _counted(organization)
    spent = [
        When(limit_reset=window, then=F(f"byok_usage_{window}") if window in counted else Value(0))
        for window in _WINDOWS
    ]
    used = Case(*spent, default=F("byok_usage"), output_field=MoneyField())
    keys = Key.objects.filter(
        organization=organization, gone_at=None, include_byok_in_limit=False, limit__isnull=False
    )
    rows = keys.annotate(escaped=used).order_by("-escaped", "sort_name", "pk")[:most]
    counts = keys.annotate(escaped=used).aggregate(
        number=Sum(1, output_field=_NANO),
        escaping=Sum(Case(When(escaped__gt=0, then=1), default=0), output_field=_NANO),
    )
    shown = [
        Gap(
            "key",
            key.hash,
            key.name,
            Decimal(key.limit or 0),
            key.limit_reset,
            None if key.limit_reset in _WINDOWS and key.limit_reset not in counted else Decimal(key.escaped),
        )
        for key in rows
    ]
    return Gaps(shown, counts["number"] or 0, counts["escaping"] or 0)


def gaps_of_guardrails(organization: Organization, most: int) -> Gaps:
    """Two queries. A guardrail's budget is an allowance of each key and each member that holds it: what
    escapes is the sum over them; the default one of a workspace is held by every key in it."""
    rows = Guardrail.objects.filter(organization=organization, gone_at=None, limit_usd__isnull=False)
    found = list(rows.exclude(include_byok_in_budgets=True))
    through = _through_guardrails(organization) if found else {}
    counted = _counted(organization)
    nothing: Mapping[str, Decimal] = dict.fromkeys(_WINDOWS, Decimal(0))
    return Gaps.of(
        (
            Gap(
                "guardrail",
                row.uid,
                row.name,
                row.limit or Decimal(0),
                row.reset_interval,
                through.get(row.uid, nothing).get(row.reset_interval or "")
                if row.reset_interval in counted
                else None,
            )
            for row in found
        ),
        most,
    )


def _through_guardrails(organization: Organization) -> dict[str, dict[str, Decimal]]:
    """US dollars of BYOK in each window by the guardrail that somebody behind them holds: the key itself, its
    owner, or its workspace."""
    keys = Key.objects.filter(organization=organization, gone_at=None).filter(~Q(byok_usage=0)).order_by()
    holders = {
        "of_key": _holds(KeyAssignment, "key_hash", OuterRef("hash")),
        "of_owner": _holds(MemberAssignment, "user_id", OuterRef("owner__uid")),
        "of_workspace": F("workspace__default_guardrail_id"),
    }
    sums = [Sum(f"byok_usage_{window}", output_field=_NANO, default=0) for window in _WINDOWS]
    found: dict[str, dict[str, Decimal]] = {}
    for *uids, daily, weekly, monthly in keys.annotate(**holders).values_list(*holders).annotate(*sums):
        for uid in {uid for uid in uids if uid}:
            mine = found.setdefault(uid, dict.fromkeys(_WINDOWS, Decimal(0)))
            for window, amount in zip(_WINDOWS, (daily, weekly, monthly), strict=True):
                mine[window] += Decimal(amount).scaleb(-9)
    return found


def _holds(model: type[KeyAssignment] | type[MemberAssignment], column: str, subject: OuterRef) -> Subquery:
    held = model._default_manager.filter(
        organization=OuterRef("organization"), gone_at=None, **{column: subject}
    )
    return Subquery(held.values("guardrail_uid")[:1])


def gaps_of_workspaces(organization: Organization, most: int) -> Gaps:
    """Five queries; what escapes is our estimate (``orgadmin.usage.pools``)."""
    blind = Workspace.objects.filter(organization=organization, gone_at=None)
    places = {row.uid: row for row in blind.exclude(include_byok_in_budgets=True)}
    budgets = WorkspaceBudgets.objects.filter(
        organization=organization, gone_at=None, workspace_uid__in=places
    )
    limited = [(places[row.workspace_uid], row.limits) for row in budgets]
    pools = pools_of(organization) if limited else None
    return Gaps.of(
        (
            Gap(
                "workspace",
                place.uid,
                place.name,
                limit,
                None if interval == "lifetime" else interval,
                None if pools is None else pools.of(place.pk, interval).byok,
            )
            for place, limits in limited
            for interval, limit in limits.items()
        ),
        most,
    )


def byok_this_month(organization: Organization) -> Decimal | None:
    """What all keys counted as BYOK since the 1st, deleted ones left out: fees begin beyond an allowance.
    None before the keys were asked this month."""
    if "monthly" not in _counted(organization):
        return None
    keys = Key.objects.filter(organization=organization, gone_at=None)
    total = keys.aggregate(total=Sum("byok_usage_monthly", output_field=_NANO, default=0))["total"]
    return Decimal(total).scaleb(-9)

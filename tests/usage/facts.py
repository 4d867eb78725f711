"""Facts as the tests of this folder write and read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Sum

from orgadmin.usage.models import MEASURES, UsageDay, UsageRollup
from orgadmin.usage.store import NATURAL, Fact, Scope, replace_facts

DAY = date(2026, 3, 1)
ORGANIZATION = 1


def fact(
    day: date = DAY,
    *,
    key: int = 1,
    member: int = 0,
    workspace: int = 1,
    model: int = 1,
    endpoint: int = 1,
    requests: int = 1,
    tokens: int = 0,
    nano: int = 0,
    byok: int = 0,
) -> Fact:
    """One fact; ``nano`` and ``byok`` are nano-dollars."""
    return (
        day,
        key,
        member,
        workspace,
        model,
        endpoint,
        endpoint % 3,
        requests,
        tokens,
        tokens // 2,
        tokens // 4,
        0,
        nano,
        byok,
    )


def replace(scopes: Iterable[Scope], facts: Iterable[Fact], *, organization: int = ORGANIZATION) -> int:
    return replace_facts(organization_id=organization, scopes=list(scopes), facts=facts)


def held(organization: int = ORGANIZATION) -> Counter[tuple[Any, ...]]:
    """Every fact: the natural key and the measures in nano-dollars."""
    rows = UsageDay.objects.filter(organization_id=organization).values_list(*NATURAL, *MEASURES)
    return Counter(tuple(row) for row in rows)


def rolled_up(organization: int = ORGANIZATION) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Every roll-up that is not zero."""
    columns = ("dimension", "grain", "start", "part", *MEASURES, "usage_above", "byok_above")
    rows = UsageRollup.objects.filter(organization_id=organization).values_list(*columns)
    return {row[:4]: row[4:] for row in rows if any(row[4:])}


def totals(organization: int = ORGANIZATION) -> dict[str, Any]:
    return UsageDay.objects.filter(organization_id=organization).aggregate(
        **{name: Sum(name) for name in ("requests", "usage", "byok_usage")}
    )

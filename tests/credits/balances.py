"""Readings of a balance, as pulls would have left them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

from orgadmin.accounts.models import Organization
from orgadmin.usage.models import CreditSnapshot

PAGE = "/o/acme/credits/"
NOW = datetime.fromisoformat("2026-11-25T09:30:00+00:00")


def read(
    organization: Organization,
    *,
    until: datetime = NOW,
    span: timedelta,
    every: timedelta,
    bought: str = "1000",
    spent: str = "400",
    per_day: str = "24",
    purchases: Mapping[timedelta, str] = {},
) -> list[CreditSnapshot]:
    """Readings up to ``until``, at whose end ``bought`` and ``spent`` are what they are. ``purchases`` are
    amounts by how long before the end they were seen."""
    count = span // every
    ages = [every * number for number in range(count, -1, -1)]
    rows = []
    for age, before in zip(ages, [None, *ages], strict=False):
        later = sum((Decimal(amount) for ago, amount in purchases.items() if ago < age), Decimal(0))
        at_once = sum(
            (Decimal(amount) for ago, amount in purchases.items() if before and age <= ago < before),
            Decimal(0),
        )
        rows.append(
            CreditSnapshot(
                organization=organization,
                taken_at=until - age,
                total_credits=Decimal(bought) - later,
                total_usage=(Decimal(spent) - Decimal(per_day) * Decimal(age / timedelta(days=1))).quantize(
                    Decimal("1e-9")
                ),
                purchased=None if before is None else at_once,
            )
        )
    CreditSnapshot.objects.bulk_create(rows, batch_size=2000)
    return rows


def texts(html: str) -> str:
    """What a person reads, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))

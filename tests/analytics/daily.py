"""What the tests of the daily record share: rows of it, and what a person reads on its page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.usage.models import Harvest, HarvestMetric
from tests.analytics.asking import text_of

PAGE = "/o/acme/analytics/daily/"
NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)
YESTERDAY = date(2026, 3, 16)
DAY = timedelta(days=1)
METRICS = {
    "request_count": ("Requests", "number", False),
    "p50_latency": ("P50 latency", "latency", False),
    "cache_hit_rate": ("Cache hit rate", "percent", True),
    "byok_fees": ("BYOK fees", "currency", False),
}


def ago(days: int) -> date:
    """1 is yesterday."""
    return YESTERDAY - (days - 1) * DAY


def record(
    organization: Organization, day: date, label: str = "", *, by: str = "provider", **metrics: Any
) -> None:
    """One row of the harvest, and its metrics described as a harvest does."""
    Harvest.objects.create(organization=organization, day=day, dimension=by, label=label, metrics=metrics)
    for name in metrics.keys() & METRICS.keys():
        display_label, display_format, is_rate = METRICS[name]
        HarvestMetric.objects.get_or_create(
            organization=organization,
            dimension=by,
            name=name,
            defaults={
                "display_label": display_label,
                "display_format": display_format,
                "is_rate": is_rate,
            },
        )


def shown(browser: Client, query: str = "", **headers: str) -> str:
    """The page on one line, its narrow spaces made plain."""
    response = browser.get(f"{PAGE}{query}", headers=headers)
    assert response.status_code == 200
    return text_of(response).replace("\N{NARROW NO-BREAK SPACE}", " ")


def cells(page: str) -> list[list[str]]:
    """The table of labels, as texts."""
    (body,) = re.findall(r'id="daily-rows".*?<tbody>(.*?)</tbody>', page)
    return [
        [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body)
    ]


def figures(page: str) -> dict[str, list[str]]:
    """The chart's own table: the values of each bucket."""
    (body,) = re.findall(r"<tbody data-chart-rows>(.*?)</tbody>", page)
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body):
        head, *values = (
            re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        )
        found[head] = values
    return found


def options(page: str, menu: str) -> dict[str, str]:
    (found,) = re.findall(rf'<select [^>]*name="{menu}".*?</select>', page)
    return dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)', found))


def tile(page: str, name: str) -> str:
    (found,) = re.findall(rf"<dt>{name}</dt><dd[^>]*>([^<]*)", page)
    return str(found)

"""The filtered models as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

from dashboard.catalog.selectors import Row
from orgadmin.accounts.models import Organization
from orgadmin.pages import csv_of

HEADINGS = (
    "slug",
    "permaslug",
    "name",
    "context_tokens",
    "input_modalities",
    "output_modalities",
    "prompt_usd_per_token",
    "completion_usd_per_token",
    "providers",
    "endpoints",
    "endpoints_zdr",
    "created_at",
    "expires_on",
    "gone",
)
OF_READERS = ("spend_30d_usd",)


def stream(rows: Sequence[Row], organization: Organization, *, reads_all: bool) -> StreamingHttpResponse:
    """One line a model; prices in US dollars a token with all digits, empty where they vary or are not known.
    What was spent is for those who read everything."""
    headings = HEADINGS + OF_READERS if reads_all else HEADINGS
    return csv_of("models", organization.slug, headings, (_line(row)[: len(headings)] for row in rows))


def _line(row: Row) -> list[str]:
    return [
        row.slug,
        row.permaslug,
        row.name,
        _text(row.context),
        " ".join(row.takes),
        " ".join(row.gives),
        _text(row.prompt),
        _text(row.completion),
        " ".join(row.providers),
        _text(None if row.places is None else len(row.places)),
        _text(None if row.zdr == "unknown" else row.kept_by_nobody),
        row.created_at.isoformat().replace("+00:00", "Z") if row.created_at else "",
        row.expires_on.isoformat() if row.expires_on else "",
        "yes" if row.is_gone else "no",
        _text(row.spend),
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)

"""Use as CSV, streamed: one line for each day, key, member, workspace, model and provider endpoint.

Memory does not grow with the number of lines: facts come from the database in chunks, day by day, in the
order of their index, and only the names of what was met are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import models
from django.http import StreamingHttpResponse

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.pages import csv_of
from orgadmin.usage.columns import COLUMNS, NO_KEY_HASH, UNKNOWN_KEY_HASH
from orgadmin.usage.labels import NOBODY
from orgadmin.usage.models import (
    MEASURES,
    NO_KEY,
    UNKNOWN_KEY,
    DaySum,
    Dimension,
    Grain,
    UsageEndpoint,
    UsageModel,
    UsageProvider,
    UsageRollup,
)
from orgadmin.usage.reading import Question, facts_of
from orgadmin.usage.spans import Span

CHUNK = 2000
PARTS = ("key_id", "member_id", "workspace_id", "model_id", "endpoint_id", "provider_id")

Names = tuple[str, ...]


def stream(organization: Organization, question: Question | None) -> StreamingHttpResponse:
    """Every fact that the question lets through, oldest day first; no question lets nothing through. Money in
    US dollars with all digits."""
    return csv_of("use", organization.slug, COLUMNS, _lines(question) if question else ())


def _lines(question: Question) -> Iterator[list[str]]:
    names = _Names()
    for day, source in _days(question):
        for row in _facts(question, day, names):
            yield [day.isoformat(), source, *row]


def _days(question: Question) -> list[tuple[date, str]]:
    """The days that have something, and where it is from: a year may be asked for of which three weeks are
    there."""
    span = question.span.since, question.span.until
    sources = DaySum.objects.filter(organization=question.organization_id, day__range=span)
    days = UsageRollup.objects.filter(
        organization_id=question.organization_id,
        dimension=Dimension.TOTAL,
        grain=Grain.DAY,
        start__range=span,
    )
    by_day = dict(sources.values_list("day", "source"))
    return [(day, by_day.get(day, "")) for day in days.order_by("start").values_list("start", flat=True)]


def _facts(question: Question, day: date, names: _Names) -> Iterator[list[str]]:
    """The facts of one day as cells, in the order of the index that finds them: nothing has to be sorted."""
    facts = facts_of(replace(question, span=Span(day, day))).order_by("day", *PARTS[:5])
    rows = iter(facts.values_list(*PARTS, *MEASURES).iterator(chunk_size=CHUNK))
    while chunk := list(islice(rows, CHUNK)):
        names.learn(chunk)
        for row in chunk:
            yield [*names.of(row), *map(_figure, row[len(PARTS) :])]


def _figure(value: int | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class _Names:
    """What the parts of facts are called. Kept once learnt: there are as many as there are keys, models and
    so on, however many facts they have."""

    def __init__(self) -> None:
        nobody = NOBODY[Dimension.KEY]
        self._known: list[dict[int, Names]] = [
            {
                NO_KEY: (NO_KEY_HASH, nobody[NO_KEY].text),
                UNKNOWN_KEY: (UNKNOWN_KEY_HASH, nobody[UNKNOWN_KEY].text),
            },
            {0: ("", "")},
            {0: ("", "")},
            {0: ("", "")},
            {0: ("",)},
            {0: ("",)},
        ]

    def learn(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """One query for each kind of part of which something new is met."""
        for at, (known, (model, read)) in enumerate(zip(self._known, _READERS, strict=True)):
            missing = {row[at] for row in rows} - known.keys()
            if missing:
                known |= {
                    part: read(found) for part, found in model._default_manager.in_bulk(missing).items()
                }
                # A part that no row stands for any more is named by its number.
                width = len(next(iter(known.values())))
                known |= {part: (f"#{part}",) * width for part in missing - known.keys()}

    def of(self, row: tuple[Any, ...]) -> list[str]:
        return [name for at, known in enumerate(self._known) for name in known[row[at]]]


_READERS: Sequence[tuple[type[models.Model], Callable[[Any], Names]]] = (
    (Key, lambda key: (key.hash, key.name)),
    (Member, lambda member: (member.uid, str(member))),
    (Workspace, lambda workspace: (workspace.uid, workspace.name)),
    (UsageModel, lambda model: (model.slug or model.permaslug, model.permaslug)),
    (UsageEndpoint, lambda endpoint: (endpoint.uid,)),
    (UsageProvider, lambda provider: (provider.name,)),
)

"""Sums over spans: whatever table they come from, they are the sums of the facts."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from orgadmin.usage import ranking
from orgadmin.usage.amounts import Amounts, value_of
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import Listed
from orgadmin.usage.ranking import largest
from orgadmin.usage.reading import Question, TooMuch, by_time, groups, total
from orgadmin.usage.spans import BUCKETS, Span
from orgadmin.usage.store import Fact, Scope
from tests.standing import standing
from tests.usage.facts import ORGANIZATION, fact, replace

pytestmark = pytest.mark.django_db
SINCE, UNTIL = date(2025, 11, 20), date(2026, 3, 10)
POSITION = {
    Dimension.KEY: 1,
    Dimension.MEMBER: 2,
    Dimension.WORKSPACE: 3,
    Dimension.MODEL: 4,
    Dimension.PROVIDER: 6,
}
SPANS = [
    Span(SINCE, UNTIL),
    Span(date(2026, 2, 1), date(2026, 2, 28)),
    Span(date(2026, 1, 1), date(2026, 2, 28)),
    Span(date(2026, 1, 20), date(2026, 2, 18)),
    Span(date(2026, 2, 3), date(2026, 2, 20)),
    Span(date(2026, 1, 31), date(2026, 3, 1)),
    Span(date(2026, 3, 1), date(2026, 3, 1)),
    Span(date(2026, 3, 2), date(2026, 3, 1)),
]


@pytest.fixture(scope="module")
def standing_facts(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Fact]]:
    """Three months of 12 keys, refunds among them: these tests only read."""
    dice = random.Random(5)
    made = [
        fact(
            SINCE + timedelta(days=dice.randrange((UNTIL - SINCE).days + 1)),
            key=dice.randrange(-1, 12),
            member=dice.randrange(3),
            workspace=dice.randrange(3),
            model=dice.randrange(1, 6),
            endpoint=dice.randrange(1, 6),
            requests=dice.randrange(1, 9),
            tokens=dice.randrange(10_000),
            nano=dice.randrange(-(10**9), 10**10),
            byok=dice.choice([0, dice.randrange(10**9)]),
        )
        for _ in range(1500)
    ]
    with standing(django_db_blocker):
        with django_db_blocker.unblock():
            replace([Scope(key, SINCE, UNTIL) for key in range(-1, 12)], made)
        yield made


@pytest.fixture
def facts(standing_facts: list[Fact], db: None) -> list[Fact]:
    return standing_facts


def wanted(facts: list[Fact], span: Span, filters: dict[Dimension, frozenset[int]], place: Any) -> Any:
    """The sums by hand."""
    found: dict[Any, Amounts] = defaultdict(Amounts)
    for row in facts:
        if span.since <= row[0] <= span.until and all(
            row[POSITION[dimension]] in parts for dimension, parts in filters.items()
        ):
            money = [Decimal(nano).scaleb(-9) for nano in row[12:]]
            found[place(row)] += Amounts(*row[7:12], *money)
    return found


@pytest.mark.parametrize("dimension", POSITION)
@pytest.mark.parametrize("span", SPANS)
def test_groups_are_the_sums_of_facts(facts: list[Fact], span: Span, dimension: Dimension) -> None:
    question = Question(ORGANIZATION, span)
    by_hand = wanted(facts, span, {}, lambda row: row[POSITION[dimension]])
    if dimension is not Dimension.KEY:
        assert groups(question, dimension) == by_hand
    assert total(question) == sum(by_hand.values(), Amounts())
    for measure in ("usage", "total", "requests", "tokens"):
        best = largest(question, dimension, measure=measure, count=4)
        assert best.items() <= by_hand.items()
        ranked = sorted((value_of(amounts, measure) for amounts in by_hand.values()), reverse=True)
        assert [value_of(amounts, measure) for amounts in best.values()] == ranked[:4]


@pytest.mark.parametrize("measure", ["total", "usage", "byok_usage", "requests", "tokens"])
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("is_open", [False, True])
def test_the_largest_keys_are_found_without_reading_all_of_them(
    facts: list[Fact], monkeypatch: pytest.MonkeyPatch, span: Span, measure: str, is_open: bool
) -> None:
    """However short the lists are that are looked at first, and with what today adds."""
    monkeypatch.setattr(ranking, "DEPTH", 1)
    monkeypatch.setattr(ranking, "DEEPER", 2)
    day, dice = date(2026, 3, 11), random.Random(6)
    # Key 30 spent something for the first time today, key 3 as much as it ever did.
    rows = [(day, key, Amounts(usage=Decimal(dice.randrange(99)))) for key in (0, 1, 3, 30)]
    together = defaultdict(Amounts, wanted(facts, span, {}, lambda row: row[1]))
    for _, key, amounts in rows if is_open else []:
        together[key] += amounts
    ranked = sorted(together, key=lambda key: (-value_of(together[key], measure), key))
    for count in (1, 3, 20):
        found = largest(
            Question(ORGANIZATION, span),
            Dimension.KEY,
            measure=measure,
            count=count,
            opening=Listed(rows if is_open else []),
        )
        assert list(found.items()) == [(key, together[key]) for key in ranked[:count]]


@pytest.mark.parametrize("grain", ["day", "week", "month"])
@pytest.mark.parametrize("span", SPANS)
def test_buckets_are_the_sums_of_facts(facts: list[Fact], span: Span, grain: str) -> None:
    name = BUCKETS[grain]
    for dimension, parts in (
        (Dimension.MODEL, {1, 2}),
        (Dimension.KEY, {3, -1, 5}),
        (Dimension.WORKSPACE, {0}),
    ):
        at = POSITION[dimension]
        filters = {dimension: frozenset(parts)}

        def place(row: Fact, at: int = at) -> tuple[date, Any]:
            return name(row[0]), row[at]

        by_hand = wanted(facts, span, filters, place)
        assert by_time(Question(ORGANIZATION, span), dimension, parts, grain=grain) == by_hand
    everything = wanted(facts, span, {}, lambda row: (name(row[0]), 0))
    assert by_time(Question(ORGANIZATION, span), Dimension.TOTAL, [0], grain=grain) == everything


def test_filters_combine(facts: list[Fact]) -> None:
    filters = {Dimension.MODEL: frozenset({1, 2}), Dimension.WORKSPACE: frozenset({1})}
    question = Question(ORGANIZATION, SPANS[3], filters)
    assert groups(question, Dimension.KEY) == wanted(facts, SPANS[3], filters, lambda row: row[1])
    assert total(question) == sum(wanted(facts, SPANS[3], filters, lambda _: 0).values(), Amounts())
    few = {Dimension.KEY: frozenset({1, 2}), Dimension.MODEL: frozenset({1, 3})}
    assert groups(Question(ORGANIZATION, SPANS[0], few), Dimension.MODEL) == wanted(
        facts, SPANS[0], few, lambda row: row[4]
    )


def test_a_filter_and_a_grouping_may_be_the_same(facts: list[Fact]) -> None:
    filters = {Dimension.MODEL: frozenset({4})}
    question = Question(ORGANIZATION, SPANS[0], filters)
    assert groups(question, Dimension.MODEL) == wanted(facts, SPANS[0], filters, lambda row: row[4])
    assert by_time(question, Dimension.MODEL, {4, 5}, grain="month") == wanted(
        facts, SPANS[0], filters, lambda row: (row[0].replace(day=1), row[4])
    )


def test_facts_are_never_read_for_long(facts: list[Fact]) -> None:
    filters = {Dimension.MODEL: frozenset({1}), Dimension.WORKSPACE: frozenset({1})}
    with pytest.raises(TooMuch):
        total(Question(ORGANIZATION, SPANS[0], filters))


def test_another_organization_has_nothing(facts: list[Fact]) -> None:
    assert total(Question(2, SPANS[0])) == Amounts()


def test_a_price_for_a_million_tokens() -> None:
    assert Amounts(prompt_tokens=400_000, completion_tokens=100_000, usage=Decimal(1)).per_million == 2
    assert Amounts(usage=Decimal(1)).per_million is None

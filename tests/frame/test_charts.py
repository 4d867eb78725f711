"""The geometry of a line over time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.charts import LineChart, Point, named_moments

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def chart(*values: str, jumps: tuple[Point, ...] = ()) -> LineChart:
    """A value a day."""
    points = [Point(START + at * DAY, Decimal(value)) for at, value in enumerate(values)]
    return LineChart(
        "Balance", START, START + (len(values) - 1) * DAY, points, jumps, str, "Balance", "Bought"
    )


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) (-?[\d.]+)", path)]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        (("100", "60", "10"), [100, 75, 50, 25, 0]),
        (("100", "-60"), [100, 50, 0, -50, -100]),
        (("-1", "-7"), [0, -2, -4, -6, -8]),
        (("0", "0"), [1, 0]),
        (("0.003", "0.001"), ["0.003", "0.002", "0.001", "0.000"]),
    ],
)
def test_zero_is_always_among_the_ticks(values: tuple[str, ...], ticks: list[object]) -> None:
    assert chart(*values).ticks == [Decimal(str(tick)) for tick in ticks]


def test_a_line_goes_from_edge_to_edge_and_stays_inside() -> None:
    drawn = places(chart("100", "60", "-20").path)
    assert [x for x, _ in drawn] == [0, 500, 1000]
    assert drawn[0][1] == 0
    assert all(0 <= y <= 1000 for _, y in drawn)


def test_a_jump_stands_upright() -> None:
    """From 40 to 90 at noon of the first day, wherever the points around it are."""
    jump = Point(START + DAY / 2, Decimal(90), Decimal(50))
    made = chart("100", "80", "70", jumps=(jump,))
    drawn = places(made.path)
    assert drawn[1:3] == [(250, 600), (250, 100)]
    assert made.marks == [("25.00", "10.00", jump)]
    assert places(made.area)[-2:] == [(1000, 1000), (0, 1000)]


def test_a_line_of_one_point_or_none_is_no_error() -> None:
    assert chart("4").path == "M0.0 0.0"
    empty = LineChart("Balance", START, START, [], [], str, "Balance", "Bought")
    assert (empty.path, empty.area, empty.rows) == ("", "", [])
    assert empty.ticks == [1, 0]


@pytest.mark.parametrize(
    ("span", "names"),
    [
        (timedelta(hours=5), ["1 Nov", "01:00", "02:00", "03:00", "04:00", "05:00"]),
        (2 * DAY, ["1 Nov", "12:00", "2 Nov", "12:00", "3 Nov"]),
        (9 * DAY, ["1 Nov", "3 Nov", "5 Nov", "7 Nov", "9 Nov"]),
    ],
)
def test_moments_are_named_where_they_are_round(span: timedelta, names: list[str]) -> None:
    assert [name for _, name in named_moments(START, START + span)] == names


def test_months_are_counted_from_the_end() -> None:
    """So that the newest is always named, and stands at its first."""
    found = named_moments(START, START + 365 * DAY)
    assert [name for _, name in found[-2:]] == ["Sep 2027", "Nov 2027"]
    assert {moment.day for moment, _ in found} == {1}


@pytest.mark.parametrize("days", [0, 0.01, 1, 3, 30, 90, 366, 1500])
def test_there_are_never_too_many_names(days: float) -> None:
    until = datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)
    found = named_moments(until - days * DAY, until)
    assert len(found) <= 9
    assert all(until - days * DAY <= moment <= until for moment, _ in found)

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orgadmin.openrouter.timestamps import parse_timestamp, timestamp_text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-08-24T10:30:00Z", datetime(2025, 8, 24, 10, 30, tzinfo=UTC)),
        ("2025-02-19T20:52:27.363244+00:00", datetime(2025, 2, 19, 20, 52, 27, 363244, tzinfo=UTC)),
        ("2025-08-24T10:30:00.5Z", datetime(2025, 8, 24, 10, 30, 0, 500000, tzinfo=UTC)),
        ("2025-08-24T12:30:00+02:00", datetime(2025, 8, 24, 10, 30, tzinfo=UTC)),
        ("2025-08-24T10:30:00", datetime(2025, 8, 24, 10, 30, tzinfo=UTC)),
    ],
)
def test_every_spelling_becomes_utc(text, moment):
    parsed = parse_timestamp(text)
    assert parsed == moment
    assert parsed is not None
    assert parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text", ["", "never", "2025-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1724495400"]
)
def test_what_is_no_timestamp_is_none(text):
    assert parse_timestamp(text) is None


def test_it_sends_seconds_and_a_z():
    assert timestamp_text(datetime(2027, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == "2027-12-31T23:59:59Z"
    assert timestamp_text(datetime(2027, 1, 1, tzinfo=timezone(timedelta(0)))) == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2027, 1, 1),  # noqa: DTZ001 - the naive one is the case
        datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_it_refuses_to_guess_a_zone(moment):
    with pytest.raises(ValueError, match="UTC"):
        timestamp_text(moment)

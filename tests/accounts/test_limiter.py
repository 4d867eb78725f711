from __future__ import annotations

from typing import Any

import pytest
import time_machine

from orgadmin.accounts.limiter import SharedLimiter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ten_a_second(settings: Any) -> None:
    settings.OPENROUTER_RATE = 10.0
    settings.OPENROUTER_ANALYTICS_RATE = 1.0


def test_a_burst_goes_at_once_and_the_rest_in_turn() -> None:
    limiter = SharedLimiter("hash")
    with time_machine.travel(1_900_000_000, tick=False):
        waits = [limiter.reserve("default") for _ in range(15)]
    assert waits[:10] == [0.0] * 10
    assert waits[11:] == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.15)
    assert waits == sorted(waits)


def test_a_quiet_spell_gives_no_more_than_one_burst() -> None:
    limiter = SharedLimiter("hash")
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        limiter.reserve("default")
        clock.shift(3600)
        waits = [limiter.reserve("default") for _ in range(15)]
    assert waits.count(0.0) in (10, 11)


def test_two_limiters_of_one_credential_share_and_others_do_not() -> None:
    with time_machine.travel(1_900_000_000, tick=False):
        for _ in range(30):
            SharedLimiter("hash").reserve("default")
        assert SharedLimiter("hash").reserve("default") > 1
        assert SharedLimiter("another").reserve("default") == 0
        assert SharedLimiter("hash").reserve("analytics") == 0


def test_nobody_sends_while_held() -> None:
    limiter = SharedLimiter("hash")
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        limiter.hold("default", 30)
        limiter.hold("default", 5)
        assert limiter.reserve("default") == pytest.approx(30, abs=0.01)
        clock.shift(31)
        assert limiter.reserve("default") == 0

"""The catalog, and how a key's money is spread over it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.catalog import models
from orgadmin.sandbox.ledger import Amounts
from orgadmin.sandbox.mix import lanes
from orgadmin.sandbox.moments import DAY, HOUR, seconds_of, window_start
from orgadmin.sandbox.sources import sources
from orgadmin.sandbox.tally import Range, tally
from orgadmin.sandbox.usage import GRAIN
from tests.sandbox.conftest import NOON


def test_every_model_is_whole() -> None:
    assert 100 <= len(models()) <= 130
    assert len({model.id for model in models()}) == len(models())
    for model in models():
        assert model.name
        assert model.slug
        assert model.context > 0
        assert "text" in model.takes + model.gives
        assert all(Decimal(price).is_finite() for price in model.prices.values())
        assert {"prompt", "completion"} <= model.prices.keys()
        assert datetime(2023, 1, 1, tzinfo=UTC).timestamp() < model.created < NOON.timestamp()
        assert all(name.islower() for name in model.parameters)


def test_the_odd_ones_are_there_too() -> None:
    assert any(model.id.endswith(":free") for model in models())
    assert any(model.prices["prompt"] == "-1" for model in models())
    assert any("image" in model.gives for model in models())
    assert any(model.ends for model in models())


def test_every_hour_splits_to_the_nano_dollar() -> None:
    sandbox = Sandbox(Options(keys=30), now=lambda: NOON)
    end = seconds_of(NOON)
    start = end - 40 * DAY
    sandbox.outside.spend(sandbox.every_key()[0]["hash"], usd=1.5, byok_usd=0.25)
    for source in sources(sandbox.account):
        hours = tally([source], Range(start, end + HOUR, end, "hour"), ("credits", "byok"), lambda *_: "all")
        spent = Amounts(*(sum(values[index] for values in hours.values()) for index in (0, 1)))
        assert spent == source.ledger.standing(end).minus(source.ledger.amounts(start))


def test_parts_add_up() -> None:
    sandbox = Sandbox(Options(keys=120), now=lambda: NOON)
    week = window_start("weekly", seconds_of(NOON))
    profiles = [row.ledger.profile for row in sandbox.account.keys]
    assert {0, GRAIN} < {profile.own for profile in profiles}
    for profile in profiles:
        parts = Counter[bool]()
        for lane in lanes(7, profile, week):
            parts[lane.byok] += lane.parts
            parts[False] += lane.fee
            assert lane.provider in lane.model.providers
            assert lane.model.costs == (lane.parts > 0)
        assert (parts[False], parts[True]) == (profile.billed, profile.own)


def test_the_models_in_use_change_with_time() -> None:
    sandbox = Sandbox(now=lambda: NOON)
    now = seconds_of(NOON)
    used = []
    for days_ago in (7, 500):
        week = window_start("weekly", now - days_ago * DAY)
        made_of = [lanes(7, row.ledger.profile, week) for row in sandbox.account.keys]
        used.append([lane.model for key in made_of for lane in key])
        assert all(model.created <= week for model in used[-1])
        assert all(model.gone is None or model.gone > week for model in used[-1])
    recent, former = used
    assert len({model.id for model in recent} - {model.id for model in former}) > 10
    assert {model.id for model in recent} & {model.id for model in former}


def test_many_models_are_used_and_a_few_are_favourites() -> None:
    sandbox = Sandbox(now=lambda: NOON)
    week = window_start("weekly", seconds_of(NOON))
    used = Counter(
        lane.model.author for row in sandbox.account.keys for lane in lanes(7, row.ledger.profile, week)
    )
    assert len(used) >= 8
    assert {"anthropic", "openai", "google"} <= {author for author, _ in used.most_common(4)}

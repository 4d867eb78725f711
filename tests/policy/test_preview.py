"""What a guardrail would have refused of what was used."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orgadmin.policy.layers import Layer, Source
from orgadmin.policy.preview import Used, hit, impacts

SOURCE = Source(2, "House")


def layer(**rules: Any) -> Layer:
    return Layer(SOURCE, **rules)


def used(model: str = "openai/one", provider: str = "alpha", dollars: int = 10, subject: int = 1) -> Used:
    return Used(subject, model, provider, Decimal(dollars), 1)


def never(*_: str) -> bool | None:
    return False


def unknown(*_: str) -> bool | None:
    return None


def rule_of(rules: Layer, one: Used, is_zdr: Any = never) -> tuple[str, bool] | None:
    found = hit(rules, one, is_zdr)
    return None if found is None else (found.rule, found.is_certain)


def test_models_are_refused_and_providers_avoided() -> None:
    assert rule_of(layer(), used()) is None
    assert rule_of(layer(allowed_models=frozenset({"openai/two"})), used()) == ("model", True)
    assert rule_of(layer(ignored_models=frozenset({"openai/one"})), used()) == ("model", True)
    assert rule_of(layer(allowed_providers=frozenset({"beta"})), used()) == ("provider", True)
    assert rule_of(layer(ignored_providers=frozenset({"alpha"})), used()) == ("provider", True)
    assert rule_of(layer(ignored_providers=frozenset({"beta"})), used()) is None


def test_history_that_does_not_tell_the_provider_is_not_certain() -> None:
    assert rule_of(layer(ignored_providers=frozenset({"alpha"})), used(provider="")) == ("provider", False)
    assert rule_of(layer(zdr=frozenset({"openai"})), used(provider="")) == ("zdr", False)


def test_zdr_speaks_against_providers_that_keep_data() -> None:
    rules = layer(zdr=frozenset({"openai"}))
    assert rule_of(rules, used()) == ("zdr", True)
    assert rule_of(rules, used(), unknown) == ("zdr", False)
    assert rule_of(rules, used(), lambda *_: True) is None
    assert rule_of(rules, used(model="house/one")) is None


def test_dollars_are_added_up_by_subject_and_rule() -> None:
    rules = layer(ignored_models=frozenset({"openai/one"}), ignored_providers=frozenset({"beta"}))
    found = impacts(
        rules,
        [
            used(dollars=3),
            used(model="house/free", dollars=4),
            used(model="house/free", provider="beta", dollars=5),
            used(dollars=7, subject=2),
        ],
        never,
    )
    one = found[1]
    assert (one.dollars, one.refused, one.rerouted) == (Decimal(12), Decimal(3), Decimal(5))
    assert [against.used.dollars for against in one.hits] == [Decimal(5), Decimal(3)]
    assert found[2].refused == Decimal(7)


@given(
    st.lists(
        st.builds(
            used,
            st.sampled_from(["openai/one", "house/two"]),
            st.sampled_from(["", "alpha", "beta"]),
            st.integers(0, 50),
            st.integers(1, 3),
        )
    ),
    st.frozensets(st.sampled_from(["openai/one", "house/two"])),
    st.frozensets(st.sampled_from(["alpha", "beta"])),
)
def test_nothing_is_refused_that_was_not_used(
    use: list[Used], models: frozenset[str], providers: frozenset[str]
) -> None:
    rules = layer(ignored_models=models, ignored_providers=providers, zdr=frozenset({"openai"}))
    for impact in impacts(rules, use, unknown).values():
        assert impact.refused + impact.rerouted <= impact.dollars
        assert impact.refused + impact.rerouted == sum(one.used.dollars for one in impact.hits)

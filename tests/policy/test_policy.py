"""What guardrails mean together: the order never matters, and one more never allows more."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from orgadmin.policy.layers import ACTIONS, SWITCHES, ZDR_GROUPS, Budget, Layer, Source, combine, zdr_group
from orgadmin.policy.verdicts import Endpoint, Offered, Outcome, Reason, remaining, verdict

AUTHORS = ("anthropic", "openai", "google", "x-ai", "house")
MODELS = [f"{author}/one-{number}" for author in AUTHORS for number in (1, 2)]
PROVIDERS = ["alpha", "beta", "gamma"]
names = st.sampled_from(MODELS)
providers = st.sampled_from(PROVIDERS)
endpoints = st.builds(Endpoint, providers | st.just(""), st.sampled_from([True, False, None]))
models = st.builds(
    Offered, names, st.none() | st.lists(endpoints, max_size=4).map(lambda found: tuple(found))
)
layers = st.builds(
    Layer,
    source=st.builds(Source, st.integers(0, 2), st.sampled_from(["House", "Team", "Key"])),
    allowed_models=st.none() | st.frozensets(names),
    ignored_models=st.frozensets(names, max_size=3),
    allowed_providers=st.none() | st.frozensets(providers),
    ignored_providers=st.frozensets(providers, max_size=2),
    zdr=st.frozensets(st.sampled_from(ZDR_GROUPS)),
    forbidden=st.frozensets(st.sampled_from(SWITCHES)),
    regions=st.none() | st.frozensets(st.sampled_from(["global", "europe", "us"])),
    filters=st.dictionaries(st.sampled_from(["email", "phone", "a+b"]), st.sampled_from([*ACTIONS, "shred"])),
)
budgets = st.builds(
    Budget,
    scope=st.just("budget"),
    name=st.sampled_from(["House", "Team"]),
    limit=st.just(Decimal(10)),
    interval=st.sampled_from(["daily", None]),
    includes_byok=st.booleans(),
    used=st.none() | st.integers(0, 20).map(Decimal),
)
NONE: list[Budget] = []


@given(models, st.lists(layers, max_size=3), st.lists(budgets, max_size=2))
def test_the_order_never_matters(model: Offered, some: list[Layer], limits: list[Budget]) -> None:
    said = verdict(model, some, limits)
    for other in permutations(some):
        assert combine(other) == combine(some)
        assert verdict(model, other, limits[::-1]).outcome == said.outcome
        assert remaining([model], other) == remaining([model], some)


@given(models, st.lists(layers, max_size=3), layers, st.lists(budgets, max_size=2), budgets)
def test_one_more_never_allows_more(
    model: Offered, some: list[Layer], more: Layer, limits: list[Budget], limit: Budget
) -> None:
    before = verdict(model, some, limits).outcome
    assert verdict(model, [*some, more], limits).outcome <= before
    assert verdict(model, some, [*limits, limit]).outcome <= before
    allowed = dict(remaining([model], some))
    for found, outcome in remaining([model], [*some, more]):
        assert outcome <= allowed[found]


@given(models, st.lists(layers, max_size=3))
def test_the_list_says_what_the_answer_for_one_says(model: Offered, some: list[Layer]) -> None:
    said = verdict(model, some).outcome
    listed = [outcome for _, outcome in remaining([model], some)]
    assert listed == ([] if said is Outcome.REFUSED else [said])


@given(models, st.lists(layers, max_size=3), st.lists(budgets, max_size=2))
def test_what_is_not_allowed_has_a_reason_and_what_is_has_none(
    model: Offered, some: list[Layer], limits: list[Budget]
) -> None:
    said = verdict(model, some, limits)
    assert (said.outcome is Outcome.ALLOWED) == (not said.reasons)
    assert {reason.outcome for reason in said.reasons} <= {said.outcome}


@given(st.lists(layers, min_size=2, max_size=2))
def test_of_two_filters_the_stronger_counts(two: list[Layer]) -> None:
    order = [*ACTIONS, "shred"]
    for name, action in combine(two).filters.items():
        given_actions = [layer.filters[name] for layer in two if name in layer.filters]
        assert action == max(given_actions, key=order.index)


def layer(name: str, **rules: object) -> Layer:
    return Layer(Source(0, name), **rules)  # type: ignore[arg-type]


TWO = Offered("anthropic/one-1", (Endpoint("alpha", is_zdr=False), Endpoint("beta", is_zdr=True)))


def test_without_guardrails_everything_goes() -> None:
    assert verdict(TWO, []).outcome is Outcome.ALLOWED


def test_the_rule_and_the_guardrail_are_named() -> None:
    said = verdict(TWO, [layer("House", allowed_models=frozenset({"openai/one-1"})), layer("Team")])
    assert said.reasons == (Reason(Outcome.REFUSED, "is not among the allowed models", "House"),)
    said = verdict(TWO, [layer("Team", ignored_models=frozenset({"anthropic/one-1"}))])
    assert said.reasons == (Reason(Outcome.REFUSED, "is among the ignored models", "Team"),)


def test_zdr_takes_endpoints_away() -> None:
    zdr = layer("House", zdr=frozenset({"anthropic"}))
    assert verdict(TWO, [zdr]).outcome is Outcome.ALLOWED
    without_beta = layer("Team", ignored_providers=frozenset({"beta"}))
    assert verdict(TWO, [without_beta]).outcome is Outcome.ALLOWED
    said = verdict(TWO, [zdr, without_beta])
    assert said.reasons == (Reason(Outcome.REFUSED, "together they leave no provider", "House, Team"),)
    assert verdict(TWO, [layer("House", zdr=frozenset({"openai"})), without_beta]).outcome is Outcome.ALLOWED


def test_two_lists_without_anything_in_common_refuse_everything() -> None:
    alpha = layer("House", allowed_providers=frozenset({"alpha"}))
    beta = layer("Team", allowed_providers=frozenset({"beta"}))
    said = verdict(TWO, [alpha, beta])
    assert said.outcome is Outcome.REFUSED
    assert remaining([TWO], [alpha, beta]) == []


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    unknown = Offered("anthropic/one-1")
    assert verdict(unknown, [layer("House")]).outcome is Outcome.ALLOWED
    said = verdict(unknown, [layer("House", allowed_providers=frozenset({"alpha"}))])
    assert said.reasons == (Reason(Outcome.UNKNOWN, "its providers are not known here", "House"),)
    vague = Offered("anthropic/one-1", (Endpoint("alpha"),))
    said = verdict(vague, [layer("House", zdr=frozenset({"anthropic"}))])
    assert said.reasons[0].rule == "whether its providers keep data is not known"


def test_a_budget_that_is_used_up_refuses_and_an_unknown_one_says_so() -> None:
    def of(used: Decimal | None) -> Budget:
        return Budget("budget", "House", Decimal(5), "monthly", False, used)

    assert verdict(TWO, [], [of(Decimal("4.99"))]).outcome is Outcome.ALLOWED
    assert verdict(TWO, [], [of(Decimal(5))]).reasons == (
        Reason(Outcome.REFUSED, "the monthly budget is used up", "House"),
    )
    assert verdict(TWO, [], [of(None)]).outcome is Outcome.UNKNOWN


def test_a_model_is_covered_by_the_switch_of_its_author() -> None:
    assert [zdr_group(slug) for slug in ("anthropic/a", "openai/b", "google/c", "x-ai/d", "meta/e")] == [
        "anthropic", "openai", "google", "xai", "other",
    ]  # fmt: skip
    assert zdr_group("~anthropic/claude-latest") == "anthropic"

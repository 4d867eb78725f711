"""The client and the sandbox, which were written apart, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from orgadmin.openrouter import (
    errors,
    media_models,
    members,
    model_endpoints,
    models,
    providers,
    workspace_budgets,
    workspace_members,
    workspaces,
)
from orgadmin.openrouter.models import ModelQuery
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.wire import new_session
from orgadmin.openrouter.workspaces import WorkspaceChanges
from tests.openrouter.connecting import STEADY
from tests.sandbox_server import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with running_sandbox(keys=6, members=130, workspaces=3, days=20) as running:
        yield running


@pytest.fixture
def running(served: RunningSandbox) -> RunningSandbox:
    served.sandbox.reset()
    return served


@pytest.fixture
def upstream(running: RunningSandbox) -> Iterator[OpenRouter]:
    with new_session() as session:
        yield OpenRouter(
            base_url=running.url,
            key=Secret(running.sandbox.management_key),
            patience=STEADY,
            session=session,
            sleep=lambda seconds: None,
        )


def test_a_workspace_lives_and_dies(upstream: OpenRouter) -> None:
    asked = WorkspaceChanges(description="d", io_logging_sampling_rate=Decimal("0.5"))
    made = workspaces.create(upstream, name="New", slug="new", settings=asked)
    assert (made.description, made.io_logging_sampling_rate, made.extra) == ("d", Decimal("0.5"), {})
    changes = WorkspaceChanges(slug="newer", description=None, disabled_server_tools=["openrouter:bash"])
    changed = workspaces.update(upstream, workspace_id=made.id, changes=changes)
    assert (changed.slug, changed.description) == ("newer", None)
    assert changed.disabled_server_tools == ("openrouter:bash",)
    workspaces.delete(upstream, workspace_id=made.id)
    workspaces.delete(upstream, workspace_id=made.id)
    with pytest.raises(errors.NotFound):
        workspaces.get(upstream, workspace_id=made.id)


def test_budgets_are_changed_in_the_order_the_steps_say(upstream: OpenRouter) -> None:
    first = {"daily": Decimal(1), "weekly": Decimal(2), "lifetime": Decimal(3)}
    second = {"weekly": Decimal("40.5"), "monthly": Decimal(50), "lifetime": Decimal(60)}
    current: dict[str, Decimal] = {}
    for wanted in (first, second, first):
        for step in workspace_budgets.steps(current, wanted):
            if step.limit_usd is None:
                workspace_budgets.delete(upstream, workspace_id="default", interval=step.interval)
            else:
                workspace_budgets.put(
                    upstream, workspace_id="default", interval=step.interval, limit_usd=step.limit_usd
                )
        found = workspace_budgets.get_all(upstream, workspace_id="default")
        current = {budget.interval: budget.limit_usd for budget in found.budgets}
        assert current == wanted
    assert workspace_budgets.get(upstream, workspace_id="default", interval="monthly") is None
    with pytest.raises(errors.InvalidRequest, match=r"weekly .* less than the lifetime"):
        workspace_budgets.put(upstream, workspace_id="default", interval="weekly", limit_usd=Decimal(3))


@pytest.mark.parametrize("plan", ["forbidden", "absent"])
def test_a_plan_without_budgets_lacks_a_feature(
    running: RunningSandbox, upstream: OpenRouter, plan: str
) -> None:
    running.sandbox.account.budgets.plan = plan
    with pytest.raises(errors.OpenRouterError) as caught:
        workspace_budgets.put(upstream, workspace_id="default", interval="daily", limit_usd=Decimal(1))
    assert errors.lacks_feature(caught.value)


def test_people_come_and_go(running: RunningSandbox, upstream: OpenRouter) -> None:
    people = [member.id for page in members.walk(upstream) for member in page]
    assert len(people) == 130
    made = workspaces.create(upstream, name="New", slug="new")
    added = workspace_members.add(upstream, workspace_id="new", user_ids=[*people[:99], "user_stranger"])
    assert (added.added_count, len(added.members)) == (99, 99)
    there = workspace_members.everyone(upstream, workspace_id=made.id)
    assert there is not None
    assert [member.user_id for member in there] == people[:99]
    assert workspace_members.remove(upstream, workspace_id="new", user_ids=people[:2]) == 2
    everybody = workspace_members.everyone(upstream, workspace_id="default")
    assert everybody is not None
    assert {member.user_id for member in everybody} == set(people)


def test_the_whole_catalog_is_read_and_nothing_in_it_is_strange(
    running: RunningSandbox, upstream: OpenRouter
) -> None:
    listed = [model for page in models.walk(upstream, limit=70) for model in page]
    assert len(listed) == models.count(upstream) == 180
    assert not [model.id for model in listed if model.extra or model.pricing.extra]
    router = models.get(upstream, model_id="openrouter/auto")
    assert router.pricing.varies
    assert sum(model.pricing.varies for model in listed) == 1
    free = next(model for model in listed if model.id.endswith(":free"))
    assert models.get(upstream, model_id=free.id) == free
    assert running.sandbox.account.shelf.vanished not in {model.id for model in listed}
    ending = min(model.expiration_date for model in listed if model.expiration_date)
    assert ending > running.sandbox.now().date()


def test_endpoints_are_served_by_known_providers(upstream: OpenRouter) -> None:
    kept = model_endpoints.zdr(upstream)
    names = {provider.name for provider in providers.get_all(upstream)}
    assert {endpoint.provider_name for endpoint in kept} <= names
    assert any(endpoint.latency_last_30m for endpoint in kept)
    assert not [endpoint for endpoint in kept if endpoint.extra]
    found = model_endpoints.of_model(upstream, model_id="anthropic/claude-sonnet-4.5")
    assert found.endpoints[0].pricing == models.get(upstream, model_id=found.id).pricing


def test_models_that_draw_film_and_embed_are_read(upstream: OpenRouter) -> None:
    for image in media_models.images(upstream):
        assert media_models.image_endpoints(upstream, model_id=image.id).endpoints
    assert [model.extra for model in media_models.videos(upstream)] == [{}, {}, {}]
    embedding = [model for page in models.walk_embeddings(upstream, limit=2) for model in page]
    assert {model.architecture.output_modalities for model in embedding} == {("embeddings",)}


def test_a_query_reaches_the_service(upstream: OpenRouter) -> None:
    query = ModelQuery(
        output_modalities=("text",), supported_parameters=("tools",), zdr=True, sort="pricing-high-to-low",
        max_price=Decimal(2), providers=("Amazon Bedrock",), max_age_days=2000,
    )  # fmt: skip
    found = [model for page in models.walk(upstream, query=query, limit=5) for model in page]
    prices = [model.pricing.prompt for model in found if model.pricing.prompt is not None]
    assert len(prices) == len(found) > 5
    assert max(prices) * 1_000_000 <= 2
    with pytest.raises(errors.InvalidRequest):
        models.page(upstream, query=ModelQuery(sort="best"))


def test_what_an_inference_key_may_use_is_asked_for_with_it(
    running: RunningSandbox, upstream: OpenRouter
) -> None:
    with pytest.raises(errors.Forbidden):
        list(models.walk_usable(upstream))
    with new_session() as session:
        own = OpenRouter(
            base_url=running.url, key=Secret(running.sandbox.inference_key), patience=STEADY, session=session
        )
        usable = [model.id for page in models.walk_usable(own) for model in page]
    assert usable == [model.id for page in models.walk(upstream) for model in page]

"""Observability destinations as the vendor's client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from openrouter import OpenRouter, components, errors

from tests.contract.test_the_rest import managing, pages
from tests.sandbox_server import RunningSandbox, running_sandbox

NOBODY = "00000000-0000-4000-8000-000000000000"
KEYS = {"secretKey": "sk-lf-0123456789abcdefAbCd", "publicKey": "pk-lf-0123456789EfGh"}


def test_every_seeded_destination_is_well_formed_and_found(running: RunningSandbox, sdk: OpenRouter) -> None:
    met: dict[str, Any] = {}
    for workspace in running.sandbox.account.workspaces:
        page = sdk.observability.list(workspace_id=workspace.id)
        assert page is not None
        rows: list[Any] = page.result.data
        assert {row.workspace_id for row in rows} <= {workspace.id}
        met |= {row.id: row for row in rows}
    assert met.keys() == {row.id for row in running.sandbox.account.destinations}
    assert len({row.type for row in met.values()}) >= 4


def test_one_is_made_with_every_field_changed_and_deleted(running: RunningSandbox, sdk: OpenRouter) -> None:
    workspace = running.sandbox.account.workspaces.get("production").id
    key = running.sandbox.every_key()[0]["hash"]
    rules = components.ObservabilityFilterRulesConfigNullable(
        groups=[
            components.ObservabilityFilterRuleGroup(
                rules=[
                    components.Rule(field="total_cost", operator="gte", value=0.5),
                    components.Rule(field="user_id", operator="exists"),
                ],
                logic="or",
            )
        ]
    )
    made = sdk.observability.create(
        config={**KEYS, "headers": {"X-Token": "Bearer 0123456789"}}, name="Spuren", type_="langfuse",
        api_key_hashes=[key], broadcast_generation_cost=True, broadcast_generation_cost_allocation=True,
        broadcast_generation_identity=True, broadcast_generation_request_context=True, enabled=False,
        filter_rules=rules, privacy_mode=True, regions=["eu"], sampling_rate=0.25, workspace_id=workspace,
    ).data  # fmt: skip
    assert isinstance(made, components.ObservabilityLangfuseDestination)
    assert (made.name, made.enabled, made.privacy_mode, made.sampling_rate) == ("Spuren", False, True, 0.25)
    assert (made.api_key_hashes, made.regions, made.workspace_id) == ([key], ["europe"], workspace)
    assert (made.config.secret_key, made.config.public_key) == ("sk-l...AbCd", "pk-l...EfGh")
    assert made.config.headers == {"X-Token": "Bear...6789"}
    assert made.filter_rules is not None
    assert [rule.value for rule in made.filter_rules.groups[0].rules] == [0.5, None]
    changed = sdk.observability.update(
        id=made.id,
        config={"secretKey": "sk-l...AbCd", "baseUrl": "https://eu.example"},
        api_key_hashes=None,
        filter_rules=None,
        enabled=True,
    ).data
    assert isinstance(changed, components.ObservabilityLangfuseDestination)
    assert (changed.config.base_url, changed.config.secret_key) == ("https://eu.example", "sk-l...AbCd")
    assert (changed.api_key_hashes, changed.filter_rules, changed.enabled) == (None, None, True)
    assert sdk.observability.get(id=made.id).data == changed
    assert sdk.observability.delete(id=made.id).DELETED is True
    with pytest.raises(errors.NotFoundResponseError):
        sdk.observability.get(id=made.id)


def test_the_sixth_of_a_type_is_a_conflict(sdk: OpenRouter) -> None:
    for number in range(5):
        sdk.observability.create(config={"apiKey": "x"}, name=f"P{number}", type_="posthog")
    with pytest.raises(errors.ConflictResponseError) as caught:
        sdk.observability.create(config={"apiKey": "x"}, name="P5", type_="posthog")
    assert caught.value.data.error.code == 409


def test_a_list_is_walked_by_the_clients_own_paging() -> None:
    with running_sandbox(workspaces=1, keys=5) as running, managing(running) as sdk:
        for number in range(120):
            running.sandbox.outside.create_destination(
                kind="posthog", name=f"{number}", config={"apiKey": "x"}
            )
        walked = pages(sdk.observability.list(limit=50))
        ids = [row.id for page in walked for row in page.result.data]
        assert len(walked) == 3
        assert len(ids) == len(set(ids)) == len(running.sandbox.account.destinations)


@pytest.mark.parametrize("wrong", [
    {"workspace_id": NOBODY}, {"config": {}}, {"sampling_rate": 2}, {"api_key_hashes": []},
    {"regions": []},
])  # fmt: skip
def test_a_wrong_one_is_a_bad_request(sdk: OpenRouter, wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.observability.create(**{"config": KEYS, "name": "x", "type_": "langfuse", **wrong})
    assert caught.value.data.error.code == 400


@pytest.mark.parametrize(("act", "more"), [("get", {}), ("delete", {}), ("update", {"name": "x"})])
def test_an_unknown_one_is_not_found(sdk: OpenRouter, act: str, more: dict[str, Any]) -> None:
    with pytest.raises(errors.NotFoundResponseError) as caught:
        getattr(sdk.observability, act)(id=NOBODY, **more)
    assert caught.value.data.error.code == 404

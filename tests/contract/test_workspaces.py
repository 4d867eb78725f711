"""Workspaces with their members and budgets as the vendor's client sees them."""

from __future__ import annotations

import httpx
import pytest
from openrouter import OpenRouter, components, errors

from orgadmin.sandbox.app import Options
from tests.contract.shapes import hold_against
from tests.contract.test_every_call import Listener
from tests.contract.test_the_rest import managing, pages
from tests.sandbox_server import RunningSandbox, running_sandbox


def test_a_workspace_is_made_with_every_field(sdk: OpenRouter) -> None:
    made = sdk.workspaces.create(
        name="New", slug="new", description="d", default_text_model="openai/gpt-5",
        default_image_model="openai/gpt-5-image", default_provider_sort="exacto",
        is_observability_broadcast_enabled=True, is_observability_io_logging_enabled=True,
        io_logging_sampling_rate=0.25, io_logging_api_key_ids=[1, 2],
        is_data_discount_logging_enabled=True, disabled_server_tools=["openrouter:bash"],
    ).data  # fmt: skip
    assert made == sdk.workspaces.get(id="new").data
    assert (made.io_logging_api_key_ids, made.disabled_server_tools) == ([1, 2], ["openrouter:bash"])
    assert (made.io_logging_sampling_rate, made.include_byok_in_budgets) == (0.25, False)
    cleared = sdk.workspaces.update(
        id="new", description=None, default_text_model=None, io_logging_api_key_ids=None,
        disabled_server_tools=None, default_provider_sort=None,
    ).data  # fmt: skip
    assert (cleared.description, cleared.default_text_model, cleared.default_provider_sort) == (None,) * 3
    assert (cleared.io_logging_api_key_ids, cleared.disabled_server_tools) == (None, None)
    assert cleared.default_image_model == made.default_image_model


def test_a_workspace_with_active_keys_is_not_deleted(sdk: OpenRouter) -> None:
    with pytest.raises(errors.BadRequestResponseError):
        sdk.workspaces.delete(id="production")


def test_the_default_workspace_is_deleted_where_that_may_be() -> None:
    options = Options(keys=1, workspaces=2, default_deletable=True)
    with running_sandbox(options) as running, managing(running) as sdk:
        running.sandbox.outside.delete_key(running.sandbox.every_key()[0]["hash"])
        with pytest.raises(errors.BadRequestResponseError):
            sdk.workspaces.delete(id="default")
        assert sdk.workspaces.delete(id="default", confirm_default_workspace_deletion="true").DELETED is True


def test_budgets_are_set_in_order_and_taken_away(sdk: OpenRouter) -> None:
    with pytest.raises(errors.NotFoundResponseError):
        sdk.workspaces.get_budget(workspace_ref="default", interval="daily")
    sdk.workspaces.set_budget(workspace_ref="default", interval="lifetime", limit_usd=100)
    answer = sdk.workspaces.set_budget(
        workspace_ref="default", interval="daily", limit_usd=1.5, include_byok_in_budgets=True
    )
    assert (answer.data.reset_interval, answer.data.limit_usd) == ("daily", 1.5)
    assert answer.include_byok_in_budgets is True
    with pytest.raises(errors.BadRequestResponseError, match="daily budget"):
        sdk.workspaces.set_budget(workspace_ref="default", interval="weekly", limit_usd=1)
    rows = {
        row.reset_interval: row.limit_usd for row in sdk.workspaces.list_budgets(workspace_ref="default").data
    }
    assert rows == {None: 100, "daily": 1.5}
    for _ in range(2):
        assert sdk.workspaces.delete_budget(workspace_ref="default", interval="daily").DELETED is True


@pytest.mark.parametrize(("plan", "status"), [("forbidden", 403), ("absent", 404)])
def test_a_plan_without_budgets_is_an_error_the_vendor_names(plan: str, status: int) -> None:
    with running_sandbox(Options(keys=1, budgets=plan)) as running, managing(running) as sdk:
        with pytest.raises(errors.OpenRouterError) as caught:
            sdk.workspaces.set_budget(workspace_ref="default", interval="daily", limit_usd=1)
        assert caught.value.raw_response.status_code == status


def test_every_seeded_budget_and_membership_is_well_formed(running: RunningSandbox) -> None:
    listener = Listener()
    with (
        httpx.Client(event_hooks={"response": [listener.hear]}) as http,
        OpenRouter(
            api_key=running.sandbox.management_key, server_url=running.url, retry_config=None, client=http
        ) as sdk,
    ):
        for workspace in running.sandbox.account.workspaces:
            sdk.workspaces.list_budgets(workspace_ref=workspace.slug)
            hold_against(components.ListWorkspaceBudgetsResponse, listener.last)
            sdk.workspaces.list_members(id=workspace.slug, limit=100)
            hold_against(components.ListWorkspaceMembersResponse, listener.last)


def test_members_come_and_go(running: RunningSandbox, sdk: OpenRouter) -> None:
    people = [member.id for member in running.sandbox.account.members]
    workspace = sdk.workspaces.create(name="x", slug="x").data.id
    added = sdk.workspaces.bulk_add_members(id="x", user_ids=[*people[:3], "user_stranger"])
    assert added.added_count == 3
    assert [(row.user_id, row.workspace_id) for row in added.data] == [
        (person, workspace) for person in people[:3]
    ]
    assert {row.role for row in added.data} <= {"admin", "member"}
    running.sandbox.outside.create_key(name="k", workspace_id=workspace, creator_user_id=people[0])
    with pytest.raises(errors.BadRequestResponseError, match="active API keys"):
        sdk.workspaces.bulk_remove_members(id="x", user_ids=people[:1])
    assert sdk.workspaces.bulk_remove_members(id="x", user_ids=people[1:5]).removed_count == 2
    (page,) = pages(sdk.workspaces.list_members(id=workspace))
    assert [row.user_id for row in page.result.data] == people[:1]


def test_members_of_the_identity_provider_stay(running: RunningSandbox, sdk: OpenRouter) -> None:
    row = next(row for row in running.sandbox.account.memberships if row.managed)
    with pytest.raises(errors.ForbiddenResponseError):
        sdk.workspaces.bulk_remove_members(id=row.workspace_id, user_ids=[row.user_id])


def test_members_of_a_workspace_are_walked_by_the_clients_own_paging() -> None:
    with running_sandbox(Options(keys=3, members=57)) as running, managing(running) as sdk:
        walked = pages(sdk.workspaces.list_members(id="default", limit=20))
        people = [row.user_id for page in walked for row in page.result.data]
    assert (len(people), len(set(people))) == (57, 57)

"""Workspaces, members and credits as the vendor's client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from openrouter import OpenRouter, errors

from orgadmin.sandbox.app import Options
from tests.sandbox_server import RunningSandbox, running_sandbox

# The client's own model of `GET /key` announces the end of two fields whenever it is filled.
pytestmark = pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")


def managing(running: RunningSandbox) -> OpenRouter:
    return OpenRouter(api_key=running.sandbox.management_key, server_url=running.url, retry_config=None)


def pages(first: Any) -> list[Any]:
    """A page and all that follow it, as the client itself walks them."""
    walked = []
    page = first
    while page is not None:
        walked.append(page)
        page = page.next()
    return walked


def test_workspaces_and_members_are_walked_by_the_clients_own_paging() -> None:
    with running_sandbox(Options(keys=3, members=57, workspaces=52)) as running, managing(running) as sdk:
        workspaces = pages(sdk.workspaces.list(limit=20))
        members = pages(sdk.organization.list_members(limit=20))
    assert {page.result.total_count for page in workspaces} == {52}
    assert {page.result.total_count for page in members} == {57}
    slugs = [row.slug for page in workspaces for row in page.result.data]
    people = [row.id for page in members for row in page.result.data]
    assert (len(slugs), len(set(slugs))) == (52, 52)
    assert (len(people), len(set(people))) == (57, 57)


def test_a_workspace_is_found_by_its_slug(running: RunningSandbox, sdk: OpenRouter) -> None:
    found = sdk.workspaces.get(id="default").data
    assert found == sdk.workspaces.get(id=found.id).data
    with pytest.raises(errors.NotFoundResponseError):
        sdk.workspaces.get(id="nowhere")


def test_a_workspace_is_made_changed_and_deleted(sdk: OpenRouter) -> None:
    made = sdk.workspaces.create(name="New", slug="new", description="d", default_provider_sort="price").data
    changed = sdk.workspaces.update(id="new", name="Newer", io_logging_sampling_rate=0.5).data
    assert (changed.id, changed.name, changed.io_logging_sampling_rate) == (made.id, "Newer", 0.5)
    assert sdk.workspaces.delete(id=made.id).DELETED is True
    with pytest.raises(errors.BadRequestResponseError):
        sdk.workspaces.create(name="x", slug="Not A Slug")
    with pytest.raises(errors.ForbiddenResponseError):
        sdk.workspaces.delete(id="default")


def test_a_personal_account_has_no_members() -> None:
    with running_sandbox(Options(keys=1, personal=True)) as running, managing(running) as sdk:
        with pytest.raises(errors.NotFoundResponseError):
            sdk.organization.list_members()
        assert sdk.api_keys.get_current_key_metadata().data.organization_id is None


def test_credits_are_a_difference_of_two_totals(sdk: OpenRouter) -> None:
    data = sdk.credits.get_credits().data
    assert data.total_credits > data.total_usage > 0

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import errors, workspaces
from orgadmin.openrouter.unset import UNSET
from orgadmin.openrouter.workspaces import WorkspaceChanges
from tests.openrouter.cast import BASE, WORKSPACE, refusal, workspace_row
from tests.openrouter.lists import last_query, sent_body

URL = f"{BASE}/workspaces"
ONE = f"{URL}/{WORKSPACE}"
EVERYTHING: dict[str, Any] = {
    "description": "Größe",
    "default_text_model": "openai/gpt-5",
    "default_image_model": None,
    "default_provider_sort": "exacto",
    "is_observability_broadcast_enabled": True,
    "is_observability_io_logging_enabled": False,
    "io_logging_sampling_rate": Decimal("0.0001"),
    "io_logging_api_key_ids": (1, 2),
    "is_data_discount_logging_enabled": False,
    "disabled_server_tools": (),
}
AS_SENT = {**EVERYTHING, "io_logging_api_key_ids": [1, 2], "disabled_server_tools": []}


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def test_create_sends_every_field_it_is_given(client):
    responses.post(URL, status=201, json={"data": workspace_row(name="New")})
    made = workspaces.create(client, name="New", slug="new-1", settings=WorkspaceChanges(**EVERYTHING))
    assert made.name == "New"
    assert sent_body() == {"name": "New", "slug": "new-1", **AS_SENT}


def test_create_sends_nothing_it_was_not_given(client):
    responses.post(URL, status=201, json={"data": workspace_row()})
    workspaces.create(client, name="New", slug="new")
    assert sent_body() == {"name": "New", "slug": "new"}


def test_a_create_without_an_answer_is_not_repeated_and_in_doubt(client):
    responses.post(URL, status=502)
    with pytest.raises(errors.ServerFailure) as caught:
        workspaces.create(client, name="New", slug="new")
    assert (client.calls, caught.value.outcome_unknown) == (1, True)


def test_a_created_workspace_we_cannot_read_is_in_doubt(client):
    responses.post(URL, status=201, json={"data": {}})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        workspaces.create(client, name="New", slug="new")
    assert caught.value.outcome_unknown


def test_upstreams_words_about_a_taken_slug_reach_the_caller(client):
    responses.post(URL, status=400, json=refusal("This slug is taken"))
    with pytest.raises(errors.InvalidRequest, match="This slug is taken"):
        workspaces.create(client, name="New", slug="new")


@pytest.mark.parametrize(("name", "slug"), [
    ("", "x"), ("x" * 101, "x"), ("x", ""), ("x", "x" * 51), ("x", "Upper"), ("x", "a--b"), ("x", "-a"),
    ("x", "a-"), ("x", "ä"), ("x", "a\n"),
])  # fmt: skip
def test_a_name_or_slug_upstream_would_refuse_is_not_sent(client, name, slug):
    with pytest.raises(ValueError, match=r".+"):
        workspaces.create(client, name=name, slug=slug)
    assert client.calls == 0


@pytest.mark.parametrize("slug", ["a", "a-b-c", "0", "x" * 50])
def test_a_slug_upstream_takes_is_a_slug(slug):
    assert WorkspaceChanges(slug=slug).body() == {"slug": slug}


def test_update_sends_only_what_changes(client):
    responses.patch(ONE, json={"data": workspace_row(name="new")})
    changes = WorkspaceChanges(name="new", **EVERYTHING)
    assert workspaces.update(client, workspace_id=WORKSPACE, changes=changes).name == "new"
    assert sent_body() == {"name": "new", **AS_SENT}
    workspaces.update(client, workspace_id=WORKSPACE, changes=WorkspaceChanges(description=None))
    assert sent_body() == {"description": None}


def test_an_update_is_repeated_when_the_server_failed(client):
    responses.patch(ONE, status=503)
    responses.patch(ONE, json={"data": workspace_row(name="new")})
    changes = WorkspaceChanges(name="new")
    assert workspaces.update(client, workspace_id=WORKSPACE, changes=changes).name == "new"
    assert client.calls == 2


def test_an_update_without_changes_is_refused_here(client):
    with pytest.raises(ValueError, match="nothing to change"):
        workspaces.update(client, workspace_id=WORKSPACE, changes=WorkspaceChanges())
    assert client.calls == 0


@pytest.mark.parametrize("changes", [
    {"name": ""}, {"name": None}, {"slug": None}, {"slug": "A"}, {"description": "x" * 501},
    {"is_observability_broadcast_enabled": None}, {"is_observability_io_logging_enabled": None},
    {"is_data_discount_logging_enabled": None}, {"io_logging_sampling_rate": None},
    {"io_logging_sampling_rate": Decimal(0)}, {"io_logging_sampling_rate": Decimal("1.01")},
    {"io_logging_sampling_rate": Decimal("NaN")},
])  # fmt: skip
def test_changes_upstream_would_refuse_cannot_be_made(changes):
    with pytest.raises(ValueError, match=r".+"):
        WorkspaceChanges(**changes)


def test_a_change_knows_what_it_holds():
    assert not WorkspaceChanges()
    assert WorkspaceChanges(disabled_server_tools=None)
    assert WorkspaceChanges(is_data_discount_logging_enabled=False)
    assert WorkspaceChanges().slug is UNSET


@pytest.mark.parametrize("answer", [{"json": {"deleted": True}}, {"status": 204}])
def test_delete(client, answer):
    responses.delete(ONE, **answer)
    workspaces.delete(client, workspace_id=WORKSPACE)
    assert (client.calls, last_query()) == (1, {})


def test_the_default_workspace_is_deleted_with_a_confirmation(client):
    responses.delete(f"{URL}/default", json={"deleted": True})
    workspaces.delete(client, workspace_id="default", confirm_default=True)
    assert last_query() == {"confirm_default_workspace_deletion": "true"}


def test_a_workspace_that_is_gone_already_counts_as_deleted(client):
    responses.delete(ONE, status=404, json=refusal("Workspace not found", 404))
    workspaces.delete(client, workspace_id=WORKSPACE)


@pytest.mark.parametrize(("status", "kind"), [(400, errors.InvalidRequest), (403, errors.Forbidden)])
def test_what_stands_in_the_way_of_a_deletion_is_told(client, status, kind):
    responses.delete(ONE, status=status, json=refusal("It has active keys", status))
    with pytest.raises(kind, match="It has active keys"):
        workspaces.delete(client, workspace_id=WORKSPACE)


def test_a_delete_that_is_not_confirmed_is_in_doubt(client):
    responses.delete(ONE, json={"deleted": False})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        workspaces.delete(client, workspace_id=WORKSPACE)
    assert caught.value.outcome_unknown

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import responses

from orgadmin.openrouter import errors, workspaces
from tests.openrouter.cast import BASE, refusal, workspace_row
from tests.openrouter.lists import last_query, serve_counted

URL = f"{BASE}/workspaces"


@responses.activate
def test_a_page_asks_once_and_knows_the_total(client):
    responses.get(URL, json={"data": [workspace_row(1), workspace_row(2)], "total_count": 7})
    page = workspaces.page(client, offset=3, limit=2)
    assert (len(page.items), page.total_count) == (2, 7)
    assert last_query() == {"offset": "3", "limit": "2"}


@responses.activate
def test_every_field_is_read(client):
    row = workspace_row(
        io_logging_api_key_ids=[1, 2],
        include_byok_in_budgets=True,
        disabled_server_tools=["openrouter:web_search"],
        default_provider_sort="a new way",
        novelty=1,
    )
    responses.get(f"{URL}/workspace-1", json={"data": row})
    workspace = workspaces.get(client, workspace_id="workspace-1")
    assert workspace.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert workspace.io_logging_sampling_rate == Decimal("0.25")
    assert workspace.io_logging_api_key_ids == (1, 2)
    assert workspace.disabled_server_tools == ("openrouter:web_search",)
    assert workspace.default_provider_sort == "a new way"
    assert (workspace.include_byok_in_budgets, workspace.extra) == (True, {"novelty": 1})


@responses.activate
def test_a_walk_brings_each_workspace_once(client):
    serve_counted(URL, [workspace_row(number) for number in range(250)])
    pages = list(workspaces.walk(client))
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({row.id for page in pages for row in page}) == 250
    assert client.calls == 3


@responses.activate
def test_an_unknown_workspace_is_not_found(client):
    responses.get(f"{URL}/nowhere", status=404, json=refusal("Workspace not found", 404))
    with pytest.raises(errors.NotFound, match="Workspace not found"):
        workspaces.get(client, workspace_id="nowhere")


@pytest.mark.parametrize(("offset", "limit"), [(-1, 10), (0, 0), (0, 101)])
def test_a_window_upstream_refuses_is_not_asked_for(client, offset, limit):
    with pytest.raises(ValueError, match="offset"):
        workspaces.page(client, offset=offset, limit=limit)
    assert client.calls == 0

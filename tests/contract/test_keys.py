"""Keys as the vendor's client sees them."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.request import Request, urlopen

import pytest
from openrouter import OpenRouter, errors, operations

from tests.contract.shapes import hold_against
from tests.sandbox_server import RunningSandbox

# The client's own model of `GET /key` announces the end of two fields whenever it is filled.
pytestmark = pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")


def test_every_seeded_key_is_well_formed_in_every_workspace(running: RunningSandbox, sdk: OpenRouter) -> None:
    met = set()
    for workspace in running.sandbox.account.workspaces:
        page = sdk.api_keys.list(workspace_id=workspace.id, include_disabled=True, include_expired=True)
        met |= {key.hash for key in page.data}
        assert {key.workspace_id for key in page.data} == {workspace.id}
    assert met == {key["hash"] for key in running.sandbox.every_key()}


def test_a_key_is_made_with_every_field_changed_and_deleted(running: RunningSandbox, sdk: OpenRouter) -> None:
    member = next(iter(running.sandbox.account.members)).id
    workspace = running.sandbox.account.workspaces.get("production").id
    expiry = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = sdk.api_keys.create(
        name="Übersetzer", limit=12.5, limit_reset="weekly", include_byok_in_limit=True,
        expires_at=expiry, creator_user_id=member, workspace_id=workspace,
        external={"user": "end-user"},
    )  # fmt: skip
    key = made.data
    assert sha256(made.key.encode()).hexdigest() == key.hash
    assert (key.name, key.limit, key.limit_reset, key.include_byok_in_limit) == (
        "Übersetzer",
        12.5,
        "weekly",
        True,
    )
    assert (key.expires_at, key.creator_user_id, key.workspace_id) == (expiry, member, workspace)
    assert (key.external_user, key.usage, key.last_used_at, key.updated_at) == ("end-user", 0, None, None)

    there = running.sandbox.account.workspaces.get("default").id
    changed = sdk.api_keys.update(
        hash=key.hash, name="neu", disabled=True, limit=None, workspace_id=there
    ).data
    assert (changed.name, changed.disabled, changed.limit, changed.workspace_id) == ("neu", True, None, there)
    assert changed.limit_remaining is None
    assert sdk.api_keys.get(hash=key.hash).data.name == "neu"

    assert sdk.api_keys.delete(hash=key.hash).DELETED is True
    with pytest.raises(errors.NotFoundResponseError):
        sdk.api_keys.get(hash=key.hash)


def test_offsets_walk_the_list(running: RunningSandbox, sdk: OpenRouter) -> None:
    for number in range(90):
        running.sandbox.outside.create_key(name=f"more {number}")
    first = sdk.api_keys.list().data
    second = sdk.api_keys.list(offset=100).data
    assert len(first) == 100
    assert 0 < len(second) < 100
    assert not {key.hash for key in first} & {key.hash for key in second}


@pytest.mark.parametrize("wrong", [
    {"name": ""}, {"name": "x", "limit": -1},
    {"name": "x", "expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, {"name": "x", "creator_user_id": "user_x"},
    {"name": "x", "workspace_id": "00000000-0000-4000-8000-000000000000"},
])  # fmt: skip
def test_a_wrong_key_is_a_bad_request(sdk: OpenRouter, wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.api_keys.create(**wrong)
    assert caught.value.data.error.code == 400


def test_a_change_of_nothing_is_a_bad_request(running: RunningSandbox, sdk: OpenRouter) -> None:
    key = running.sandbox.every_key()[0]["hash"]
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.api_keys.update(hash=key)
    assert caught.value.data.error.message == "No update fields provided"


@pytest.mark.parametrize("act", ["get", "delete", "update"])
def test_an_unknown_key_is_not_found(sdk: OpenRouter, act: str) -> None:
    more = {"name": "x"} if act == "update" else {}
    with pytest.raises(errors.NotFoundResponseError) as caught:
        getattr(sdk.api_keys, act)(hash="0" * 64, **more)
    assert caught.value.data.error.code == 404


def test_an_ordinary_key_describes_itself(running: RunningSandbox, sdk: OpenRouter) -> None:
    made = sdk.api_keys.create(
        name="x", limit=5, limit_reset="monthly", expires_at=datetime(2030, 1, 1, tzinfo=UTC)
    )
    running.sandbox.outside.spend(made.data.hash, usd=1)
    with OpenRouter(api_key=made.key, server_url=running.url, retry_config=None) as own:
        data = own.api_keys.get_current_key_metadata().data
    assert (data.is_management_key, data.limit, data.limit_remaining) == (False, 5, 4)
    assert data.effective_budget is not None
    assert data.effective_budget.scope == "key_limit"
    assert data.effective_budget.resets_at is not None


def test_a_limited_key_has_exactly_the_vendors_fields(running: RunningSandbox, sdk: OpenRouter) -> None:
    made = sdk.api_keys.create(name="x", limit=5, limit_reset="daily")
    request = Request(f"{running.url}/key", headers={"Authorization": f"Bearer {made.key}"})
    with urlopen(request) as response:
        hold_against(operations.GetCurrentKeyResponse, response.read().decode())

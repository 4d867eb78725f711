"""Guardrails and their assignments as the vendor's client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from openrouter import OpenRouter, components, errors

from orgadmin.sandbox.app import Options
from tests.contract.test_the_rest import managing, pages
from tests.sandbox_server import RunningSandbox, running_sandbox

# The client's own model of a guardrail announces the end of `enforce_zdr` whenever it is filled.
pytestmark = pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_every_seeded_guardrail_is_well_formed_and_found(running: RunningSandbox, sdk: OpenRouter) -> None:
    met = set()
    for workspace in running.sandbox.account.workspaces:
        page = sdk.guardrails.list(workspace_id=workspace.id)
        assert page is not None
        met |= {row.id for row in page.result.data}
        assert {row.workspace_id for row in page.result.data} <= {workspace.id}
    assigned = sdk.guardrails.list_key_assignments(limit=100)
    assert assigned is not None
    unlisted = {row.guardrail_id for row in assigned.result.data} - met
    (legacy,) = unlisted
    assert sdk.guardrails.get(id=legacy).data.workspace_id is None
    assert met | unlisted == {row.id for row in running.sandbox.account.guardrails}


def test_a_guardrail_is_made_with_every_field_changed_and_deleted(
    running: RunningSandbox, sdk: OpenRouter
) -> None:
    workspace = running.sandbox.account.workspaces.get("production").id
    made = sdk.guardrails.create(
        name="Übersetzer", description="d", workspace_id=workspace, limit_usd=12.5, reset_interval="weekly",
        include_byok_in_budgets=True, allowed_models=["openai/gpt-5.2"], ignored_models=["z-ai/glm-4.7"],
        allowed_providers=["openai"], ignored_providers=["azure"], enforce_zdr_openai=True,
        enforce_zdr_xai=False, enable_paid_model_training=False, enable_free_model_training=True,
        enable_free_model_publication=None, allowed_data_regions=["europe", "us"],
        allow_safety_retention_google=False, allow_safety_retention_other=True,
        content_filter_builtins=[components.ContentFilterBuiltinEntryInput(slug="email", action="redact")],
        content_filters=[components.ContentFilterEntry(pattern=r"\d+", action="block", label="[N]")],
    ).data  # fmt: skip
    assert (made.name, made.description, made.workspace_id) == ("Übersetzer", "d", workspace)
    assert (made.limit_usd, made.reset_interval, made.include_byok_in_budgets) == (12.5, "weekly", True)
    assert made.allowed_models == ["openai/gpt-5.2-20251211"]
    assert (made.enforce_zdr_openai, made.enforce_zdr_xai, made.enforce_zdr_google) == (True, False, None)
    assert (made.allowed_data_regions, made.allow_safety_retention_google) == (["europe", "us"], False)
    assert made.content_filter_builtins == [
        components.ContentFilterBuiltinEntry(slug="email", action="redact", label="[EMAIL]")
    ]
    assert made.content_filters == [
        components.ContentFilterEntry(pattern=r"\d+", action="block", label="[N]")
    ]
    changed = sdk.guardrails.update(
        id=made.id, name="neu", limit_usd=None, reset_interval=None, allowed_models=None
    ).data
    assert (changed.name, changed.limit_usd, changed.allowed_models) == ("neu", None, None)
    assert (changed.description, changed.allowed_providers) == ("d", ["openai"])
    assert sdk.guardrails.get(id=made.id).data == changed
    assert sdk.guardrails.delete(id=made.id).DELETED is True
    with pytest.raises(errors.NotFoundResponseError):
        sdk.guardrails.get(id=made.id)


def test_a_default_guardrail_is_made_by_its_first_change(running: RunningSandbox, sdk: OpenRouter) -> None:
    workspace = sdk.workspaces.get(id="research").data
    with pytest.raises(errors.NotFoundResponseError):
        sdk.guardrails.get(id=workspace.default_guardrail_id)
    made = sdk.guardrails.update(id=workspace.default_guardrail_id, enforce_zdr_openai=True).data
    assert made == sdk.guardrails.get(id=workspace.default_guardrail_id).data
    assert made.name == f"Workspace {workspace.id} Default"
    with pytest.raises(errors.BadRequestResponseError):
        sdk.guardrails.update(id=made.id, name="Mine")
    with pytest.raises(errors.ForbiddenResponseError):
        sdk.guardrails.delete(id=made.id)


def test_keys_and_members_are_moved_counted_and_freed(running: RunningSandbox, sdk: OpenRouter) -> None:
    keys = [key["hash"] for key in running.sandbox.every_key()[:4]]
    people = [member.id for member in running.sandbox.account.members][:3]
    first, second = (sdk.guardrails.create(name=name).data.id for name in ("a", "b"))
    assert sdk.guardrails.bulk_assign_keys(id=first, key_hashes=[*keys, "0" * 64]).assigned_count == 4
    assert sdk.guardrails.bulk_assign_members(id=first, member_user_ids=people).assigned_count == 3
    assert sdk.guardrails.bulk_assign_keys(id=second, key_hashes=keys[:1]).assigned_count == 1
    assert sdk.guardrails.bulk_unassign_keys(id=first, key_hashes=keys).unassigned_count == 3
    assert sdk.guardrails.bulk_unassign_members(id=first, member_user_ids=people[:1]).unassigned_count == 1
    by_key = sdk.guardrails.list_guardrail_key_assignments(id=second)
    by_member = sdk.guardrails.list_guardrail_member_assignments(id=first)
    assert by_key is not None
    assert by_member is not None
    assert [row.key_hash for row in by_key.result.data] == keys[:1]
    assert [row.user_id for row in by_member.result.data] == people[1:]
    assert by_member.result.data[0].organization_id == running.sandbox.account.organization_id


def test_lists_are_walked_by_the_clients_own_paging() -> None:
    options = Options(keys=140, members=80, guardrails=130, workspaces=1)
    with running_sandbox(options) as running, managing(running) as sdk:
        guardrails = pages(sdk.guardrails.list(limit=40))
        keys = pages(sdk.guardrails.list_key_assignments(limit=20))
        members = pages(sdk.guardrails.list_member_assignments(limit=10))
        account = running.sandbox.account.guardrails
        legacy = 1
        for walked, total in (
            (guardrails, len(account) - legacy),
            (keys, len(list(account.keys))),
            (members, len(list(account.members))),
        ):
            assert {page.result.total_count for page in walked} == {total}
            ids = [row.id for page in walked for row in page.result.data]
            assert len(walked) > 1
            assert len(ids) == len(set(ids)) == total


@pytest.mark.parametrize("wrong", [
    {"name": ""}, {"name": "x" * 201}, {"description": "x" * 1001}, {"workspace_id": NOBODY},
    {"limit_usd": 5}, {"reset_interval": "daily"}, {"allowed_models": []},
    {"allowed_models": ["nobody/nothing"]}, {"ignored_providers": ["nobody"]}, {"allowed_data_regions": []},
    {"content_filter_builtins": [{"slug": "email", "action": "flag"}]},
])  # fmt: skip
def test_a_wrong_guardrail_is_a_bad_request(sdk: OpenRouter, wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.guardrails.create(**{"name": "x", **wrong})
    assert caught.value.data.error.code == 400


def test_a_pattern_that_is_not_supported_says_so(sdk: OpenRouter) -> None:
    ahead = components.ContentFilterEntry(pattern="(?=x)", action="block")
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.guardrails.create(name="x", content_filters=[ahead])
    assert caught.value.data.error.metadata == {"error_type": "invalid_regex_pattern"}


def test_a_change_of_nothing_is_a_bad_request(sdk: OpenRouter) -> None:
    made = sdk.guardrails.create(name="x").data.id
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.guardrails.update(id=made)
    assert caught.value.data.error.message == "No update fields provided"


@pytest.mark.parametrize(("act", "more"), [
    ("get", {}), ("delete", {}), ("update", {"name": "x"}), ("list_guardrail_key_assignments", {}),
    ("list_guardrail_member_assignments", {}), ("bulk_assign_keys", {"key_hashes": ["x"]}),
    ("bulk_unassign_keys", {"key_hashes": ["x"]}), ("bulk_assign_members", {"member_user_ids": ["x"]}),
    ("bulk_unassign_members", {"member_user_ids": ["x"]}),
])  # fmt: skip
def test_an_unknown_guardrail_is_not_found(sdk: OpenRouter, act: str, more: dict[str, Any]) -> None:
    with pytest.raises(errors.NotFoundResponseError) as caught:
        getattr(sdk.guardrails, act)(id=NOBODY, **more)
    assert caught.value.data.error.code == 404


@pytest.mark.parametrize(("act", "field"), [
    ("bulk_assign_keys", "key_hashes"), ("bulk_unassign_keys", "key_hashes"),
    ("bulk_assign_members", "member_user_ids"), ("bulk_unassign_members", "member_user_ids"),
])  # fmt: skip
def test_an_empty_list_is_a_bad_request(sdk: OpenRouter, act: str, field: str) -> None:
    made = sdk.guardrails.create(name="x").data.id
    with pytest.raises(errors.BadRequestResponseError):
        getattr(sdk.guardrails, act)(id=made, **{field: []})

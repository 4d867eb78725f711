"""The client's guardrails against the sandbox, which was written without looking at it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orgadmin.openrouter import errors, guardrails, keys, workspaces
from orgadmin.openrouter import guardrail_assignments as assignments
from orgadmin.openrouter.guardrails import BuiltinFilter, CustomFilter, GuardrailChanges
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET
from orgadmin.sandbox.app import Options
from tests.sandbox_server import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def running():
    with running_sandbox(Options(keys=140, members=120, workspaces=4, days=10)) as running:
        yield running


@pytest.fixture
def client(running: RunningSandbox, session) -> OpenRouter:
    running.sandbox.reset()
    key = Secret(running.sandbox.management_key)
    return OpenRouter(base_url=running.url, key=key, session=session)


def listed(client: OpenRouter) -> dict[str, guardrails.Guardrail]:
    places = [row.id for page in workspaces.walk(client) for row in page]
    walks = (guardrails.walk(client, workspace_id=place) for place in places)
    return {row.id: row for walk in walks for page in walk for row in page}


def test_every_guardrail_is_found_and_read_whole(client, running):
    found = listed(client)
    holders = [row for page in assignments.key_walk(client) for row in page]
    unlisted = {row.guardrail_id for row in holders} - found.keys()
    found |= {one: guardrails.get(client, guardrail_id=one) for one in unlisted}
    assert found.keys() == {row.id for row in running.sandbox.account.guardrails}
    assert [found[one].workspace_id for one in unlisted] == [None]
    for row in found.values():
        assert row.extra == {}
        assert row.enforce_zdr_xai is not UNSET
        assert all(entry.extra == {} for entry in row.content_filter_builtins or ())


def test_growth_of_the_api_breaks_nothing(client, running):
    before = listed(client)
    running.sandbox.fault(kind="extra_field", path="/guardrails*", times=10)
    assert listed(client).keys() == before.keys()
    running.sandbox.clear_faults()
    running.sandbox.fault(kind="unknown_enum", path="/guardrails*", times=10)
    assert listed(client).keys() == before.keys()


def test_a_guardrail_is_made_changed_and_deleted(client):
    draft = GuardrailChanges(
        name="Übersetzer",
        limit_usd=Decimal("12.50"),
        reset_interval="weekly",
        allowed_models=("openai/gpt-5.2",),
        enforce_zdr_openai=True,
        content_filter_builtins=(BuiltinFilter(slug="email", action="redact"),),
        content_filters=(CustomFilter(pattern=r"\d+", action="block", label="[N]"),),
    )
    made = guardrails.create(client, draft=draft)
    assert made == guardrails.get(client, guardrail_id=made.id)
    assert (made.limit_usd, made.allowed_models) == (Decimal("12.5"), ("openai/gpt-5.2-20251211",))
    changes = GuardrailChanges(
        limit_usd=None, reset_interval=None, content_filter_builtins=made.content_filter_builtins
    )
    changed = guardrails.update(client, guardrail_id=made.id, changes=changes)
    assert (changed.limit_usd, changed.reset_interval, changed.enforce_zdr_openai) == (None, None, True)
    assert changed.content_filter_builtins == made.content_filter_builtins
    guardrails.delete(client, guardrail_id=made.id)
    guardrails.delete(client, guardrail_id=made.id)
    with pytest.raises(errors.NotFound):
        guardrails.get(client, guardrail_id=made.id)


def test_a_default_guardrail_is_made_by_its_first_change(client):
    workspace = workspaces.get(client, workspace_id="research")
    with pytest.raises(errors.NotFound):
        guardrails.get(client, guardrail_id=workspace.default_guardrail_id)
    changes = GuardrailChanges(enforce_zdr_openai=True)
    made = guardrails.update(client, guardrail_id=workspace.default_guardrail_id, changes=changes)
    assert made == guardrails.get(client, guardrail_id=workspace.default_guardrail_id)


def test_a_pattern_that_is_not_supported_is_told_by_its_kind(client):
    draft = GuardrailChanges(name="x", content_filters=(CustomFilter(pattern="(?=x)", action="block"),))
    with pytest.raises(errors.InvalidRequest) as caught:
        guardrails.create(client, draft=draft)
    assert caught.value.metadata is not None
    assert caught.value.metadata["error_type"] == guardrails.INVALID_PATTERN


def test_keys_and_members_are_moved_and_freed_by_the_fewest_calls(client, running):
    one, other = (guardrails.create(client, draft=GuardrailChanges(name=name)).id for name in "ab")
    hashes = [key["hash"] for key in running.sandbox.every_key()]
    people = [member.id for member in running.sandbox.account.members]
    running.sandbox.clear_requests()
    assert assignments.assign_keys(client, guardrail_id=one, key_hashes=[*hashes, "0" * 64]) == 140
    assert assignments.assign_members(client, guardrail_id=one, user_ids=people) == 120
    assert assignments.assign_keys(client, guardrail_id=other, key_hashes=hashes[:3]) == 3
    assert assignments.unassign_keys(client, guardrail_id=one, key_hashes=hashes) == 137
    assert assignments.unassign_members(client, guardrail_id=one, user_ids=people[:20]) == 20
    assert running.sandbox.requests().total == 8
    kept = [row.key_hash for page in assignments.key_walk(client) for row in page]
    members = [row for page in assignments.member_walk(client, guardrail_id=one) for row in page]
    assert kept == hashes[:3]
    assert [row.user_id for row in members] == people[20:]
    keys.delete(client, key_hash=hashes[0])
    assert assignments.key_page(client, guardrail_id=other).total_count == 2


def test_an_assignment_whose_answer_is_lost_is_in_doubt_and_not_repeated(client, running):
    one = guardrails.create(client, draft=GuardrailChanges(name="a")).id
    held = running.sandbox.every_key()[0]["hash"]
    running.sandbox.fault(kind="drop_after", method="POST", path="/guardrails/*")
    with pytest.raises(errors.AnswerLost) as caught:
        assignments.assign_keys(client, guardrail_id=one, key_hashes=[held])
    assert caught.value.outcome_unknown
    assert running.sandbox.requests().count("POST /guardrails/{id}/assignments/keys") == 1
    assert assignments.key_page(client, guardrail_id=one).items[0].key_hash == held

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import errors, guardrails
from orgadmin.openrouter.guardrails import BuiltinFilter, CustomFilter, GuardrailChanges
from orgadmin.openrouter.unset import UNSET
from tests.openrouter.cast import BASE, WORKSPACE, guardrail_row, refusal
from tests.openrouter.lists import last_query, sent_body, serve_counted

URL = f"{BASE}/guardrails"
ID = guardrail_row()["id"]
ONE = f"{URL}/{ID}"

FULL: dict[str, Any] = {
    "description": "d",
    "updated_at": "2025-08-24T15:45:00.363244+00:00",
    "limit_usd": 12.5,
    "reset_interval": "weekly",
    "include_byok_in_budgets": True,
    "allowed_models": ["openai/gpt-5.2-20251211"],
    "ignored_models": ["z-ai/glm-4.7-20251222"],
    "allowed_providers": ["openai", "azure"],
    "ignored_providers": None,
    "enforce_zdr": None,
    "enforce_zdr_anthropic": True,
    "enforce_zdr_openai": False,
    "enforce_zdr_google": None,
    "enforce_zdr_xai": None,
    "enforce_zdr_other": True,
    "enable_paid_model_training": False,
    "enable_free_model_training": True,
    "enable_free_model_publication": None,
    "allow_safety_retention_google": False,
    "allow_safety_retention_other": None,
    "allowed_data_regions": ["europe"],
    "content_filter_builtins": [
        {"slug": "email", "action": "redact", "label": "[EMAIL]"},
        {"slug": "regex-prompt-injection", "action": "flag", "scan_scope": "user_only", "depth": 3},
    ],
    "content_filters": [{"pattern": r"\d+", "action": "block", "label": None}],
}


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def test_a_page_asks_once_and_knows_the_total(client):
    responses.get(URL, json={"data": [guardrail_row(1), guardrail_row(2)], "total_count": 7})
    page = guardrails.page(client, workspace_id=WORKSPACE, offset=3, limit=2)
    assert (len(page.items), page.total_count) == (2, 7)
    assert last_query() == {"workspace_id": WORKSPACE, "offset": "3", "limit": "2"}


def test_a_page_of_the_default_workspace_names_none(client):
    responses.get(URL, json={"data": [], "total_count": 0})
    assert guardrails.page(client).items == ()
    assert last_query() == {"offset": "0", "limit": "100"}


def test_a_walk_brings_each_guardrail_once(client):
    serve_counted(URL, [guardrail_row(number) for number in range(250)])
    pages = list(guardrails.walk(client, workspace_id=WORKSPACE))
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({row.id for page in pages for row in page}) == 250
    assert client.calls == 3


@pytest.mark.parametrize(("offset", "limit"), [(-1, 10), (0, 0), (0, 101)])
def test_a_window_upstream_refuses_is_not_asked_for(client, offset, limit):
    with pytest.raises(ValueError, match="offset"):
        guardrails.page(client, offset=offset, limit=limit)
    assert client.calls == 0


def test_every_field_is_read(client):
    responses.get(ONE, json={"data": guardrail_row(**FULL, colour="blue")})
    read = guardrails.get(client, guardrail_id=ID)
    assert (read.id, read.name, read.workspace_id) == (ID, "Guardrail 1", WORKSPACE)
    assert read.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert read.updated_at == datetime(2025, 8, 24, 15, 45, 0, 363244, tzinfo=UTC)
    assert (read.limit_usd, read.reset_interval) == (Decimal("12.5"), "weekly")
    assert (read.allowed_models, read.ignored_providers) == (("openai/gpt-5.2-20251211",), None)
    assert (read.enforce_zdr_anthropic, read.enforce_zdr_openai, read.enforce_zdr_google) == (
        True,
        False,
        None,
    )
    assert (read.enforce_zdr_xai, read.enable_free_model_publication) == (None, None)
    assert (read.include_byok_in_budgets, read.allowed_data_regions) == (True, ("europe",))
    assert read.content_filter_builtins == (
        BuiltinFilter(slug="email", action="redact", label="[EMAIL]"),
        BuiltinFilter(
            slug="regex-prompt-injection", action="flag", scan_scope="user_only", extra={"depth": 3}
        ),
    )
    assert read.content_filters == (CustomFilter(pattern=r"\d+", action="block"),)
    assert read.extra == {"colour": "blue"}


@pytest.mark.parametrize("name", FULL)
def test_each_field_lands_in_its_own_place(client, name):
    responses.get(ONE, json={"data": guardrail_row(**{name: FULL[name]})})
    bare = {item: getattr(guardrails.get(client, guardrail_id=ID), item) for item in FULL}
    held = {item for item, value in bare.items() if value is not None and value is not UNSET}
    assert held == ({name} if FULL[name] is not None else set())


def test_what_this_server_does_not_have_is_told_from_null(client):
    responses.get(ONE, json={"data": guardrail_row(workspace_id=None)})
    read = guardrails.get(client, guardrail_id=ID)
    unset = {
        "include_byok_in_budgets", "enforce_zdr_xai", "enable_paid_model_training",
        "enable_free_model_training", "enable_free_model_publication", "allow_safety_retention_google",
        "allow_safety_retention_other", "allowed_data_regions",
    }  # fmt: skip
    assert {name for name in FULL if getattr(read, name) is UNSET} == unset
    assert {getattr(read, name) for name in FULL if name not in unset} == {None}
    assert read.workspace_id is None
    assert not read.enforce_zdr_xai


def test_words_nobody_has_heard_of_stay(client):
    row = guardrail_row(
        reset_interval="hourly",
        allowed_providers=["brand-new"],
        content_filter_builtins=[{"slug": "iban", "action": "shrug", "scan_scope": "aloud"}],
    )
    responses.get(ONE, json={"data": row})
    read = guardrails.get(client, guardrail_id=ID)
    assert (read.reset_interval, read.allowed_providers) == ("hourly", ("brand-new",))
    assert read.content_filter_builtins == (BuiltinFilter(slug="iban", action="shrug", scan_scope="aloud"),)


def test_a_default_guardrail_that_was_never_configured_is_not_found(client):
    responses.get(ONE, status=404, json=refusal("Guardrail not found", 404))
    with pytest.raises(errors.NotFound):
        guardrails.get(client, guardrail_id=ID)


def test_create_sends_what_is_set_and_nothing_else(client):
    responses.post(URL, status=201, json={"data": guardrail_row(**FULL)})
    draft = GuardrailChanges(
        name="größe",
        description=None,
        limit_usd=Decimal("12.50"),
        reset_interval="weekly",
        allowed_models=("openai/gpt-5.2",),
        enforce_zdr_openai=False,
        content_filter_builtins=(BuiltinFilter(slug="email", action="redact", label="[EMAIL]"),),
        content_filters=(CustomFilter(pattern="x", action="block", label="X"),),
    )
    made = guardrails.create(client, draft=draft, workspace_id=WORKSPACE)
    assert sent_body() == {
        "name": "größe",
        "description": None,
        "limit_usd": Decimal("12.50"),
        "reset_interval": "weekly",
        "allowed_models": ["openai/gpt-5.2"],
        "enforce_zdr_openai": False,
        "content_filter_builtins": [{"slug": "email", "action": "redact"}],
        "content_filters": [{"pattern": "x", "action": "block", "label": "X"}],
        "workspace_id": WORKSPACE,
    }
    assert made.allowed_models == ("openai/gpt-5.2-20251211",)


def test_a_bare_create_sends_a_name(client):
    responses.post(URL, status=201, json={"data": guardrail_row()})
    guardrails.create(client, draft=GuardrailChanges(name="bare"))
    assert sent_body() == {"name": "bare"}


def test_a_draft_needs_a_name(client):
    with pytest.raises(ValueError, match="name"):
        guardrails.create(client, draft=GuardrailChanges(description="x"))
    assert client.calls == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_create_is_never_repeated(client, status):
    responses.post(URL, status=status, json=refusal("no", status))
    with pytest.raises(errors.OpenRouterError) as caught:
        guardrails.create(client, draft=GuardrailChanges(name="x"))
    assert client.calls == 1
    assert caught.value.outcome_unknown is (status != 429)


def test_a_pattern_upstream_does_not_support_is_told_by_its_kind(client):
    told = refusal("lookahead", 400, metadata={"error_type": guardrails.INVALID_PATTERN})
    responses.post(URL, status=400, json=told)
    with pytest.raises(errors.InvalidRequest, match="lookahead") as caught:
        guardrails.create(client, draft=GuardrailChanges(name="x"))
    assert caught.value.metadata == {"error_type": "invalid_regex_pattern"}
    assert not caught.value.outcome_unknown


def test_a_created_guardrail_we_cannot_read_is_in_doubt(client):
    responses.post(URL, status=201, json={"data": {"id": ID}})
    with pytest.raises(errors.UnreadableAnswer, match=r"data\.name") as caught:
        guardrails.create(client, draft=GuardrailChanges(name="x"))
    assert caught.value.outcome_unknown


def test_update_sends_only_what_changes(client):
    responses.patch(ONE, json={"data": guardrail_row(name="new")})
    changes = GuardrailChanges(name="new", limit_usd=None, reset_interval=None, content_filters=())
    assert guardrails.update(client, guardrail_id=ID, changes=changes).name == "new"
    assert sent_body() == {"name": "new", "limit_usd": None, "reset_interval": None, "content_filters": []}


def test_filters_go_back_with_what_we_do_not_know_of_them(client):
    responses.get(ONE, json={"data": guardrail_row(**FULL)})
    responses.patch(ONE, json={"data": guardrail_row(**FULL)})
    kept = guardrails.get(client, guardrail_id=ID).content_filter_builtins
    changes = GuardrailChanges(content_filter_builtins=kept)
    guardrails.update(client, guardrail_id=ID, changes=changes)
    assert sent_body()["content_filter_builtins"] == [
        {"slug": "email", "action": "redact"},
        {"slug": "regex-prompt-injection", "action": "flag", "scan_scope": "user_only", "depth": 3},
    ]


def test_an_update_without_changes_is_refused_here(client):
    with pytest.raises(ValueError, match="nothing to change"):
        guardrails.update(client, guardrail_id=ID, changes=GuardrailChanges())
    assert client.calls == 0


def test_somebody_else_may_have_changed_it(client):
    responses.patch(ONE, status=409, json=refusal("changed meanwhile", 409))
    with pytest.raises(errors.Conflict):
        guardrails.update(client, guardrail_id=ID, changes=GuardrailChanges(name="x"))


def test_an_update_we_cannot_read_is_in_doubt(client):
    responses.patch(ONE, json={"data": {}})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        guardrails.update(client, guardrail_id=ID, changes=GuardrailChanges(name="x"))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("changes", [
    {"name": ""}, {"name": "x" * 201}, {"name": None}, {"description": "x" * 1001},
    {"include_byok_in_budgets": None}, {"allowed_models": ()}, {"ignored_models": ()},
    {"allowed_providers": ()}, {"ignored_providers": ()}, {"allowed_data_regions": ()},
    {"limit_usd": Decimal(5)}, {"reset_interval": "daily"}, {"limit_usd": None}, {"reset_interval": None},
    {"limit_usd": Decimal(5), "reset_interval": None}, {"limit_usd": None, "reset_interval": "daily"},
    {"limit_usd": Decimal(0), "reset_interval": "daily"},
    {"limit_usd": Decimal(-1), "reset_interval": "daily"},
    {"limit_usd": Decimal("NaN"), "reset_interval": "daily"},
    {"limit_usd": Decimal("Infinity"), "reset_interval": "daily"},
])  # fmt: skip
def test_changes_upstream_would_refuse_cannot_be_made(changes):
    with pytest.raises(ValueError, match=r".+"):
        GuardrailChanges(**changes)


def test_a_change_knows_what_it_holds():
    assert not GuardrailChanges()
    assert GuardrailChanges(allowed_models=None)
    assert GuardrailChanges(enforce_zdr_openai=False).body() == {"enforce_zdr_openai": False}
    assert GuardrailChanges().allowed_models is UNSET


@pytest.mark.parametrize("answer", [{"json": {"deleted": True}}, {"status": 204}, {"json": {}}])
def test_delete(client, answer):
    responses.delete(ONE, **answer)
    guardrails.delete(client, guardrail_id=ID)
    assert client.calls == 1


def test_a_guardrail_that_is_gone_already_counts_as_deleted(client):
    responses.delete(ONE, status=404, json=refusal("Guardrail not found", 404))
    guardrails.delete(client, guardrail_id=ID)


def test_a_delete_that_is_not_confirmed_is_in_doubt(client):
    responses.delete(ONE, json={"deleted": False})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        guardrails.delete(client, guardrail_id=ID)
    assert caught.value.outcome_unknown

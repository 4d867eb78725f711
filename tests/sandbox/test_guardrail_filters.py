"""The content filters of a guardrail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Caller, problem

PERSONAL = ("email", "phone", "ssn", "credit-card", "ip-address", "person-name", "address", "secrets")
INJECTION = "regex-prompt-injection"


def made(api: Caller, **fields: Any) -> dict[str, Any]:
    response = api.post("/guardrails", {"name": "G", **fields})
    assert response.status_code == 201, response.text
    row: dict[str, Any] = response.json["data"]
    return row


@pytest.mark.parametrize("slug", PERSONAL)
def test_personal_data_is_redacted_or_blocked_but_not_flagged(api: Caller, slug: str) -> None:
    for action in ("redact", "block"):
        row = made(api, content_filter_builtins=[{"slug": slug, "action": action}])
        (entry,) = row["content_filter_builtins"]
        assert (entry["slug"], entry["action"]) == (slug, action)
        assert "scan_scope" not in entry
    body = {"name": "x", "content_filter_builtins": [{"slug": slug, "action": "flag"}]}
    assert "flag" in problem(api.post("/guardrails", body), 400)


@pytest.mark.parametrize("action", ["redact", "block", "flag"])
def test_prompt_injection_takes_every_action_and_a_scope(api: Caller, action: str) -> None:
    row = made(api, content_filter_builtins=[{"slug": INJECTION, "action": action}])
    assert row["content_filter_builtins"] == [
        {"slug": INJECTION, "action": action, "scan_scope": "all_messages", "label": "[PROMPT_INJECTION]"}
    ]
    entry = {"slug": INJECTION, "action": action, "scan_scope": "user_only"}
    assert (
        made(api, content_filter_builtins=[entry])["content_filter_builtins"][0]["scan_scope"] == "user_only"
    )


def test_the_label_of_a_builtin_is_the_services_own(api: Caller) -> None:
    row = made(api, content_filter_builtins=[{"slug": "email", "action": "redact", "label": "mine"}])
    assert row["content_filter_builtins"][0]["label"] == "[EMAIL]"


@pytest.mark.parametrize("entries", [
    "email", ["email"], [{}], [{"slug": "email"}], [{"action": "block"}],
    [{"slug": "e-mail", "action": "block"}],
    [{"slug": "email", "action": "shrug"}], [{"slug": "email", "action": None}],
    [{"slug": "email", "action": "block"}, {"slug": "email", "action": "redact"}],
    [{"slug": "email", "action": "block", "scan_scope": "user_only"}],
    [{"slug": INJECTION, "action": "block", "scan_scope": "nobody"}],
    [{"slug": "email", "action": "block", "label": "x" * 101}],
])  # fmt: skip
def test_a_wrong_builtin_is_refused(api: Caller, entries: Any) -> None:
    problem(api.post("/guardrails", {"name": "x", "content_filter_builtins": entries}), 400)


def test_a_pattern_keeps_its_label_or_has_none(api: Caller) -> None:
    entries: list[dict[str, Any]] = [
        {"pattern": r"\d+", "action": "redact", "label": "[N]"}, {"pattern": "a|b", "action": "block"},
        {"pattern": "x" * 100_000, "action": "flag", "label": None},
    ]  # fmt: skip
    row = made(api, content_filters=entries)
    assert row["content_filters"] == [{"label": None, **entry} for entry in entries]


@pytest.mark.parametrize("entries", [
    {}, ["x"], [{"action": "block"}], [{"pattern": "x"}], [{"pattern": "", "action": "block"}],
    [{"pattern": None, "action": "block"}], [{"pattern": "x", "action": "shrug"}],
    [{"pattern": "x", "action": "block", "label": "x" * 101}],
    [{"pattern": "x" * 100_001, "action": "block"}],
])  # fmt: skip
def test_a_wrong_filter_is_refused(api: Caller, entries: Any) -> None:
    problem(api.post("/guardrails", {"name": "x", "content_filters": entries}), 400)


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)b", r"(a)\1", "(a+)+", "(a|a)*", "("])
def test_a_pattern_that_is_not_supported_has_an_error_of_its_own(api: Caller, pattern: str) -> None:
    guardrail = made(api)
    filters = [{"pattern": "fine", "action": "block"}, {"pattern": pattern, "action": "block"}]
    for response in (
        api.post("/guardrails", {"name": "x", "content_filters": filters}),
        api.patch(f"/guardrails/{guardrail['id']}", {"content_filters": filters}),
    ):
        assert "content_filters[1].pattern" in problem(response, 400)
        assert response.json["error"]["metadata"] == {"error_type": "invalid_regex_pattern"}
    assert api.data(f"/guardrails/{guardrail['id']}") == guardrail


def test_null_and_an_empty_list_remove_the_filters(api: Caller) -> None:
    row = made(
        api,
        content_filters=[{"pattern": "x", "action": "block"}],
        content_filter_builtins=[{"slug": "email", "action": "block"}],
    )
    body: dict[str, Any] = {"content_filters": None, "content_filter_builtins": []}
    changed = api.patch(f"/guardrails/{row['id']}", body).json["data"]
    assert (changed["content_filters"], changed["content_filter_builtins"]) == (None, [])


def test_an_old_pattern_stays_until_the_list_is_sent_again(api: Caller, sandbox: Any) -> None:
    guardrail = made(api)["id"]
    old = [{"pattern": "(?=a)", "action": "block", "label": None}]
    sandbox.outside.update_guardrail(guardrail, content_filters=old)
    assert api.patch(f"/guardrails/{guardrail}", {"name": "H"}).json["data"]["content_filters"] == old
    problem(api.patch(f"/guardrails/{guardrail}", {"name": "I", "content_filters": old}), 400)

"""Requests that presets are made of: what is wrong with one, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter import jsontext
from orgadmin.presets.bodies import (
    CHAT,
    KINDS,
    MESSAGES,
    RESPONSES,
    as_config,
    as_request,
    fates,
    pretty,
    problems,
    prompt_of,
    readable,
)

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(("kind", "body", "said"), [
    (CHAT, {}, "“messages” is missing"),
    (CHAT, {"messages": []}, "at least one message"),
    (CHAT, {"messages": None}, "“messages” must be a list"),
    (CHAT, {"messages": ["x"]}, "“messages” must be a list of objects"),
    (CHAT, {"messages": [{"content": "x"}]}, "Message 1 has no “role”"),
    (CHAT, {"messages": [USER], "temperature": "hot"}, "“temperature” must be a number"),
    (CHAT, {"messages": [USER], "temperature": True}, "“temperature” must be a number"),
    (CHAT, {"messages": [USER], "max_tokens": Decimal("1.5")}, "“max_tokens” must be a whole number"),
    (CHAT, {"messages": [USER], "max_tokens": Decimal("1e900")}, "too large"),
    (CHAT, {"messages": [USER], "tools": {}}, "“tools” must be a list of objects"),
    (CHAT, {"messages": [USER], "stop": ["a"] * 5}, "at most 4"),
    (CHAT, {"messages": [USER], "user": "\ud800"}, "half a character"),
    (MESSAGES, {"messages": []}, "“model” is missing"),
    (MESSAGES, {"model": "x"}, "“messages” is missing"),
    (MESSAGES, {"model": "x", "messages": [], "system": 5}, "“system” must be text"),
    (RESPONSES, {"instructions": 5}, "“instructions” must be text"),
    (RESPONSES, {"store": True}, "“store” must be false"),
    (RESPONSES, [], "JSON object"),
    (RESPONSES, 5, "JSON object"),
])  # fmt: skip
def test_what_openrouter_would_refuse_is_told(kind: str, body: Any, said: str) -> None:
    assert said in " ".join(problems(kind, body))


@pytest.mark.parametrize(("kind", "body"), [
    (CHAT, {"messages": [SYSTEM], "model": "m/x", "max_tokens": Decimal("10.0"), "x": 1, "top_p": None}),
    (MESSAGES, {"model": "m/x", "messages": None, "system": [{"type": "text", "text": "Hi"}]}),
    (RESPONSES, {}),
])  # fmt: skip
def test_what_it_takes_is_not_complained_of(kind: str, body: Any) -> None:
    assert problems(kind, body) == []


def test_a_nest_without_end_is_refused() -> None:
    body: Any = {}
    for _ in range(60):
        body = {"x": body}
    assert "nested" in " ".join(problems(RESPONSES, body))


@pytest.mark.parametrize(("kind", "body", "prompt"), [
    (CHAT, {"messages": [SYSTEM, USER]}, "Be kind."),
    (CHAT, {"messages": [SYSTEM, {"role": "system", "content": [{"text": "!"}]}]}, "Be kind.\n\n!"),
    (CHAT, {"messages": [USER]}, ""),
    (MESSAGES, {"system": "Be kind."}, "Be kind."),
    (MESSAGES, {"system": [{"text": "Be"}, {"text": "kind."}]}, "Be\nkind."),
    (RESPONSES, {"instructions": "Be kind."}, "Be kind."),
    (RESPONSES, {"instructions": None}, ""),
])  # fmt: skip
def test_each_kind_has_its_place_for_the_prompt(kind: str, body: Any, prompt: str) -> None:
    assert prompt_of(kind, body) == prompt


def test_the_fate_of_each_field() -> None:
    body = {
        "messages": [SYSTEM, USER],
        "model": "m",
        "stream": True,
        "seed": 1,
        "x": 1,
        "top_k": 3,
        "top_p": None,
    }
    found = {one.name: one.fate for one in fates(CHAT, body, {"top_k"})}
    assert found == {
        "messages": "prompt", "model": "kept", "stream": "dropped", "seed": "unsure", "x": "unknown",
        "top_k": "kept", "top_p": "unsure",
    }  # fmt: skip
    assert "The 1 other is dropped" in fates(CHAT, body)[0].why
    assert as_config(CHAT, body, {"top_k"}) == {"model": "m", "seed": 1, "top_k": 3}
    assert [one.fate for one in fates(CHAT, {"messages": [USER]})] == ["dropped"]
    assert [one.fate for one in fates(RESPONSES, {"input": "x", "prompt": {}})] == ["dropped", "dropped"]


def test_a_version_becomes_a_request_again() -> None:
    config = {"model": "m/x", "temperature": Decimal("0.70")}
    body = as_request(config, "Be kind.")
    assert problems(CHAT, body) == []
    assert (as_config(CHAT, body), prompt_of(CHAT, body)) == (config, "Be kind.")
    assert problems(CHAT, as_request(config, None)) == []
    assert prompt_of(CHAT, as_request(config, None)) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.decimals(allow_nan=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_written_reads_as_it_was(value: Any) -> None:
    try:
        text = jsontext.dumps(value)
    except ValueError:
        return
    assert jsontext.loads(pretty(value)) == jsontext.loads(text) == jsontext.loads(readable(value))


FIELD = st.sampled_from(
    ["messages", "model", "models", "system", "instructions", "temperature", "stop", "tools", "x"]
)


@given(st.sampled_from(list(KINDS)), JSON | st.dictionaries(FIELD, JSON, max_size=5))
def test_nothing_that_is_json_breaks_it(kind: str, body: Any) -> None:
    found = problems(kind, body)
    if not found and isinstance(body, dict):
        prompt_of(kind, body)
        assert len(fates(kind, body)) == len(body)
        pretty(as_request(as_config(kind, body), "x"))

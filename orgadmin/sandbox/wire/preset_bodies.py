"""What becomes of a request that a preset is made of: what is checked, what is kept, what is the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.wire.request import Check, boolean, integer, list_of, number, or_null, recognised, text

CHAT, MESSAGES, RESPONSES = "chat/completions", "messages", "responses"

KEPT = frozenset({
    "model", "models", "provider", "plugins", "tools", "tool_choice", "parallel_tool_calls",
    "temperature", "top_p", "top_k", "top_a", "min_p", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "seed", "max_tokens", "stop", "response_format", "reasoning",
})  # fmt: skip
"""The fields a preset has. What a request has beside them is dropped without a word."""


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequestError(f'Invalid "{name}": expected an object')
    return value


def _text_or_texts(name: str, value: Any) -> Any:
    return value if isinstance(value, str) else list_of(text())(name, value)


_ANY_NUMBER = or_null(number(low=-1e308))
_FIELDS: dict[str, Check] = {
    "model": text(),
    "models": list_of(text()),
    "provider": or_null(_mapping),
    "plugins": list_of(_mapping),
    "tools": list_of(_mapping),
    "parallel_tool_calls": or_null(boolean),
    "temperature": or_null(number(low=0, high=2)),
    "top_p": or_null(number(low=0, high=1)),
    "top_k": or_null(integer),
    "seed": or_null(integer),
    "max_tokens": or_null(integer),
    "frequency_penalty": _ANY_NUMBER,
    "presence_penalty": _ANY_NUMBER,
    "repetition_penalty": _ANY_NUMBER,
    "min_p": _ANY_NUMBER,
    "top_a": _ANY_NUMBER,
    "stop": or_null(_text_or_texts),
    "response_format": or_null(_mapping),
    "reasoning": or_null(_mapping),
    "messages": list_of(_mapping),
}
_REQUIRED = {CHAT: ("messages",), MESSAGES: ("model", "messages"), RESPONSES: ()}


def taken(kind: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """What is kept of a request, and its system prompt. Raises InvalidRequestError."""
    for name in _REQUIRED[kind]:
        if name not in body:
            raise InvalidRequestError(f'Invalid "{name}": required')
    checks = dict(_FIELDS)
    if kind == MESSAGES:
        checks["messages"] = or_null(checks["messages"])
    recognised(body, checks)
    if kind == CHAT and not body["messages"]:
        raise InvalidRequestError('Invalid "messages": expected at least 1 item')
    kept = {name: value for name, value in body.items() if name in KEPT and value is not None}
    return kept, _prompt(kind, body) or None


def _prompt(kind: str, body: Mapping[str, Any]) -> str:
    if kind == CHAT:
        said = [message.get("content") for message in body["messages"] if message.get("role") == "system"]
        return "\n\n".join(_words("messages", one) for one in said)
    name = "system" if kind == MESSAGES else "instructions"
    value = body.get(name)
    return "" if value is None else _words(name, value)


def _words(name: str, content: Any) -> str:
    """Text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise InvalidRequestError(f'Invalid "{name}": expected text')
    return "\n".join(str(part.get("text", "")) for part in content)

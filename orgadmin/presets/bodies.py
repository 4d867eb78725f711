"""Requests that presets are made of: what each kind must hold, which types its fields have, what becomes of
each field. As far as OpenRouter's description of the three requests goes; it has the last word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orgadmin.openrouter import jsontext

# As the address of the call ends.
CHAT, MESSAGES, RESPONSES = "chat/completions", "messages", "responses"
KINDS: Mapping[str, str] = {
    CHAT: "Chat completions",
    MESSAGES: "Messages (Anthropic)",
    RESPONSES: "Responses (OpenAI)",
}
# Where the text stands that becomes the system prompt.
PROMPTS: Mapping[str, str] = {CHAT: "messages", MESSAGES: "system", RESPONSES: "instructions"}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    CHAT: ("messages",),
    MESSAGES: ("model", "messages"),
    RESPONSES: (),
}
DEEPEST = 40

KEPT, PROMPT, DROPPED, UNSURE, UNKNOWN = "kept", "prompt", "dropped", "unsure", "unknown"
# What OpenRouter documents that it keeps, and that it drops without a word.
DOCUMENTED = frozenset({
    "model", "models", "provider", "tools", "temperature", "top_p", "max_tokens",
})  # fmt: skip
TRANSIENT = frozenset({"messages", "input", "prompt", "stream"})


@dataclass(frozen=True)
class Shape:
    """What a value may be, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and jsontext.reasonable(Decimal(value)) and value == int(value)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(fits(one) for one in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_TEXT = Shape("text", _is_text)
_NUMBER = Shape("a number", _is_number)
_WHOLE = Shape("a whole number", _is_whole)
_FLAG = Shape("true or false", lambda value: isinstance(value, bool))
_OBJECT = Shape("an object", _is_object)
_TEXTS = Shape("a list of texts", _list_of(_is_text))
_OBJECTS = Shape("a list of objects", _list_of(_is_object))
_LIST = Shape("a list", lambda value: isinstance(value, list))
_STOP = Shape("text, or a list of texts", lambda value: _is_text(value) or _TEXTS.fits(value))
_BLOCKS = Shape("text, or a list of text blocks", lambda value: _is_text(value) or _OBJECTS.fits(value))
_ANY = Shape("anything", lambda value: True)
_CHOICE = Shape("text or an object", lambda value: _is_text(value) or _is_object(value))


def _named(shape: Shape, names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), shape)


# Fields that the three have in common.
_COMMON: Mapping[str, Shape] = {
    **_named(_TEXT, "model service_tier session_id user route"),
    **_named(_NUMBER, "temperature top_p"),
    **_named(_WHOLE, "top_k"),
    **_named(_FLAG, "stream"),
    **_named(_OBJECT, "cache_control metadata provider trace"),
    **_named(_OBJECTS, "plugins tools stop_server_tools_when"),
    **_named(_TEXTS, "models"),
    **_named(_CHOICE, "tool_choice"),
}
FIELDS: Mapping[str, Mapping[str, Shape]] = {
    CHAT: {
        **_COMMON,
        **_named(_NUMBER, "frequency_penalty min_p presence_penalty repetition_penalty top_a"),
        **_named(_WHOLE, "max_completion_tokens max_tokens seed top_logprobs"),
        **_named(_FLAG, "logprobs parallel_tool_calls"),
        **_named(_OBJECT, "debug image_config logit_bias prediction prompt_cache_options reasoning"),
        **_named(_OBJECT, "response_format stream_options"),
        **_named(_TEXT, "prompt_cache_key reasoning_effort"),
        **_named(_TEXTS, "modalities"),
        "stop": _STOP,
        "messages": _OBJECTS,
    },
    MESSAGES: {
        **_COMMON,
        **_named(_WHOLE, "max_tokens"),
        **_named(_OBJECT, "context_management output_config thinking"),
        **_named(_OBJECTS, "fallbacks messages"),
        **_named(_TEXT, "speed"),
        **_named(_TEXTS, "stop_sequences"),
        "system": _BLOCKS,
    },
    RESPONSES: {
        **_COMMON,
        **_named(_NUMBER, "frequency_penalty presence_penalty"),
        **_named(_WHOLE, "max_output_tokens max_tool_calls top_logprobs"),
        **_named(_FLAG, "background parallel_tool_calls store"),
        **_named(_OBJECT, "debug image_config prompt prompt_cache_options reasoning text"),
        **_named(_TEXT, "instructions prompt_cache_key safety_identifier truncation"),
        **_named(_TEXTS, "include modalities"),
        **_named(_ANY, "input previous_response_id"),
    },
}


@dataclass(frozen=True)
class Fate:
    """What becomes of one field of a request: one of the words above, and why."""

    name: str
    fate: str
    why: str


def parsed(text: str) -> Any:
    """A body as it was typed. Raises ValueError for what is no JSON."""
    return jsontext.loads(text)


def problems(kind: str, body: Any) -> list[str]:
    """What OpenRouter is known to refuse of a request, one sentence each; [] where nothing is."""
    if not isinstance(body, dict):
        return ["A request is a JSON object: it starts with { and ends with }."]
    return [*_unwritable(body), *_missing(kind, body), *_of_types(kind, body), *_of_chat(kind, body)]


def _missing(kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    for name in REQUIRED[kind]:
        if name not in body:
            yield f"“{name}” is missing: a request of this kind needs it."


def _of_types(kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    for name, value in body.items():
        shape = FIELDS[kind].get(name)
        # Null means "not set" nearly everywhere; where it does not, OpenRouter says so.
        if shape is not None and value is not None and not shape.fits(value):
            yield f"“{name}” must be {shape.words}."
    if body.get("store") is True:
        yield "“store” must be false: OpenRouter keeps no responses."
    if isinstance(stop := body.get("stop"), list) and len(stop) > 4:
        yield "“stop” holds at most 4 texts."


def _of_chat(kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    messages = body.get("messages")
    if kind != CHAT or not isinstance(messages, list):
        if kind == CHAT and "messages" in body and messages is None:
            yield "“messages” must be a list of objects."
        return
    if not messages:
        yield "“messages” must hold at least one message."
    for number, message in enumerate(messages, 1):
        if isinstance(message, dict) and not isinstance(message.get("role"), str):
            yield f"Message {number} has no “role”."


def _unwritable(value: Any, depth: int = 0) -> Iterator[str]:
    """What our JSON cannot say again: numbers beyond reason, too deep a nest."""
    if depth > DEEPEST:
        yield f"It is nested more than {DEEPEST} levels deep."
    elif isinstance(value, dict | list):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _unwritable(one, depth + 1)
    elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        yield "It holds half a character (a lone surrogate such as \\ud800)."
    elif _is_number(value) and not jsontext.reasonable(Decimal(value)):
        yield "It holds a number that is too large or too small to be meant."


def prompt_of(kind: str, body: Mapping[str, Any]) -> str:
    """The text that becomes the system prompt; "" where there is none."""
    value = body.get(PROMPTS[kind])
    if kind != CHAT:
        return _words(value)
    messages = value if isinstance(value, list) else []
    said = (one for one in messages if isinstance(one, dict) and one.get("role") == "system")
    return "\n\n".join(filter(None, (_words(one.get("content")) for one in said)))


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


def fates(kind: str, body: Mapping[str, Any], seen: Iterable[str] = ()) -> list[Fate]:
    """What becomes of each field. ``seen`` are names that OpenRouter kept in presets we know."""
    kept = frozenset(seen)
    return [_fate(kind, name, body, kept) for name in body]


def _fate(kind: str, name: str, body: Mapping[str, Any], seen: frozenset[str]) -> Fate:
    if name == PROMPTS[kind]:
        return _fate_of_prompt(kind, name, body)
    if name in TRANSIENT:
        return Fate(name, DROPPED, "It belongs to one request, not to a preset.")
    if body[name] is None:
        return Fate(name, UNSURE, "It is null, which sets nothing.")
    if name in DOCUMENTED:
        return Fate(name, KEPT, "Presets hold it.")
    if name in seen:
        return Fate(name, KEPT, "OpenRouter kept it in another preset.")
    if name in FIELDS[kind]:
        return Fate(name, UNSURE, "OpenRouter does not say whether presets hold it.")
    return Fate(name, UNKNOWN, "It is no field of such a request: it may be dropped.")


def _fate_of_prompt(kind: str, name: str, body: Mapping[str, Any]) -> Fate:
    if not prompt_of(kind, body):
        fate = DROPPED if name in TRANSIENT else UNSURE
        return Fate(name, fate, "It holds no system prompt.")
    if kind != CHAT:
        return Fate(name, PROMPT, "It becomes the system prompt.")
    rest = sum(one.get("role") != "system" for one in body[name])
    others = f" The {rest} other{'s are' if rest > 1 else ' is'} dropped." if rest else ""
    return Fate(name, PROMPT, f"The system message becomes the system prompt.{others}")


def as_config(kind: str, body: Mapping[str, Any], seen: Iterable[str] = ()) -> dict[str, Any]:
    """What a preset will probably hold of a request: what is kept for sure, and what may be."""
    told = {one.name: one.fate for one in fates(kind, body, seen)}
    return {
        name: value
        for name, value in body.items()
        if told[name] in (KEPT, UNSURE) and value is not None and name != PROMPTS[kind]
    }


def as_request(config: Mapping[str, Any], prompt: str | None) -> dict[str, Any]:
    """A chat completions request that makes a preset of this config again (FACTS 2.7). Such a request needs a
    message; where there is no prompt to carry, one that OpenRouter drops."""
    message = {"role": "system", "content": prompt} if prompt else {"role": "user", "content": "Hello"}
    return {**{name: value for name, value in config.items() if name != "messages"}, "messages": [message]}


def pretty(value: Any, indent: int = 0) -> str:
    """JSON with a line for each part, numbers digit by digit."""
    gap, end = "  " * (indent + 1), "  " * indent
    if isinstance(value, Mapping) and value:
        lines = (f"{gap}{_spelled(str(key))}: {pretty(one, indent + 1)}" for key, one in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{end}}}"
    if isinstance(value, list | tuple) and value:
        return "[\n" + ",\n".join(f"{gap}{pretty(one, indent + 1)}" for one in value) + f"\n{end}]"
    return readable(value)


def readable(value: Any) -> str:
    """JSON on one line; letters of every language as they are."""
    if isinstance(value, str):
        return _spelled(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_spelled(str(key))}: {readable(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(readable(one) for one in value) + "]"
    return jsontext.dumps(value)


def _spelled(text: str) -> str:
    # Control characters and halves of surrogate pairs stay escaped.
    if any(ord(letter) < 32 or "\ud800" <= letter <= "\udfff" for letter in text):
        return jsontext.dumps(text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

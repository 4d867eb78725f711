"""What a guardrail may be made of: the fields of a body, checked, and made what they are kept as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.market.providers import providers
from orgadmin.sandbox.moments import RESETS
from orgadmin.sandbox.patterns import LONGEST_PATTERN, PatternRefusedError, check_pattern
from orgadmin.sandbox.state.shelf import Shelf
from orgadmin.sandbox.wire.request import (
    Check,
    boolean,
    list_of,
    number,
    one_of,
    or_null,
    recognised,
    refuse,
    text,
)

INJECTION = "regex-prompt-injection"
PLACEHOLDERS = {
    "email": "[EMAIL]", "phone": "[PHONE]", "ssn": "[SSN]", "credit-card": "[CREDIT_CARD]",
    "ip-address": "[IP_ADDRESS]", "person-name": "[PERSON_NAME]", "address": "[ADDRESS]",
    INJECTION: "[PROMPT_INJECTION]",
}  # fmt: skip
BUILTINS = (*PLACEHOLDERS, "secrets")
ACTIONS = ("redact", "block", "flag")
REGIONS = ("global", "europe", "us")

_GROUPS_OF_MODELS = ("anthropic", "openai", "google", "xai", "other")
_MODELS = ("allowed_models", "ignored_models")
_ZDR_FIELDS = tuple(f"enforce_zdr_{group}" for group in _GROUPS_OF_MODELS)


def settings_of(body: Mapping[str, Any], shelf: Shelf) -> dict[str, Any]:
    """The recognised fields of a body. Raises InvalidRequestError for what the service refuses.

    Models become their canonical slugs. Whether the budget is whole is judged by the body alone, whatever the
    guardrail holds.
    """
    fields = recognised(body, _FIELDS)
    if "enforce_zdr" in fields:
        fields = {**dict.fromkeys(_ZDR_FIELDS, fields["enforce_zdr"]), **fields}
    if (fields.get("limit_usd") is None) != (fields.get("reset_interval") is None) or (
        ("limit_usd" in fields) != ("reset_interval" in fields)
    ):
        raise InvalidRequestError('"limit_usd" and "reset_interval" must be provided together')
    return {**fields, **{name: _canonical(name, fields[name], shelf) for name in _MODELS if fields.get(name)}}


def _canonical(name: str, given: list[str], shelf: Shelf) -> list[str]:
    """Each model once, in the order they came."""
    slugs = [shelf.canonical(model) for model in given]
    if None in slugs:
        raise InvalidRequestError(f'Invalid "{name}": there is no model {given[slugs.index(None)]}')
    return list(dict.fromkeys(slug for slug in slugs if slug))


def some(check_item: Check) -> Check:
    """A list with something in it, each once, in the order they came."""

    def check(name: str, value: Any) -> list[Any]:
        items = list_of(check_item)(name, value)
        if not items:
            refuse(name, "at least 1 item, or null for no restriction")
        return list(dict.fromkeys(items))

    return check


def _amount(name: str, value: Any) -> float | int:
    amount: float | int = number(low=0)(name, value)
    if amount == 0:
        refuse(name, "more than 0")
    return amount


def _provider(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in providers():
        refuse(name, "the slug of a provider")
    return value


def _entry(name: str, value: Any, checks: Mapping[str, Check], required: tuple[str, ...]) -> dict[str, Any]:
    """One filter; its fields are reported as `content_filters[0].pattern`."""
    if not isinstance(value, dict):
        refuse(name, "an object")
    for field in required:
        if field not in value:
            raise InvalidRequestError(f'Invalid "{name}.{field}": required')
    known = (field for field in checks if field in value)
    return {field: checks[field](f"{name}.{field}", value[field]) for field in known}


_BUILTIN: dict[str, Check] = {
    "slug": one_of(*BUILTINS),
    "action": one_of(*ACTIONS),
    "scan_scope": one_of("user_only", "all_messages"),
    "label": text(longest=100),
}


def _builtin(name: str, value: Any) -> dict[str, Any]:
    """The label that is kept is the service's own, whatever was sent."""
    entry = _entry(name, value, _BUILTIN, ("slug", "action"))
    entry.pop("label", None)
    slug = entry["slug"]
    if entry["action"] == "flag" and slug != INJECTION:
        refuse(f"{name}.action", f'block or redact: "flag" is for {INJECTION} only')
    if slug == INJECTION:
        entry.setdefault("scan_scope", "all_messages")
    elif "scan_scope" in entry:
        refuse(f"{name}.scan_scope", f"no scope: it is for {INJECTION} only")
    return {**entry, "label": PLACEHOLDERS[slug]} if slug in PLACEHOLDERS else entry


def _builtins(name: str, value: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = list_of(_builtin)(name, value)
    slugs = [entry["slug"] for entry in entries]
    if len(slugs) > len(set(slugs)):
        refuse(name, "each filter once")
    return entries


def _pattern(name: str, value: Any) -> str:
    pattern: str = text(shortest=1, longest=LONGEST_PATTERN)(name, value)
    try:
        check_pattern(pattern)
    except PatternRefusedError as problem:
        raise InvalidRequestError(
            f'invalid_regex_pattern: "{name}" is refused: {problem}',
            metadata={"error_type": "invalid_regex_pattern"},
        ) from None
    return pattern


_CUSTOM: dict[str, Check] = {
    "pattern": _pattern,
    "action": one_of(*ACTIONS),
    "label": or_null(text(longest=100)),
}


def _custom(name: str, value: Any) -> dict[str, Any]:
    return {"label": None, **_entry(name, value, _CUSTOM, ("pattern", "action"))}


_FIELDS: dict[str, Check] = {
    "name": text(shortest=1, longest=200),
    "description": or_null(text(longest=1000)),
    "limit_usd": or_null(_amount),
    "reset_interval": or_null(one_of(*RESETS)),
    "include_byok_in_budgets": boolean,
    "allowed_models": or_null(some(text(shortest=1))),
    "ignored_models": or_null(some(text(shortest=1))),
    "allowed_providers": or_null(some(_provider)),
    "ignored_providers": or_null(some(_provider)),
    "enforce_zdr": or_null(boolean),
    **{name: or_null(boolean) for name in _ZDR_FIELDS},
    "enable_paid_model_training": or_null(boolean),
    "enable_free_model_training": or_null(boolean),
    "enable_free_model_publication": or_null(boolean),
    "allow_safety_retention_google": or_null(boolean),
    "allow_safety_retention_other": or_null(boolean),
    "allowed_data_regions": or_null(some(one_of(*REGIONS))),
    "content_filter_builtins": or_null(_builtins),
    "content_filters": or_null(list_of(_custom)),
}
SETTINGS = tuple(_FIELDS)
"""Every field that can be set, in the order of an answer."""

"""What a destination may be made of: the fields of a body, and the settings of each type, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.wire.guardrail_fields import some
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

MASK = "..."
SHORTEST_SHOWN = 12
HEADERS = "headers"
RULE_FIELDS = (
    "model", "provider", "session_id", "user_id", "api_key_name", "finish_reason", "input", "output",
    "total_cost", "total_tokens", "prompt_tokens", "completion_tokens",
)  # fmt: skip
OPERATORS = (
    "equals", "not_equals", "contains", "not_contains", "regex", "starts_with", "ends_with",
    "gt", "lt", "gte", "lte", "exists", "not_exists",
)  # fmt: skip

_DSN = r"https:\/\/([^:@]+)(?::[^@]*)?@([^/]+)(?:\/[^/]+)*\/(\d+)\/?"
_ACCOUNT = r"[a-zA-Z0-9_]+(?:[.-][a-zA-Z0-9_]+)*"
_URI = r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+"


@dataclass(frozen=True)
class Kind:
    """A type's settings: `needed` ones must not be empty, `given` have a default, `secret` ones are answered
    as masks; `checks` are those that are not any text."""

    needed: tuple[str, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()
    checks: Mapping[str, Check] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.needed, *self.given, *self.more, HEADERS)


def _secret(*names: str) -> frozenset[str]:
    return frozenset(names)


KINDS: dict[str, Kind] = {
    "arize": Kind(
        ("apiKey", "spaceKey", "modelId"), {"baseUrl": "https://otlp.arize.com"},
        secret=_secret("apiKey", "spaceKey"),
    ),
    "braintrust": Kind(
        ("apiKey", "projectId"), {"baseUrl": "https://api.braintrust.dev"}, secret=_secret("apiKey")
    ),
    "clickhouse": Kind(
        ("host", "database", "username", "password"), {"table": "OPENROUTER_TRACES"},
        secret=_secret("password"),
    ),
    "datadog": Kind(("apiKey", "mlApp"), {"url": "https://api.us5.datadoghq.com"}, secret=_secret("apiKey")),
    "grafana": Kind(
        ("apiKey", "instanceId"), {"baseUrl": "https://otlp-gateway-prod-us-west-0.grafana.net"},
        secret=_secret("apiKey"),
    ),
    "langfuse": Kind(
        ("secretKey", "publicKey"), {"baseUrl": "https://us.cloud.langfuse.com"},
        secret=_secret("secretKey", "publicKey"),
    ),
    "langsmith": Kind(
        ("apiKey",), {"endpoint": "https://api.smith.langchain.com", "project": "main"}, ("workspaceId",),
        secret=_secret("apiKey"), checks={"project": text(shortest=1)},
    ),
    "newrelic": Kind(
        ("licenseKey",), {"region": "us"}, secret=_secret("licenseKey"),
        checks={"region": one_of("us", "eu")},
    ),
    "opik": Kind(("apiKey", "workspace", "projectName"), secret=_secret("apiKey")),
    "otel-collector": Kind(("endpoint",)),
    "posthog": Kind(("apiKey",), {"endpoint": "https://us.i.posthog.com"}, secret=_secret("apiKey")),
    "ramp": Kind(
        ("apiKey",), {"baseUrl": "https://api.ramp.com/developer/v1/ai-usage/openrouter"},
        secret=_secret("apiKey"),
    ),
    "s3": Kind(
        ("bucketName", "accessKeyId", "secretAccessKey"),
        {"pathTemplate": "{prefix}/{date}", "prefix": "openrouter-traces"},
        ("endpoint", "region", "sessionToken"),
        secret=_secret("accessKeyId", "secretAccessKey", "sessionToken"),
        checks={"endpoint": text(pattern=_URI)},
    ),
    "sentry": Kind(
        ("otlpEndpoint", "dsn"), secret=_secret("dsn"), checks={"dsn": text(shortest=1, pattern=_DSN)}
    ),
    "snowflake": Kind(
        ("account", "token"),
        {
            "database": "SNOWFLAKE_LEARNING_DB", "schema": "PUBLIC", "table": "OPENROUTER_TRACES",
            "warehouse": "COMPUTE_WH",
        },
        secret=_secret("token"),
        checks={"account": text(shortest=1, longest=255, pattern=_ACCOUNT)},
    ),
    "weave": Kind(
        ("apiKey", "entity", "project"), {"baseUrl": "https://trace.wandb.ai"}, secret=_secret("apiKey")
    ),
    "webhook": Kind(("url",), {"method": "POST"}, checks={"method": one_of("POST", "PUT")}),
}  # fmt: skip


def masked(raw: str) -> str:
    """The first and last four characters; of a short one nothing."""
    return f"{raw[:4]}{MASK}{raw[-4:]}" if len(raw) >= SHORTEST_SHOWN else MASK


def new_config(kind: str, given: Any) -> dict[str, Any]:
    """The settings of a new destination as they are kept, defaults filled in."""
    if not isinstance(given, dict):
        refuse("config", "an object")
    for name in KINDS[kind].needed:
        if name not in given:
            raise InvalidRequestError(f'Invalid "config.{name}": required')
    return {**KINDS[kind].given, **_checked(kind, given, {})}


def merged_config(kind: str, now: Mapping[str, Any], given: Any) -> dict[str, Any]:
    """What is given replaces what is there, key by key; a mask that was answered changes nothing.

    Of a type that the service does not document, any key is taken.
    """
    if not isinstance(given, dict):
        refuse("config", "an object")
    if kind not in KINDS:
        return {**now, **{name: value for name, value in given.items() if value != now.get(name)}}
    return {**now, **_checked(kind, given, now)}


def _checked(kind: str, given: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    spec = KINDS[kind]
    kept: dict[str, Any] = {}
    for name in spec.names:
        if name not in given or (name in now and name in spec.secret and given[name] == now[name]):
            continue
        where = f"config.{name}"
        if name == HEADERS:
            kept[name] = _headers(where, given[name], now.get(HEADERS) or {})
            continue
        plain = text(shortest=1) if name in spec.needed else text()
        value = spec.checks.get(name, plain)(where, given[name])
        kept[name] = masked(value) if name in spec.secret and value else value
    return kept


def _headers(where: str, value: Any, now: Mapping[str, str]) -> dict[str, str]:
    """The whole map takes the place of the old one; a header whose mask comes back keeps its value."""
    if not isinstance(value, dict):
        refuse(where, "an object")
    given = {name: text()(f"{where}.{name}", one) for name, one in value.items()}
    return {name: one if now.get(name) == one else masked(one) for name, one in given.items()}


def _rules(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("groups"), list):
        refuse(name, "an object with groups")
    groups = [_group(f"{name}.groups[{at}]", group) for at, group in enumerate(value["groups"])]
    return {"enabled": boolean(f"{name}.enabled", value.get("enabled", True)), "groups": groups}


def _group(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("rules"), list):
        refuse(name, "an object with rules")
    logic = one_of("and", "or")(f"{name}.logic", value.get("logic", "and"))
    return {"logic": logic, "rules": list_of(_rule)(f"{name}.rules", value["rules"])}


def _rule(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        refuse(name, "an object")
    found = {
        "field": one_of(*RULE_FIELDS)(f"{name}.field", value.get("field")),
        "operator": one_of(*OPERATORS)(f"{name}.operator", value.get("operator")),
    }
    if "value" in value:
        found["value"] = _value(f"{name}.value", value["value"])
    return found


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return text()(name, value)
    return number(low=float("-inf"))(name, value)


def _region(name: str, value: Any) -> str:
    found: str = one_of("global", "europe", "us", "eu")(name, value)
    return "europe" if found == "eu" else found


SWITCHES = (
    "broadcast_generation_cost", "broadcast_generation_identity", "broadcast_generation_request_context",
    "broadcast_generation_cost_allocation",
)  # fmt: skip
_FIELDS: dict[str, Check] = {
    "name": text(),
    "enabled": boolean,
    "privacy_mode": boolean,
    "sampling_rate": number(low=0.0001, high=1),
    "api_key_hashes": or_null(some(text(shortest=1))),
    "filter_rules": or_null(_rules),
    **dict.fromkeys(SWITCHES, boolean),
}


def settings_of(body: Mapping[str, Any], *, new: bool = False) -> dict[str, Any]:
    """The recognised fields of a body but its type, workspace and config; regions are said once, when it is
    made. Raises InvalidRequestError."""
    regions = {"regions": some(_region)} if new else {}
    return recognised(body, {**_FIELDS, **regions})


def kind_of(body: Mapping[str, Any]) -> str:
    kind: str = one_of(*KINDS)("type", body.get("type"))
    return kind


def is_secret(kind: str, name: str) -> bool:
    """Whether a setting is answered as a mask; of unknown types, by what it is called."""
    if kind in KINDS:
        return name in KINDS[kind].secret
    return re.search(r"key|secret|token|password", name, re.IGNORECASE) is not None

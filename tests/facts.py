"""What OpenRouter is known to refuse (FACTS 1.8, 1.10, 2.1), held against what was sent to it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from orgadmin.sandbox.record import Seen
from orgadmin.sandbox.wire.byok import PROVIDERS

RESETS = {None, "daily", "weekly", "monthly"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


# A deletion has no body, and a question to analytics only reads.
HARMLESS = (
    "DELETE /keys/{hash}",
    "DELETE /observability/destinations/{id}",
    "DELETE /workspaces/{id}/budgets/{interval}",
    "POST /analytics/query",
)


def in_guardrail(body: Any) -> Iterator[str]:
    """What is wrong with the body of a guardrail's create or change (FACTS 2.2, trap 12)."""
    if ("limit_usd" in body) != ("reset_interval" in body):
        yield f"half a budget: {sorted(body)}"
    if body.get("limit_usd") is not None and not body["limit_usd"] > 0:
        yield f"limit {body['limit_usd']}"
    if "name" in body and not 1 <= len(body["name"]) <= 200:
        yield "a name that is empty or too long"
    for name, value in body.items():
        if name.endswith(("_models", "_providers")) and (
            value == [] or any("*" in one for one in value or ())
        ):
            yield f"{name}: {value}"
    if any("label" in one for one in body.get("content_filter_builtins") or () if isinstance(one, dict)):
        yield "the label of a builtin filter"


def in_workspace(body: Any) -> Iterator[str]:
    """What is wrong with the body of a workspace's create or change (FACTS 2.3)."""
    for name, longest in (("name", 100), ("slug", 50), ("description", 500)):
        value = body.get(name)
        if (name in body and value is None and name != "description") or len(value or "x") > longest:
            yield f"{name}: {str(value)[:60]}"
    if "slug" in body and not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", body["slug"]):
        yield f"slug {body['slug']}"
    if not 0.0001 <= body.get("io_logging_sampling_rate", 1) <= 1:
        yield f"sampling rate {body['io_logging_sampling_rate']}"
    if not all(isinstance(number, int) for number in body.get("io_logging_api_key_ids") or ()):
        yield "key ids that are no numbers"


def in_budget(body: Any) -> Iterator[str]:
    if not body["limit_usd"] > 0:
        yield f"limit {body['limit_usd']}"


def in_people(body: Any) -> Iterator[str]:
    if not 1 <= len(body["user_ids"]) <= 100 or not all(body["user_ids"]):
        yield f"{len(body['user_ids'])} people"


def in_destination(body: Any) -> Iterator[str]:
    """What is wrong with the body of a destination's create or change (FACTS 2.6, 3.11, traps 17, 34, 35)."""
    if body.get("api_key_hashes") == [] or body.get("regions") == []:
        yield "an empty list"
    if not 0.0001 <= body.get("sampling_rate", 1) <= 1:
        yield f"sampling rate {body['sampling_rate']}"
    if "name" in body and not body["name"]:
        yield "a name that is empty"
    for name, value in body.get("config", {}).items():
        if "..." in str(value):
            yield f"a mask in {name}"
    for group in (body.get("filter_rules") or {}).get("groups", ()):
        for rule in group["rules"]:
            if rule["operator"] in ("gt", "lt", "gte", "lte") and isinstance(rule["value"], str):
                yield f"text compared as a number: {rule}"


def in_preset(body: Any) -> Iterator[str]:
    """What is wrong with a request that a preset is made of (FACTS 2.7)."""
    if not isinstance(body, dict):
        yield "no object"
    elif "messages" in body and not isinstance(body["messages"], list | None):
        yield "messages that are no list"


PRESETS = tuple(f"POST /presets/{{slug}}/{kind}" for kind in ("chat/completions", "messages", "responses"))

WORKSPACES = {
    "POST /observability/destinations": in_destination,
    "PATCH /observability/destinations/{id}": in_destination,
    "POST /workspaces": in_workspace,
    "PATCH /workspaces/{id}": in_workspace,
    "PUT /workspaces/{id}/budgets/{interval}": in_budget,
    "POST /workspaces/{id}/members/add": in_people,
    "POST /workspaces/{id}/members/remove": in_people,
}


def in_credential(body: Any) -> Iterator[str]:
    lists = ("allowed_models", "allowed_api_key_hashes", "allowed_user_ids")
    switches = ("disabled", "is_fallback", "is_required", "is_byok_only")
    known = {*lists, *switches, "provider", "key", "name", "workspace_id", "declared_region", "declared_zdr"}
    yield from (f"unknown field {name}" for name in set(body) - known)
    for name in set(lists) & set(body):
        if body[name] is not None and not 1 <= len(body[name]) <= 100:
            yield f"{name} with {len(body[name])}"
    for name in set(switches) & set(body):
        if not isinstance(body[name], bool):
            yield f"{name} {body[name]!r}"
    if body.get("is_fallback") and body.get("is_byok_only"):
        yield "a fallback that forbids credits"


CREDENTIALS = {"POST /byok": in_credential, "PATCH /byok/{id}": in_credential}
IN_BODIES = {**WORKSPACES, **CREDENTIALS}


def breaches(calls: Iterable[Seen]) -> list[str]:
    """A line for each thing that was sent and should not have been."""
    found = []
    for call in calls:
        if call.endpoint == "POST /keys":
            found += [f"create: {problem}" for problem in in_create(call.body)]
        elif call.endpoint == "PATCH /keys/{hash}":
            found += [f"update: {problem}" for problem in in_update(call.body)]
        elif call.endpoint in ("POST /guardrails", "PATCH /guardrails/{id}"):
            found += [f"guardrail: {problem}" for problem in in_guardrail(call.body)]
        elif call.endpoint in IN_BODIES:
            found += [f"{call.endpoint}: {problem}" for problem in IN_BODIES[call.endpoint](call.body)]
        elif call.endpoint in PRESETS:
            found += [f"{call.endpoint}: {problem}" for problem in in_preset(call.body)]
        elif call.method != "GET" and call.endpoint not in HARMLESS:
            found.append(f"nobody asked for {call.method} {call.path}")
        if call.method != "GET" and call.status == 400 and not _is_openrouters_to_judge(call):
            found.append(f"refused: {call.body}")
    return found


def _is_openrouters_to_judge(call: Seen) -> bool:
    """Which providers there are, only OpenRouter knows."""
    return call.endpoint == "POST /byok" and (call.body or {}).get("provider") not in PROVIDERS


def in_create(body: Any) -> list[str]:
    known = {
        "name",
        "workspace_id",
        "creator_user_id",
        "expires_at",
        "limit",
        "limit_reset",
        "include_byok_in_limit",
    }
    found = _in_settings(body, known)
    if "name" not in body:
        found.append("no name")
    if not _is_uuid(body.get("workspace_id")):
        found.append(f"workspace_id {body.get('workspace_id')!r}")
    if "creator_user_id" in body and not (
        isinstance(body["creator_user_id"], str) and body["creator_user_id"]
    ):
        found.append(f"creator_user_id {body['creator_user_id']!r}")
    if "expires_at" in body and not _is_ahead(body["expires_at"]):
        found.append(f"expires_at {body['expires_at']!r}")
    if body.get("limit_reset") and body.get("limit") is None:
        found.append("a window without a limit")
    return found


def in_update(body: Any) -> list[str]:
    found = _in_settings(body, {"name", "disabled", "limit", "limit_reset", "include_byok_in_limit"})
    if not body:
        found.append("nothing to change")
    if "disabled" in body and not isinstance(body["disabled"], bool):
        found.append(f"disabled {body['disabled']!r}")
    return found


def _in_settings(body: Mapping[str, Any], known: set[str]) -> list[str]:
    found = [f"unknown field {name}" for name in set(body) - known]
    if "name" in body and not (isinstance(body["name"], str) and body["name"].strip()):
        found.append(f"name {body['name']!r}")
    limit = body.get("limit")
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if limit is not None and not (is_number and math.isfinite(limit) and limit >= 0):
        found.append(f"limit {limit!r}")
    if body.get("limit_reset") not in RESETS:
        found.append(f"limit_reset {body['limit_reset']!r}")
    if "include_byok_in_limit" in body and not isinstance(body["include_byok_in_limit"], bool):
        found.append(f"include_byok_in_limit {body['include_byok_in_limit']!r}")
    return found


def _is_uuid(value: Any) -> bool:
    try:
        return bool(str(UUID(value)) == value)
    except (ValueError, TypeError, AttributeError):
        return False


def _is_ahead(value: Any) -> bool:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return False
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) > datetime.now(UTC)

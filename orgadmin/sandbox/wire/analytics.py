"""`/analytics/meta` and `/analytics/query`: what can be asked about use, and the asking."""

from __future__ import annotations

import json
from typing import Any

from orgadmin.sandbox.analytics.answers import HIGHEST_LIMIT, answer
from orgadmin.sandbox.analytics.dimensions import DIMENSIONS
from orgadmin.sandbox.analytics.metrics import METRICS
from orgadmin.sandbox.analytics.question import ARRAY_OPERATORS, SCALAR_OPERATORS, Filter, Order, Question
from orgadmin.sandbox.buckets import GRANULARITIES
from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.moments import DAY, HOUR, seconds_of
from orgadmin.sandbox.state.workspaces import is_uuid
from orgadmin.sandbox.wire.request import (
    Call,
    Check,
    Endpoint,
    Reply,
    boolean,
    integer,
    list_of,
    one_of,
    recognised,
    refuse,
    text,
    utc_moment,
)

_LONGEST = 365
_LONGEST_BY_MINUTE = 3 * HOUR
_USUAL = 7 * DAY
_MOST_DIMENSIONS = 2
_MOST_FILTERS = 20


def get_meta(call: Call) -> Reply:
    call.account.analytics.admit(call.now)
    metrics = [
        {
            "name": metric.name,
            "display_label": metric.label,
            "display_format": metric.shown_as,
            "is_rate": metric.is_rate,
        }
        for metric in METRICS.values()
    ]
    dimensions = [{"name": one.name, "display_label": one.title} for one in DIMENSIONS.values()]
    operators = [
        {"name": name, "value_type": value_type}
        for names, value_type in ((SCALAR_OPERATORS, "scalar"), (ARRAY_OPERATORS, "array"))
        for name in names
    ]
    granularities = [{"name": name, "display_label": name.capitalize()} for name in GRANULARITIES]
    return Reply(
        {
            "data": {
                "metrics": metrics,
                "dimensions": dimensions,
                "operators": operators,
                "granularities": granularities,
            }
        }
    )


def query(call: Call) -> Reply:
    desk = call.account.analytics
    desk.admit(call.now)
    body = call.json_object()
    name = json.dumps(body, sort_keys=True)
    kept = desk.kept(name, call.now)
    if kept is not None:
        return Reply({"data": {**kept.content, "cachedAt": int(kept.at.timestamp() * 1000)}})
    found = answer(call.account, read_question(call, body), seconds_of(call.now))
    content: dict[str, Any] = {
        "data": found.rows,
        "metadata": {
            "query_time_ms": 4 + len(found.rows) // 50,
            "row_count": len(found.rows),
            "truncated": found.truncated,
        },
    }
    if found.warnings:
        content["warnings"] = found.warnings
    desk.keep(name, content, call.now)
    return Reply({"data": content})


def read_question(call: Call, body: dict[str, Any]) -> Question:
    """The question in a body. Raises InvalidRequestError."""
    if not body.get("metrics"):
        raise InvalidRequestError('Invalid "metrics": at least one is required')
    given = recognised(body, _FIELDS)
    now = seconds_of(call.now)
    start, end = given.get("time_range") or (now - _USUAL, now + 1)
    question = Question(
        metrics=tuple(METRICS[name] for name in dict.fromkeys(given["metrics"])),
        dimensions=tuple(DIMENSIONS[name] for name in dict.fromkeys(given.get("dimensions", []))),
        granularity=given.get("granularity"),
        start=start,
        end=end,
        filters=tuple(given.get("filters", [])),
        order=given.get("order_by"),
        limit=given.get("limit"),
        group_limit=given.get("group_limit"),
    )
    _check_range(question)
    _check_order(question)
    return question


def _check_range(question: Question) -> None:
    length = question.end - question.start
    if length <= 0:
        raise InvalidRequestError('Invalid "time_range": end must be after start')
    if question.granularity == "minute" and length > _LONGEST_BY_MINUTE:
        raise InvalidRequestError('Invalid "granularity": minute is for ranges of at most 3 hours')
    if length > question.window * DAY:
        why = "" if question.window == _LONGEST else " with these metrics, dimensions or filters"
        raise InvalidRequestError(f'Invalid "time_range": at most {question.window} days{why}')


def _check_order(question: Question) -> None:
    if question.order is None:
        return
    fields = {"request_count", *(metric.name for metric in question.metrics)}
    fields |= {dimension.name for dimension in question.dimensions}
    if question.granularity:
        fields.add("date")
    if question.order.field not in fields:
        raise InvalidRequestError('Invalid "order_by.field": expected one of ' + ", ".join(sorted(fields)))


def _time_range(name: str, value: Any) -> tuple[int, int]:
    given = _object(name, value, {"start": utc_moment, "end": utc_moment}, required=("start", "end"))
    return seconds_of(given["start"]), seconds_of(given["end"])


def _order_by(name: str, value: Any) -> Order:
    checks: dict[str, Check] = {"field": text(), "direction": one_of("asc", "desc")}
    given = _object(name, value, checks, required=("field", "direction"))
    return Order(given["field"], given["direction"] == "desc")


def _filter(name: str, value: Any) -> Filter:
    checks: dict[str, Check] = {
        "field": one_of(*DIMENSIONS),
        "operator": one_of(*SCALAR_OPERATORS, *ARRAY_OPERATORS),
        "include_unset": boolean,
    }
    given = _object(name, value, checks, required=("field", "operator"))
    several = given["operator"] in ARRAY_OPERATORS
    if "include_unset" in given and not several:
        refuse(f"{name}.include_unset", "in or not_in as operator")
    check = list_of(_scalar) if several else _scalar_alone
    values = tuple(check(f"{name}.value", value.get("value")))
    return Filter(given["field"], given["operator"], values, given.get("include_unset", False))


def _scalar_alone(name: str, value: Any) -> tuple[str]:
    return (_scalar(name, value),)


def _scalar(name: str, value: Any) -> str:
    """Words and numbers alike as text; whole numbers without a fraction."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(name, "a string or a number")
    return str(int(value)) if value == value // 1 and abs(value) < 1e18 else str(value)


def _classifier(name: str, value: Any) -> None:
    given = _object(name, value, {"classifier_id": text()}, required=("classifier_id",))
    if not is_uuid(given["classifier_id"]):
        refuse(f"{name}.classifier_id", "a UUID")
    raise InvalidRequestError(f'Invalid "{name}": there is no active classifier with this id')


def _object(name: str, value: Any, checks: dict[str, Check], *, required: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(field in value for field in required):
        refuse(name, "an object with " + " and ".join(required))
    named = {field: _inside(name, check) for field, check in checks.items()}
    return recognised(value, named)


def _inside(name: str, check: Check) -> Check:
    return lambda field, value: check(f"{name}.{field}", value)


def _at_most(most: int, check: Check) -> Check:
    def check_all(name: str, value: Any) -> list[Any]:
        items: list[Any] = list_of(check)(name, value)
        if len(items) > most:
            refuse(name, f"at most {most} items")
        return items

    return check_all


def _within(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        whole: int = integer(name, value)
        if not low <= whole <= high:
            refuse(name, f"a number between {low} and {high}")
        return whole

    return check


_FIELDS: dict[str, Check] = {
    "metrics": list_of(one_of(*METRICS)),
    "dimensions": _at_most(_MOST_DIMENSIONS, one_of(*DIMENSIONS)),
    "granularity": one_of(*GRANULARITIES),
    "time_range": _time_range,
    "filters": _at_most(_MOST_FILTERS, _filter),
    "order_by": _order_by,
    "limit": _within(1, HIGHEST_LIMIT),
    "group_limit": _within(1, HIGHEST_LIMIT),
    "classifier_dimensions": _classifier,
    "classifier_filters": _classifier,
}

ENDPOINTS = (
    Endpoint("GET", "/analytics/meta", get_meta),
    Endpoint("POST", "/analytics/query", query, reads=True),
)

"""What a handler is given: the call, its caller, and checked readers of its query and body."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.keys import KeyRow

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True)
class Call:
    """One request. `caller` is the inference key that made it, None for the management key; `anonymous` ones,
    which only public endpoints answer, come without a key that counts."""

    account: Account
    now: datetime
    query: Mapping[str, str]
    body: bytes = b""
    caller: KeyRow | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False

    def json_object(self) -> dict[str, Any]:
        """The body as an object. Raises InvalidRequestError for anything else, NaN and Infinity included."""
        try:
            body = json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise InvalidRequestError("The request body is not valid JSON") from None
        if not isinstance(body, dict):
            raise InvalidRequestError("The request body must be a JSON object")
        return body

    def whole_number(self, name: str, *, default: int, low: int, high: int | None = None) -> int:
        """A query parameter within bounds. Raises InvalidRequestError."""
        text = self.query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
            raise InvalidRequestError(f'Invalid "{name}": expected a whole number')
        number = int(text)
        if number < low or (high is not None and number > high):
            bounds = f"at least {low}" if high is None else f"between {low} and {high}"
            raise InvalidRequestError(f'Invalid "{name}": must be {bounds}')
        return number

    def flag(self, name: str) -> bool:
        """Flags are the lower-case word `true`; anything else is no."""
        return self.query.get(name) == "true"


@dataclass(frozen=True)
class Reply:
    """A JSON answer."""

    body: Any
    status: int = 200


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Endpoint:
    """One row of a route table. `inference` says that inference keys may call it too, `reads` that it
    changes nothing although it is no GET, `public` that nobody has to say who they are."""

    method: str
    path: str
    handler: Handler
    inference: bool = False
    reads: bool = False
    public: bool = False


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


Check = Callable[[str, Any], Any]
"""Takes a field's name and value, answers the value to keep, raises InvalidRequestError."""


def refuse(name: str, wanted: str) -> NoReturn:
    raise InvalidRequestError(f'Invalid "{name}": expected {wanted}')


def text(*, shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or not _is_text(value):
            refuse(name, "a string")
        if len(value) < shortest:
            refuse(name, f"at least {shortest} character(s)")
        if longest is not None and len(value) > longest:
            refuse(name, f"at most {longest} characters")
        if pattern is not None and not re.fullmatch(pattern, value):
            refuse(name, f"a string matching {pattern}")
        return value

    return check


def _is_text(value: str) -> bool:
    """False for halves of surrogate pairs, which JSON can spell but UTF-8 cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        refuse(name, "true or false")
    return value


def number(*, low: float, high: float = math.inf) -> Check:
    def check(name: str, value: Any) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_double(value):
            refuse(name, "a finite number")
        if not low <= value <= high:
            refuse(name, f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}")
        return value

    return check


def _is_double(value: float | int) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def one_of(*words: str) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            refuse(name, "one of " + ", ".join(words))
        return value

    return check


def list_of(check_item: Check) -> Check:
    def check(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            refuse(name, "a list")
        return [check_item(f"{name}[{index}]", item) for index, item in enumerate(value)]

    return check


def integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(name, "a whole number")
    return value


def or_null(check_value: Check) -> Check:
    def check(name: str, value: Any) -> Any:
        return None if value is None else check_value(name, value)

    return check


def utc_moment(name: str, value: Any) -> datetime:
    """UTC with seconds and a Z; minute precision and other zones are refused."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        refuse(name, "a UTC timestamp with seconds, such as 2027-12-31T23:59:59Z")
    try:
        return datetime.strptime(value[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        refuse(name, "a date that exists")


def recognised(body: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The known fields of a body, checked; unknown ones are ignored."""
    return {name: check(name, body[name]) for name, check in checks.items() if name in body}

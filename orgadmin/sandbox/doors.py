"""The doors over HTTP: `/_sandbox/reset`, `/faults`, `/requests`, `/clock`, `/outside`, `/credentials`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orgadmin.sandbox.answer import Answer, json_answer
from orgadmin.sandbox.errors import InvalidRequestError, MethodNotAllowedError, NotFoundError
from orgadmin.sandbox.faults import fault_of
from orgadmin.sandbox.outside import CHANGES, Outside

if TYPE_CHECKING:
    from orgadmin.sandbox.app import Sandbox

PREFIX = "/_sandbox"
_UNKNOWN_ACTION = "Expected one change, one of: " + ", ".join(CHANGES)


def open_door(sandbox: Sandbox, method: str, path: str, body: bytes) -> Answer:
    """Answers a call to a door. Raises ServiceError."""
    doors = _DOORS.get(path.removeprefix(PREFIX))
    if doors is None:
        raise NotFoundError("There is no such door")
    if method not in doors:
        raise MethodNotAllowedError
    try:
        return json_answer(doors[method](sandbox, json.loads(body) if body else None))
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise InvalidRequestError(f"The door did not understand: {problem}") from None


def _reset(sandbox: Sandbox, body: Any) -> Any:
    sandbox.reset()
    return sandbox.credentials()


def _show_faults(sandbox: Sandbox, body: Any) -> Any:
    return {"faults": sandbox.faults()}


def _add_faults(sandbox: Sandbox, body: Any) -> Any:
    wanted = body if isinstance(body, list) else [body]
    for fields in wanted:
        fault_of(fields)
    for fields in wanted:
        sandbox.fault(**fields)
    return _show_faults(sandbox, body)


def _clear_faults(sandbox: Sandbox, body: Any) -> Any:
    sandbox.clear_faults()
    return _show_faults(sandbox, body)


def _show_requests(sandbox: Sandbox, body: Any) -> Any:
    return sandbox.requests().as_json()


def _clear_requests(sandbox: Sandbox, body: Any) -> Any:
    sandbox.clear_requests()
    return _show_requests(sandbox, body)


def _show_clock(sandbox: Sandbox, body: Any) -> Any:
    return {"now": sandbox.now().isoformat()}


def _move_clock(sandbox: Sandbox, body: Any) -> Any:
    if "now" in body:
        sandbox.set_now(_moment(body["now"]))
    else:
        sandbox.advance(float(body["advance"]))
    return _show_clock(sandbox, body)


def _credentials(sandbox: Sandbox, body: Any) -> Any:
    return sandbox.credentials()


def _outside(sandbox: Sandbox, body: Any) -> Any:
    """`{"update_key": {"hash": ..., "name": ...}}`, `{"delete_key": "<hash>"}`; a list makes several."""
    changes = body if isinstance(body, list) else [body]
    return {"made": [_change(sandbox.outside, *_only(change)) for change in changes]}


def _only(change: Any) -> tuple[str, Any]:
    if not isinstance(change, dict) or len(change) != 1 or next(iter(change)) not in CHANGES:
        raise InvalidRequestError(_UNKNOWN_ACTION)
    return next(iter(change.items()))


def _change(outside: Outside, name: str, given: Any) -> Any:
    method = getattr(outside, name)
    if isinstance(given, str):
        return method(given)
    fields = dict(given)
    if isinstance(fields.get("expires_at"), str):
        fields["expires_at"] = _moment(fields["expires_at"])
    subject = [fields.pop(name) for name in ("hash", "id") if name in fields]
    return method(*subject, **fields)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Door = Callable[["Sandbox", Any], Any]
_DOORS: dict[str, dict[str, Door]] = {
    "/reset": {"POST": _reset},
    "/faults": {"GET": _show_faults, "POST": _add_faults, "DELETE": _clear_faults},
    "/requests": {"GET": _show_requests, "DELETE": _clear_requests},
    "/clock": {"GET": _show_clock, "POST": _move_clock},
    "/outside": {"POST": _outside},
    "/credentials": {"GET": _credentials},
}

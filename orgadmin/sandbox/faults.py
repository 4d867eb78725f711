"""Things that go wrong on request: the next so many matching calls get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

KINDS = (
    "status", "delay", "drop_before", "drop_after", "html", "truncated", "cut", "extra_field", "unknown_enum",
)  # fmt: skip
"""`truncated` is a complete HTTP answer whose JSON ends early; `cut` promises more bytes than it sends."""


@dataclass
class Fault:
    """One thing to go wrong. `path` is a glob on the path below `/api/v1`, such as `/keys/*`.

    `after` lets the change be made first, for `status`, `html` and `delay`. `seconds` is how long a `delay`
    lasts. `times` counts down as the fault is met.
    """

    kind: str
    times: int = 1
    method: str | None = None
    path: str = "*"
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    message: str | None = None
    after: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Unknown fault {self.kind!r}: expected one of {', '.join(KINDS)}")
        if self.kind == "status" and self.status is None:
            raise ValueError('A "status" fault needs a status')

    def meets(self, method: str, path: str) -> bool:
        same_method = self.method is None or self.method.upper() == method
        return self.times > 0 and same_method and fnmatchcase(path, self.path)


class FaultBook:
    """The faults that wait, in the order they were asked for. Safe to use from several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first waiting fault that this call meets, counted down; None when there is none."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.meets(method, path)), None)
            if fault is not None:
                fault.times -= 1
                self._faults = [fault for fault in self._faults if fault.times > 0]
            return fault

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()


def fault_of(fields: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form. Raises ValueError for a field or kind there is not."""
    try:
        return Fault(**fields)
    except TypeError as problem:
        raise ValueError(str(problem).removeprefix("Fault.__init__() ")) from None


_NEW_WORDS = {
    "limit_reset": "fortnightly",
    "reset_interval": "fortnightly",
    "role": "org:auditor",
    "default_provider_sort": "greenest",
    "status": "hibernating",
    "action": "shrug",
    "scan_scope": "assistant_only",
    "type": "carrier-pigeon",
    "display_format": "furlongs",
    "value_type": "range",
    "quantization": "int1",
    "tokenizer": "Syllables",
    "instruct_type": "telegram",
    "billable": "output_scent",
}


_MAPS = {"native_tools", "pricing_skus", "supported_parameters"}


def with_extra_fields(body: Any) -> Any:
    """Every object of an answer gains a field nobody has heard of. Maps, whose names are data, do not."""
    if isinstance(body, dict):
        grown = {
            name: value if name in _MAPS and isinstance(value, dict) else with_extra_fields(value)
            for name, value in body.items()
        }
        return {**grown, "sandbox_extra": {"new": [1]}}
    if isinstance(body, list):
        return [with_extra_fields(item) for item in body]
    return body


def _new_word(name: str, value: Any) -> Any:
    """Of the kind of the old one: some states are numbers."""
    return _NEW_WORDS[name] if not isinstance(value, int) else -99


def with_unknown_words(body: Any) -> Any:
    """Fields that hold one of a few words hold a new one."""
    if isinstance(body, dict):
        return {
            name: _new_word(name, value) if name in _NEW_WORDS else with_unknown_words(value)
            for name, value in body.items()
        }
    if isinstance(body, list):
        return [with_unknown_words(item) for item in body]
    return body

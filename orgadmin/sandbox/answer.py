"""Answers on the wire, and how a fault spoils one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from orgadmin.sandbox.errors import ServiceError, envelope
from orgadmin.sandbox.faults import Fault, with_extra_fields, with_unknown_words

_HTML = (
    b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>The edge is unwell</h1></body></html>"
)

_PLATFORM_429 = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}


@dataclass(frozen=True)
class Answer:
    """A finished answer. `promised` is the length the headers claim, the true one when None."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None

    @property
    def status_line(self) -> str:
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"

    @property
    def header_list(self) -> list[tuple[str, str]]:
        length = len(self.body) if self.promised is None else self.promised
        own = {"Content-Type": self.content_type, "Content-Length": str(length)}
        return list({**own, **self.headers}.items())


def json_answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False, allow_nan=False).encode(errors="replace"))


def error_answer(error: ServiceError) -> Answer:
    return replace(json_answer(error.envelope(), error.status), headers=error.headers)


def in_place_of(fault: Fault) -> Answer | None:
    """The answer that a fault gives without asking the service; None for other kinds."""
    if fault.kind == "status" and fault.status is not None:
        message = fault.message or Answer(fault.status, b"").status_line[4:]
        plain = json_answer(envelope(fault.status, message), fault.status)
        own = _PLATFORM_429 if fault.status == 429 else {}
        return Answer(plain.status, plain.body, headers={**own, **fault.headers})
    if fault.kind == "html":
        return Answer(fault.status or 502, _HTML, "text/html; charset=utf-8", fault.headers)
    return None


def spoiled(answer: Answer, fault: Fault) -> Answer:
    """What becomes of the service's own answer under a fault."""
    if fault.kind == "truncated":
        return Answer(answer.status, answer.body[: max(1, len(answer.body) * 2 // 3)], headers=fault.headers)
    if fault.kind == "cut":
        half = answer.body[: max(1, len(answer.body) // 2)]
        return Answer(answer.status, half, headers=fault.headers, promised=len(answer.body))
    if fault.kind == "extra_field":
        return json_answer(with_extra_fields(json.loads(answer.body)), answer.status)
    if fault.kind == "unknown_enum":
        return json_answer(with_unknown_words(json.loads(answer.body)), answer.status)
    return answer

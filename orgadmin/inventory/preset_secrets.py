"""What of a preset's settings may be a secret: tools that are servers of somebody else's bring headers and
tokens. They are kept, told and shown as a mark; OpenRouter has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orgadmin.openrouter.secret import HIDDEN

_NAMES = re.compile(
    r"(?:proxy-)?authorization(?:[-_]token)?|cookie|(?:x-)?api[-_ ]?key|password|(?:client[-_])?secret|"
    r"(?:access|refresh|auth|bearer)[-_]?token|credentials?",
    re.IGNORECASE,
)


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same with a mark in place of what is a secret by its name, and of every header's value."""
    return {name: _kept(str(name), value) for name, value in config.items()}


def _kept(name: str, value: Any) -> Any:
    if _NAMES.fullmatch(name) and value not in (None, ""):
        return HIDDEN
    if isinstance(value, Mapping):
        if name.casefold() == "headers":
            return dict.fromkeys(value, HIDDEN)
        return without_secrets(value)
    return [_kept("", one) for one in value] if isinstance(value, list | tuple) else value


def has_marks(value: Any) -> bool:
    """Whether something is a mark: to send it would put it in the place of what it stands for."""
    if isinstance(value, Mapping):
        return any(has_marks(one) for one in value.values())
    if isinstance(value, list | tuple):
        return any(has_marks(one) for one in value)
    return isinstance(value, str) and HIDDEN in value

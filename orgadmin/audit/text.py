"""Text that every database takes, wherever it came from: a form, a file, or OpenRouter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def writable(text: str) -> str:
    """The text without what databases refuse: NUL, and halves of characters that JSON can spell."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def in_every_text(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of what JSON can hold, with every text in it changed, names of fields included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(name)): in_every_text(item, change) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_every_text(item, change) for item in value]
    return value

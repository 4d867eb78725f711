"""A client that does not keep a test waiting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orgadmin.accounts import connection
from orgadmin.openrouter.transport import OpenRouter


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once, and an answer that takes half a second counts as lost."""

    def client(**options: Any) -> OpenRouter:
        patience = replace(options.pop("patience"), read_timeout=0.5)
        return OpenRouter(**options, patience=patience, sleep=lambda _: None)

    monkeypatch.setattr(connection, "OpenRouter", client)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.reading import read_data
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """US dollars the account ever bought and ever spent, at most a minute old."""

    total_credits: Decimal
    total_usage: Decimal
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def balance(self) -> Decimal:
        """What is left. Can be negative; invoiced organizations may have no meaningful balance."""
        return self.total_credits - self.total_usage


def get(client: OpenRouter) -> Credits:
    """`GET /credits`. Needs a management key, else Forbidden."""
    return read_data(Credits, client.request("GET", "/credits"))

"""What a form says a key should be. Values only; forms make them, services send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

# What PATCH /keys/{hash} can change (FACTS 2.1), in the order a person reads them.
EDITABLE = ("name", "limit", "limit_reset", "include_byok_in_limit")


@dataclass(frozen=True, kw_only=True)
class KeyDraft:
    """A key to be created. ``limit`` in US dollars, None = unlimited; ``limit_reset`` None = the cap is for
    the key's lifetime; ``expires_at`` in UTC, None = never; ``creator_user_id`` None = a workspace key."""

    name: str
    workspace_uid: str
    limit: Decimal | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool = False
    expires_at: datetime | None = None
    creator_user_id: str | None = None

    def audited(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "workspace_uid": self.workspace_uid,
            "limit": self.limit,
            "limit_reset": self.limit_reset,
            "include_byok_in_limit": self.include_byok_in_limit,
            "expires_at": self.expires_at,
            "creator_user_id": self.creator_user_id,
        }


@dataclass(frozen=True, kw_only=True)
class KeyEdit:
    """An edited key: what the editor saw when the form was opened, and what they want. Same names in both."""

    seen: Mapping[str, Any]
    wanted: Mapping[str, Any]

    @property
    def changed(self) -> dict[str, Any]:
        """Only what the editor touched."""
        return {name: value for name, value in self.wanted.items() if value != self.seen.get(name)}

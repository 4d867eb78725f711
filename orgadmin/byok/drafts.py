"""What can be set of a credential as values: comparable, and as what it should become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgadmin.audit.services import comparable
from orgadmin.inventory.byok_nouns import SETTINGS
from orgadmin.openrouter.secret import Secret

# A server that does not send these does not have them.
OPTIONAL = ("is_required", "is_byok_only", "declared_region", "declared_zdr")


def settings_of(item: Any) -> dict[str, Any]:
    """All settings of a row of ours, or of an upstream credential in the shape of one."""
    return {name: getattr(item, name) for name in SETTINGS}


def canonical(name: str, value: Any) -> Any:
    """A setting as it counts: order does not, and an empty text is none."""
    return None if value == "" else comparable(name, value)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name in SETTINGS
        if name in one and name in other and canonical(name, one[name]) != canonical(name, other[name])
    ]


@dataclass(frozen=True)
class CredentialDraft:
    """A new credential: ``settings`` holds what says something, ``secret`` the provider's key."""

    provider: str
    workspace_uid: str
    secret: Secret
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class CredentialEdit:
    """What the editor saw when the form was opened, and what they want."""

    seen: Mapping[str, Any]
    wanted: Mapping[str, Any]

    @property
    def changed(self) -> dict[str, Any]:
        """Only what the editor touched."""
        return {name: self.wanted[name] for name in differing(self.seen, self.wanted)}

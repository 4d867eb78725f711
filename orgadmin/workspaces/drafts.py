"""The settings of a workspace as values: comparable, and as what they should become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What PATCH /workspaces/{id} takes, in the order of the form.
SETTINGS = (
    "name",
    "slug",
    "description",
    "default_text_model",
    "default_image_model",
    "default_provider_sort",
    "disabled_server_tools",
    "is_observability_broadcast_enabled",
    "is_observability_io_logging_enabled",
    "io_logging_sampling_rate",
    "io_logging_api_key_ids",
    "is_data_discount_logging_enabled",
)
# What lets OpenRouter keep or use what people write. Switching it on wants a tick of its own (FACTS 3.12).
PRIVACY = ("is_observability_io_logging_enabled", "is_data_discount_logging_enabled")


def settings_of(item: Any) -> dict[str, Any]:
    """All settings of a row of ours, or of an upstream workspace, as a row would hold them."""
    return {name: _plain(name, getattr(item, name)) for name in SETTINGS}


def _plain(name: str, value: Any) -> Any:
    if name == "io_logging_sampling_rate":
        return float(value)
    return list(value) if isinstance(value, tuple | list) else value


def canonical(name: str, value: Any) -> Any:
    """A setting as it counts: no tool at all is the same as null, and so is an empty text."""
    if name in ("disabled_server_tools", "io_logging_api_key_ids"):
        # No key at all is not the same as all keys.
        return None if value is None or (not value and name == "disabled_server_tools") else sorted(value)
    return None if value == "" else value


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name in SETTINGS
        if name in one and name in other and canonical(name, one[name]) != canonical(name, other[name])
    ]


@dataclass(frozen=True)
class WorkspaceEdit:
    """What the editor saw when the form was opened, and what they want."""

    seen: Mapping[str, Any]
    wanted: Mapping[str, Any]

    @property
    def changed(self) -> dict[str, Any]:
        """Only what the editor touched."""
        return {name: self.wanted[name] for name in differing(self.seen, self.wanted)}

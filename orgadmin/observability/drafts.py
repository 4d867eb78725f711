"""What a destination says as values: comparable, and as what it should become. Secrets travel beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgadmin.audit.services import comparable
from orgadmin.inventory.destination_config import is_mask, is_secret, kept_config
from orgadmin.inventory.destination_nouns import SETTINGS
from orgadmin.openrouter.secret import Secret

LISTS = ("api_key_hashes", "regions")
# A server that does not send these does not have them.
OPTIONAL = (
    "broadcast_generation_cost",
    "broadcast_generation_cost_allocation",
    "broadcast_generation_identity",
    "broadcast_generation_request_context",
    "regions",
)
REPLACED = " (replaced)"

# Values of a config to send, every text in them that may be a secret as one.
Sent = Mapping[str, Any]


def settings_of(item: Any) -> dict[str, Any]:
    """All that a row of ours, or an upstream destination in the shape of one, says."""
    return {name: getattr(item, name) for name in SETTINGS}


def canonical(name: str, value: Any, *, masks_alike: bool = False) -> Any:
    """A setting as it counts: the order of lists does not, nor what a mask shows where ``masks_alike``."""
    if name in LISTS:
        return tuple(sorted(set(value))) if value else None
    if name == "sampling_rate" and value is not None:
        return float(value)
    return comparable(name, value) if masks_alike else value


def differing(one: Mapping[str, Any], other: Mapping[str, Any], *, masks_alike: bool = False) -> list[str]:
    """The settings in which two destinations differ, of those that both name."""
    return [
        name
        for name in SETTINGS
        if name in one
        and name in other
        and canonical(name, one[name], masks_alike=masks_alike)
        != canonical(name, other[name], masks_alike=masks_alike)
    ]


def opened(value: Any) -> Any:
    """The value with its secrets in the clear. For the one who hides them again at once, and nobody else."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: opened(one) for name, one in value.items()}
    return [opened(one) for one in value] if isinstance(value, list | tuple) else value


def raw_secrets(value: Any) -> list[str]:
    """Every secret in a value, in the clear: what must not appear in what is told."""
    if isinstance(value, Secret):
        return [value.reveal()]
    if isinstance(value, Mapping):
        return [raw for one in value.values() for raw in raw_secrets(one)]
    return [raw for one in value for raw in raw_secrets(one)] if isinstance(value, list | tuple) else []


def config_told(kind: str, now: Mapping[str, Any], sent: Sent) -> dict[str, Any]:
    """The config as the log may know it once ``sent`` is laid over it: masks, those of new secrets with a
    word that they are new."""
    return marked(kind, kept_config(kind, {**now, **opened(sent)}), sent)


def marked(kind: str, config: Mapping[str, Any], sent: Sent) -> dict[str, Any]:
    """A config without secrets, with the mask of each that was sent told to be new."""
    new = {name for name, value in sent.items() if is_secret(kind, name) or raw_secrets(value)}
    return {name: _marked(value) if name in new else value for name, value in config.items()}


def _marked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _marked(one) for name, one in value.items()}
    return f"{value}{REPLACED}" if isinstance(value, str) and is_mask(value) else value


@dataclass(frozen=True)
class DestinationEdit:
    """What the editor saw when the form was opened, and what they want. ``config`` holds the keys to set, and
    only those; a mask is never among them."""

    seen: Mapping[str, Any]
    wanted: Mapping[str, Any]
    config: Sent = field(default_factory=dict, repr=False)

    @property
    def changed(self) -> dict[str, Any]:
        """Only what the editor touched, without the config."""
        names = differing(self.seen, self.wanted)
        return {name: self.wanted[name] for name in names if name != "config"}

    def __bool__(self) -> bool:
        return bool(self.changed or self.config)

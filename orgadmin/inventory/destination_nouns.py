"""How observability destinations are mirrored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from orgadmin.audit.text import in_every_text, writable
from orgadmin.inventory.destination_config import kept_config, shown
from orgadmin.inventory.destination_models import SWITCHES
from orgadmin.inventory.destination_types import label_of
from orgadmin.openrouter import destinations
from orgadmin.openrouter.destinations import FilterRules
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET

# Everything that a destination says; a change in any of it is worth an audit entry. Type and place are fixed.
SETTINGS = (
    "name",
    "enabled",
    "config",
    "api_key_hashes",
    "filter_rules",
    "privacy_mode",
    "sampling_rate",
    *SWITCHES,
    "regions",
)


def plain(found: destinations.Destination) -> SimpleNamespace:
    """The client's object as columns hold it: no secret in it, lists in one order, rules with their defaults
    said, and what the server did not send as null, named in ``lacks``."""
    values = {item.name: getattr(found, item.name) for item in dataclasses.fields(found)}
    lacks = sorted(name for name, value in values.items() if value is UNSET)
    values |= dict.fromkeys(lacks)
    for name in ("api_key_hashes", "regions"):
        if values[name] is not None:
            values[name] = sorted(set(values[name]))
    if isinstance(values["filter_rules"], FilterRules):
        values["filter_rules"] = plain_rules(values["filter_rules"].body())
    values["config"] = in_every_text(kept_config(found.type, found.config), writable)
    values["sampling_rate"] = float(found.sampling_rate)
    values["extra"] = shown(found.extra)
    return SimpleNamespace(**values, lacks=lacks)


def plain_rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Filter rules as JSON gives them back: numbers as numbers."""
    found: dict[str, Any] = in_every_text(_numbers(rules), writable)
    return found


def _numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _numbers(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def walk_destinations(client: OpenRouter, workspace_uid: str | None) -> Iterator[Sequence[Any]]:
    for page in destinations.walk(client, workspace_id=workspace_uid):
        yield [plain(one) for one in page]


def confirm_destination(client: OpenRouter, uid: str) -> Any:
    return plain(destinations.get(client, destination_id=uid))


def called_destination(_: str, values: Mapping[str, Any], __: Any) -> str:
    return str(values.get("name") or f"{label_of(str(values['type']))} without a name")


DESTINATION_COLUMNS = {
    **{name: name for name in SETTINGS},
    "type": "type",
    "workspace_uid": "workspace_id",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "lacks": "lacks",
}
DESTINATION_VOLATILE = frozenset({"created_at", "updated_at", "lacks"})

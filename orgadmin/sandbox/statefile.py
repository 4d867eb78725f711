"""Keeps an account in a file, so that what was acknowledged survives the process.

The file holds what the account was made of and everything that has changed since; unchanged keys are made
again from the seed. It is written whole, to a neighbour that then takes its place, so a reader or a crash
meets either the old state or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orgadmin.sandbox.clock import Clock
from orgadmin.sandbox.ledger import Amounts, Gift, Ledger, Span
from orgadmin.sandbox.seed.population import Options, populate
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.budgets import BudgetRow
from orgadmin.sandbox.state.credentials import CredentialRow
from orgadmin.sandbox.state.destinations import DestinationRow
from orgadmin.sandbox.state.guardrails import AssignmentRow, GuardrailRow
from orgadmin.sandbox.state.keys import KeyRow, Stay
from orgadmin.sandbox.state.members import MemberRow
from orgadmin.sandbox.state.memberships import MembershipRow
from orgadmin.sandbox.state.presets import PresetRow, PresetVersionRow
from orgadmin.sandbox.state.rooms import RoomRow
from orgadmin.sandbox.state.workspaces import WorkspaceRow
from orgadmin.sandbox.usage import Profile

FORMAT = 3
_READABLE = (2, FORMAT)
"""Format 2 knew neither memberships, budgets nor changes of models: those are as they were seeded then."""

_ROWS = {
    row.__name__: row
    for row in (
        *(KeyRow, Stay, Ledger, Span, Gift, Amounts, Profile),
        *(WorkspaceRow, BudgetRow, MembershipRow, MemberRow, RoomRow),
        *(GuardrailRow, AssignmentRow, CredentialRow, DestinationRow),
        *(PresetRow, PresetVersionRow),
    )
}
_NOT_THE_ACCOUNT = {
    "state",
    "analytics_per_minute",
    "analytics_kept_for",
    "budgets",
    "default_deletable",
    "models",
    "guardrails",
    "credentials",
    "presets",
    "presets_for_managers",
}


def made_of(options: Options) -> dict[str, Any]:
    """The options that decide what an account is; the file's own path is not one of them."""
    names = [field.name for field in fields(options) if field.name not in _NOT_THE_ACCOUNT]
    return {name: getattr(options, name) for name in names}


def read_state(options: Options) -> dict[str, Any] | None:
    """The content of the state file, None without one.

    Raises ValueError when it is no state file or was made with other options.
    """
    if options.state is None or not options.state.exists():
        return None
    try:
        content = json.loads(options.state.read_text(encoding="utf-8"))
        form, origin = content["format"], content["made_of"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{options.state} is not a state file of the sandbox") from None
    if form not in _READABLE or origin != made_of(options):
        raise ValueError(
            f"{options.state} was made with {origin}, not with {made_of(options)}: "
            "use the same options, another file, or delete it"
        )
    return dict(content)


def restored(options: Options, clock: Clock) -> Account:
    """The account of the state file, with the clock moved as it was; a fresh one when there is no file."""
    content = read_state(options)
    if content is None:
        return populate(options, clock.now())
    clock.moved = timedelta(seconds=content["clock_moved"])
    account = populate(options, datetime.fromisoformat(content["born"]))
    account.created = content["created"]
    account.workspaces.take_over(_parsed(content["workspaces"]), content["default_workspace"])
    account.members.take_over(_parsed(content["members"]))
    if content["format"] == FORMAT:
        account.memberships.take_over(_parsed(content["memberships"]))
        account.budgets.take_over(_parsed(content["budgets"]))
        account.shelf.changes = _parsed(content["models_changed"])
    for user_id in {row.user_id for row in account.memberships if row.user_id not in account.members}:
        account.memberships.drop_member(user_id)
    account.rooms.rows = _parsed(content["rooms"])
    for row in _parsed(content["keys_changed"]):
        account.keys.replace(row)
    for row in _parsed(content["keys_deleted"]):
        account.keys.bury(row)
        account.guardrails.keys.free(row.hash)
    # Files from before there were guardrails or destinations get the seeded ones.
    if "guardrails" in content:
        account.guardrails.take_over(
            *(_parsed(content[name]) for name in ("guardrails", "guarded_keys", "guarded_members"))
        )
    # As are those from before there were credentials.
    if "credentials" in content:
        account.credentials.take_over(_parsed(content["credentials"]))
    if "destinations" in content:
        account.destinations.take_over(_parsed(content["destinations"]))
    # Likewise those from before there were presets.
    if "presets" in content:
        account.presets.take_over(_parsed(content["presets"]), _parsed(content["preset_versions"]))
    return account


def save(options: Options, account: Account, clock: Clock) -> None:
    """Writes the account to `options.state`. Does nothing without one."""
    if options.state is None:
        return
    keys = account.keys
    content = {
        "format": FORMAT,
        "made_of": made_of(options),
        "born": account.born.isoformat(),
        "clock_moved": clock.moved.total_seconds(),
        "created": account.created,
        "workspaces": list(account.workspaces),
        "default_workspace": account.workspaces.default_id,
        "members": list(account.members),
        "memberships": list(account.memberships),
        "budgets": list(account.budgets),
        "models_changed": account.shelf.changes,
        "rooms": account.rooms.rows,
        "guardrails": list(account.guardrails),
        "guarded_keys": list(account.guardrails.keys),
        "guarded_members": list(account.guardrails.members),
        "credentials": list(account.credentials),
        "destinations": list(account.destinations),
        "presets": list(account.presets),
        "preset_versions": account.presets.all_versions(),
        "keys_changed": [keys.get(key_hash) for key_hash in sorted(keys.changed)],
        "keys_deleted": list(keys.deleted.values()),
    }
    write_whole(options.state, json.dumps(_plain(content), ensure_ascii=False))


def write_whole(path: Path, text: str) -> None:
    """Replaces a file so that it is never seen half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f"{path.name}.{os.getpid()}.new")
    with neighbour.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    neighbour.replace(path)


def _plain(value: Any) -> Any:
    """Rows and moments as JSON: rows name their class under `$`."""
    if isinstance(value, datetime):
        return {"$": "moment", "at": value.isoformat()}
    if is_dataclass(value) and not isinstance(value, type):
        kept = {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.init}
        return {"$": type(value).__name__, **kept}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _parsed(value: Any) -> Any:
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("$") == "moment":
        return datetime.fromisoformat(value["at"])
    content = {name: _parsed(item) for name, item in value.items() if name != "$"}
    return _ROWS[value["$"]](**content) if "$" in value else content

"""The whole account: its workspaces, people, keys and money, behind one lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from orgadmin.sandbox.dice import hex_digest, uuid_text
from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.habits import newcomer
from orgadmin.sandbox.ledger import Ledger
from orgadmin.sandbox.moments import seconds_of
from orgadmin.sandbox.money import NANO
from orgadmin.sandbox.state.budgets import Budgets
from orgadmin.sandbox.state.credentials import Credentials
from orgadmin.sandbox.state.desk import Desk
from orgadmin.sandbox.state.destinations import DestinationRow, Destinations
from orgadmin.sandbox.state.guardrails import AssignmentRow, Assignments, GuardrailRow, Guardrails
from orgadmin.sandbox.state.keys import KeyDraft, KeyRow, Keys, hash_of, label_of
from orgadmin.sandbox.state.members import Members
from orgadmin.sandbox.state.memberships import Memberships
from orgadmin.sandbox.state.presets import PresetRow, Presets, PresetVersionRow, as_settings
from orgadmin.sandbox.state.rooms import Rooms
from orgadmin.sandbox.state.shelf import Shelf
from orgadmin.sandbox.state.workspaces import WorkspaceRow, Workspaces

NEWCOMER_DELAY = 300
"""Seconds between the making of a key and its first use."""


@dataclass
class Account:
    """One account. `born` is the moment it was seeded; `rooms` is the use that no key made;
    `top_up` is the dollars bought whenever the balance would run out; `default_deletable` says that the
    account is one of those that may delete their default workspace; `presets_for_managers` is the status that
    a management key gets where presets are asked for, 200 for an answer."""

    seed: int
    born: datetime
    organization_id: str | None
    management_hash: str
    management_label: str
    members: Members
    rooms: Rooms
    top_up: int
    analytics: Desk
    keys: Keys = field(default_factory=Keys)
    workspaces: Workspaces = field(default_factory=Workspaces)
    guardrails: Guardrails = field(default_factory=Guardrails)
    memberships: Memberships = field(default_factory=Memberships)
    budgets: Budgets = field(default_factory=Budgets)
    credentials: Credentials = field(default_factory=Credentials)
    destinations: Destinations = field(default_factory=Destinations)
    default_deletable: bool = False
    presets: Presets = field(default_factory=Presets)
    presets_for_managers: int = 403
    shelf: Shelf = field(default_factory=Shelf)
    created: int = 0
    lock: RLock = field(default_factory=RLock)

    def key_create(self, draft: KeyDraft, now: datetime, *, secret: str | None = None) -> tuple[KeyRow, str]:
        """A new key and its secret, which is not kept."""
        if draft.creator_user_id is not None and draft.creator_user_id not in self.members:
            raise InvalidRequestError("creator_user_id is not a member of this organization")
        self.created += 1
        serial = 1_000_000 + self.created
        secret = secret or "sk-or-v1-" + hex_digest("created", self.seed, self.born, self.created)
        key_hash = hash_of(secret)
        if self.keys.find(key_hash) is not None:
            raise InvalidRequestError("This API key exists already")
        row = KeyRow(
            hash=key_hash,
            label=label_of(secret),
            serial=serial,
            long=True,
            name=draft.name,
            workspace_id=draft.workspace_id,
            created_at=now,
            ledger=Ledger(self.seed, newcomer(self.seed, key_hash)),
            limit=draft.limit,
            limit_reset=draft.limit_reset,
            include_byok_in_limit=draft.include_byok_in_limit,
            expires_at=draft.expires_at,
            creator_user_id=draft.creator_user_id,
            external_user=draft.external_user,
        )
        row.settle(seconds_of(now) + NEWCOMER_DELAY)
        self.keys.replace(row)
        return row, secret

    def key_delete(self, row: KeyRow, now: datetime) -> None:
        """Its history stays; the guardrail it held is free of it."""
        self.keys.delete(row, now)
        self.guardrails.keys.free(row.hash)

    def guardrail_create(
        self, workspace: WorkspaceRow, now: datetime, *, default: bool = False, **fields: Any
    ) -> GuardrailRow:
        """A new guardrail; with `default` the one that governs its workspace, whose id and name are fixed."""
        self.created += 1
        if default:
            fields["name"] = workspace.default_guardrail_name
        row = GuardrailRow(
            id=workspace.default_guardrail_id if default else self._fresh_id("guardrail"),
            workspace_id=workspace.id,
            created_at=now,
            long=True,
            **fields,
        )
        self.guardrails.add(row)
        return row

    def preset_version(
        self,
        workspace_id: str,
        slug: str,
        now: datetime,
        *,
        config: Mapping[str, Any],
        system_prompt: str | None,
        creator: str | None,
        designate: bool = True,
    ) -> PresetRow:
        """A new version of the workspace's preset of that slug, which is made if there is none."""
        row = self.presets.find(workspace_id, slug)
        if row is None:
            row = PresetRow(
                id=uuid_text("preset", self.seed, workspace_id, slug, now),
                slug=slug,
                name=slug,
                workspace_id=workspace_id,
                created_at=now,
                updated_at=now,
                creator_user_id=creator,
                long=True,
            )
            self.presets.add(row)
        number = len(self.presets.versions(row)) + 1
        version = PresetVersionRow(
            id=uuid_text("preset version", row.id, number),
            preset_id=row.id,
            version=number,
            settings=as_settings(config),
            system_prompt=system_prompt,
            creator_id=creator or "user_unknown",
            created_at=now,
        )
        self.presets.add_version(version, designate=designate)
        return row

    def guardrail_assign(
        self, row: GuardrailRow, holders: Assignments, subjects: Iterable[str], now: datetime
    ) -> None:
        """Each subject holds this guardrail and no other; who holds it already keeps the assignment."""
        for subject in subjects:
            held = holders.holder(subject)
            if held is None or held.guardrail_id != row.id:
                self.created += 1
                given = AssignmentRow(
                    self._fresh_id("assignment"), row.id, subject, now, long=True, assigned_by=self.manager_id
                )
                holders.put(given)

    def destination_create(
        self, workspace: WorkspaceRow, now: datetime, *, kind: str, config: dict[str, Any], **fields: Any
    ) -> DestinationRow:
        """A new destination whose config is as it is kept."""
        self.created += 1
        row = DestinationRow(
            id=self._fresh_id("destination"),
            type=kind,
            workspace_id=workspace.id,
            config=config,
            created_at=now,
            updated_at=now,
            long=True,
            **fields,
        )
        self.destinations.add(row)
        return row

    def _fresh_id(self, noun: str) -> str:
        return uuid_text(noun, self.seed, self.born, self.created)

    @property
    def manager_id(self) -> str | None:
        """The member who made the management key."""
        return next((member.id for member in self.members), None)

    def member_remove(self, member_id: str, now: datetime) -> None:
        """Their keys stay and go on, with a creator who is no longer there."""
        self.members.remove(self.members.get(member_id))
        self.guardrails.members.free(member_id)
        self.memberships.drop_member(member_id)
        self.rooms.leave(member_id, seconds_of(now))

    def workspace_delete(self, row: WorkspaceRow, now: datetime) -> None:
        """The workspace and everything in it: keys, guardrails, budgets, memberships, credentials; its
        destinations stay, switched off."""
        for key in [key for key in self.keys if key.workspace_id == row.id]:
            self.key_delete(key, now)
        self.guardrails.delete_of_workspace(row.id)
        self.budgets.drop_workspace(row.id)
        self.destinations.disable_in(row.id, now)
        self.presets.delete_of_workspace(row.id)
        self.memberships.drop_workspace(row.id)
        self.credentials.drop_workspace(row.id)
        self.workspaces.delete(row)

    def total_usage(self, now: datetime) -> int:
        """Nano-dollars of credit ever spent: every key there ever was, and the chat room."""
        seconds = seconds_of(now)
        return self.keys.usage(seconds) + self.rooms.usage(seconds)

    def total_credits(self, now: datetime) -> int:
        """Nano-dollars ever bought, in pieces of `top_up`: the next before the balance is a tenth of one."""
        piece = self.top_up * NANO
        return ((self.total_usage(now) + piece // 10) // piece + 1) * piece

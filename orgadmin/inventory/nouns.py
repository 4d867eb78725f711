"""The nouns we mirror. A noun says where its rows come from, what names one, and what its columns are;
``orgadmin.inventory.pull`` does the rest. A new noun is a model and an entry here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import FloatField

from orgadmin.accounts.models import Organization
from orgadmin.audit.text import in_every_text, writable
from orgadmin.inventory import byok_nouns, destination_nouns, guardrail_nouns, preset_nouns, workspace_nouns
from orgadmin.inventory.linking import KeyLinks, link_keys, link_unlinked_keys
from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.models import (
    Credential,
    Destination,
    Guardrail,
    Key,
    KeyAssignment,
    Member,
    MemberAssignment,
    Preset,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
)
from orgadmin.inventory.money import MOST, nano_that_fits, to_dollars
from orgadmin.inventory.ways import Way
from orgadmin.openrouter import keys, members, presets, workspaces
from orgadmin.openrouter.transport import OpenRouter, Patience

# What people call the object of this identity, given its values and the links; "" where it has no name.
Called = Callable[[str, Mapping[str, Any], Any], str]
# One page after the other; the argument after the client is a workspace's uid, or None for the account.
Walk = Callable[[OpenRouter, str | None], Iterator[Sequence[Any]]]
# What a row must hold for an upstream object, given the row we have (None: it is new) and the moment.
Derive = Callable[[Any, Any, Any, datetime], Mapping[str, Any]]


@dataclass(frozen=True)
class Noun:
    """How one upstream noun is mirrored.

    ``identity`` is the column that names a row; ``upstream_identity`` the attribute of the client's result.
    ``columns`` maps a column to the attribute it copies. A change in a column that is not ``volatile`` and
    that we did not make is an audit entry. ``confirm`` asks for one object by identity and raises NotFound
    when it is gone; without it a second walk has to miss the object too. ``beyond`` finds what no list shows,
    given the identities that were met. ``asks`` says of which workspaces to ask. ``capability`` names what a
    404 on the whole list means the account lacks. ``ways`` are the credentials of a noun that the management
    key alone does not show, each with its own walk; ``part`` is the column that tells what each covers.
    """

    kind: str
    singular: str
    model: type[Mirror]
    identity: str
    upstream_identity: str
    walk: Walk
    columns: Mapping[str, str]
    volatile: frozenset[str] = frozenset()
    per_workspace: bool = False
    confirm: Callable[[OpenRouter, str], Any] | None = None
    beyond: Callable[[OpenRouter, Organization, Set[str]], Iterator[Sequence[Any]]] | None = None
    asks: Callable[[Organization], Callable[[str], bool]] = field(default=lambda _: lambda _: True)
    capability: str = ""
    ways: Callable[[Organization, OpenRouter, Patience], Iterator[Way]] | None = None
    part: str = ""
    prepare: Callable[[Organization], Any] = field(default=lambda _: None)
    derive: Derive = field(default=lambda item, row, links, now: {})
    derived: frozenset[str] = frozenset()
    after: Callable[[Organization], None] = field(default=lambda _: None)
    called: Called = field(default=lambda _, values, __: str(values.get("name") or values.get("email") or ""))

    @property
    def label(self) -> str:
        """What pages call it."""
        words = self.kind.replace("-", " ")
        return words.replace("byok", "BYOK") if words.startswith("byok") else words.capitalize()

    def values(self, item: Any, row: Any, links: Any, now: datetime) -> dict[str, Any]:
        """The columns of ``item`` as the database will give them back, ready to be compared."""
        copied = {column: self.stored(column, getattr(item, name)) for column, name in self.columns.items()}
        amounts = ((column, getattr(item, name)) for column, name in self.columns.items())
        extra = dict(item.extra) | {
            f"exact_{column}": str(amount)
            for column, amount in amounts
            if isinstance(amount, Decimal) and abs(amount) > MOST
        }
        return {**copied, "extra": _as_json(extra) if extra else {}, **self.derive(item, row, links, now)}

    def stored(self, column: str, value: Any) -> Any:
        """A client's value as this column gives it back: ``stored``, and cut to what fits."""
        if value is None or isinstance(value, bool | int | datetime):
            return value
        # A share such as a sampling rate is no money: 0.1 must come back as the 0.1 that the column holds.
        field = self.model._meta.get_field(column)
        if isinstance(value, Decimal):
            return float(value) if isinstance(field, FloatField) else stored(value)
        kept = stored(value)
        longest = getattr(field, "max_length", None)
        # What does not fit is cut: one odd row must not keep the others from being pulled.
        return kept[:longest] if longest and isinstance(kept, str) else kept

    def can_name(self, identity: str) -> bool:
        """Whether our column takes the identity as it is. Cut or mended it would name another object."""
        longest = getattr(self.model._meta.get_field(self.identity), "max_length", None)
        return (
            bool(identity) and identity == writable(identity) and len(identity) <= (longest or len(identity))
        )

    def audited(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The part of ``values`` whose changes are worth an audit entry."""
        return {
            name: value
            for name, value in values.items()
            if name in self.columns and name not in self.volatile
        }


def _as_json(values: Mapping[str, Any]) -> Any:
    """The values as the database gives them back."""
    return in_every_text(json.loads(json.dumps(values, cls=DjangoJSONEncoder)), writable)


def stored(value: Any) -> Any:
    """A client's value as a row holds it: money rounded to the nano-dollar the column keeps, and capped where
    the column ends (a limit of a trillion dollars is somebody's way to say "none"); text without what
    databases refuse."""
    if isinstance(value, Decimal):
        return to_dollars(nano_that_fits(value))
    if isinstance(value, str):
        return writable(value)
    return in_every_text(value, writable) if isinstance(value, list | tuple) else value


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


WORKSPACES = Noun(
    kind="workspaces",
    singular="workspace",
    model=Workspace,
    identity="uid",
    upstream_identity="id",
    walk=lambda client, _: workspaces.walk(client),
    confirm=lambda client, uid: workspaces.get(client, workspace_id=uid),
    columns=same(
        "name",
        "slug",
        "description",
        "created_at",
        "updated_at",
        "created_by",
        "default_guardrail_id",
        "default_text_model",
        "default_image_model",
        "default_provider_sort",
        "is_observability_broadcast_enabled",
        "is_observability_io_logging_enabled",
        "io_logging_sampling_rate",
        "io_logging_api_key_ids",
        "is_data_discount_logging_enabled",
        "include_byok_in_budgets",
        "disabled_server_tools",
    ),
    volatile=frozenset({"updated_at"}),
    after=link_keys,
)

MEMBERS = Noun(
    kind="members",
    singular="member",
    model=Member,
    identity="uid",
    upstream_identity="id",
    walk=lambda client, _: members.walk(client),
    columns=same("email", "first_name", "last_name", "role"),
    # FACTS trap 49: a 404 here means a personal account.
    capability="members",
    after=link_keys,
)

USAGE = (
    "usage",
    "usage_daily",
    "usage_weekly",
    "usage_monthly",
    "byok_usage",
    "byok_usage_daily",
    "byok_usage_weekly",
    "byok_usage_monthly",
)


def _key_columns_of_ours(item: Any, row: Key | None, links: KeyLinks, now: datetime) -> dict[str, Any]:
    # Each on its own: the sum of two rounded amounts is not the rounded sum.
    spent = stored(item.usage), stored(item.byok_usage)
    moved = row is not None and spent != (row.usage, row.byok_usage)
    signs = [item.last_used_at, now if moved else None, row.active_at if row else None]
    return {
        **links.columns(
            name=KEYS.stored("name", item.name),
            label=KEYS.stored("label", item.label),
            key_hash=item.hash,
            creator=KEYS.stored("creator_user_id", item.creator_user_id),
            workspace_uid=KEYS.stored("workspace_uid", item.workspace_id),
        ),
        "active_at": max((sign for sign in signs if sign is not None), default=None),
    }


KEYS = Noun(
    kind="keys",
    singular="key",
    model=Key,
    identity="hash",
    upstream_identity="hash",
    per_workspace=True,
    walk=lambda client, workspace_uid: keys.walk(client, workspace_id=workspace_uid),
    # FACTS trap 6: a key missing from the list is not proof of deletion; asking for it is.
    confirm=lambda client, key_hash: keys.get(client, key_hash=key_hash),
    columns={
        **same(
            "name",
            "label",
            "disabled",
            "limit",
            "limit_remaining",
            "limit_reset",
            "include_byok_in_limit",
            *USAGE,
            "created_at",
            "updated_at",
            "creator_user_id",
            "expires_at",
            "last_used_at",
            "external_user",
        ),
        "workspace_uid": "workspace_id",
    },
    volatile=frozenset({*USAGE, "limit_remaining", "updated_at", "last_used_at", "created_at"}),
    prepare=KeyLinks.of,
    derive=_key_columns_of_ours,
    after=link_unlinked_keys,
    derived=frozenset({"workspace_id", "owner_id", "search_text", "sort_name", "active_at"}),
)

KEY_ASSIGNMENTS = Noun(
    kind="key-assignments",
    singular="key_assignment",
    model=KeyAssignment,
    identity="key_hash",
    upstream_identity="key_hash",
    walk=guardrail_nouns.walk_key_assignments,
    columns={**guardrail_nouns.ASSIGNMENT_COLUMNS, "key_name": "key_name"},
    volatile=guardrail_nouns.ASSIGNMENT_VOLATILE,
    called=lambda _, values, __: str(values["key_name"]),
)

MEMBER_ASSIGNMENTS = Noun(
    kind="member-assignments",
    singular="member_assignment",
    model=MemberAssignment,
    identity="user_id",
    upstream_identity="user_id",
    walk=guardrail_nouns.walk_member_assignments,
    columns=guardrail_nouns.ASSIGNMENT_COLUMNS,
    volatile=guardrail_nouns.ASSIGNMENT_VOLATILE,
    capability="member_assignments",
    prepare=guardrail_nouns.names_of_members,
    called=lambda user_id, _, names: str(names.get(user_id, "")),
)

GUARDRAILS = Noun(
    kind="guardrails",
    singular="guardrail",
    model=Guardrail,
    identity="uid",
    upstream_identity="id",
    per_workspace=True,
    walk=guardrail_nouns.walk_guardrails,
    confirm=guardrail_nouns.confirm_guardrail,
    beyond=guardrail_nouns.beyond_lists,
    columns=guardrail_nouns.GUARDRAIL_COLUMNS,
    volatile=guardrail_nouns.GUARDRAIL_VOLATILE,
)

WORKSPACE_BUDGETS = Noun(
    kind="workspace-budgets",
    singular="workspace_budgets",
    model=WorkspaceBudgets,
    identity="workspace_uid",
    upstream_identity="workspace_uid",
    per_workspace=True,
    walk=workspace_nouns.walk_budgets,
    confirm=workspace_nouns.confirm_budgets,
    columns=workspace_nouns.BUDGET_COLUMNS,
    # The flag is the workspace's, and audited there.
    volatile=frozenset({"since", "include_byok"}),
    # FACTS 3.6: only enterprise plans have budgets.
    capability="workspace_budgets",
    prepare=workspace_nouns.names_of_workspaces,
    called=lambda uid, _, names: str(names.get(uid, "")),
)

WORKSPACE_MEMBERS = Noun(
    kind="workspace-members",
    singular="workspace_member",
    model=WorkspaceMember,
    identity="place",
    upstream_identity="place",
    per_workspace=True,
    asks=workspace_nouns.but_the_default,
    walk=workspace_nouns.walk_members,
    columns=workspace_nouns.MEMBER_COLUMNS,
    volatile=frozenset({"uid", "created_at"}),
    # FACTS trap 31: not every server has this read.
    capability="workspace_members",
    prepare=workspace_nouns.names_of_both,
    called=lambda _, values, names: workspace_nouns.called_place(
        names, str(values["workspace_uid"]), str(values["user_id"])
    ),
)

CREDENTIALS = Noun(
    kind="byok-credentials",
    singular="credential",
    model=Credential,
    identity="uid",
    upstream_identity="id",
    per_workspace=True,
    walk=byok_nouns.walk_credentials,
    # FACTS trap 3: one of all workspaces may be in no list, or in each.
    confirm=byok_nouns.confirm_credential,
    columns=byok_nouns.COLUMNS,
    volatile=byok_nouns.VOLATILE,
    called=byok_nouns.called,
)

DESTINATIONS = Noun(
    kind="destinations",
    singular="destination",
    model=Destination,
    identity="uid",
    upstream_identity="id",
    per_workspace=True,
    walk=destination_nouns.walk_destinations,
    confirm=destination_nouns.confirm_destination,
    columns=destination_nouns.DESTINATION_COLUMNS,
    volatile=destination_nouns.DESTINATION_VOLATILE,
    called=destination_nouns.called_destination,
)

PRESETS = Noun(
    kind="presets",
    singular="preset",
    model=Preset,
    identity="uid",
    upstream_identity="uid",
    walk=lambda client, _: presets.walk(client),
    ways=preset_nouns.ways,
    part="workspace_uid",
    columns=preset_nouns.PRESET_COLUMNS,
    volatile=preset_nouns.PRESET_VOLATILE,
)

# In the order of a first sync: keys point at the two before, guardrails that no list shows are known by who
# holds them.
NOUNS: Mapping[str, Noun] = {
    noun.kind: noun
    for noun in (
        WORKSPACES,
        MEMBERS,
        KEYS,
        KEY_ASSIGNMENTS,
        MEMBER_ASSIGNMENTS,
        GUARDRAILS,
        WORKSPACE_BUDGETS,
        WORKSPACE_MEMBERS,
        CREDENTIALS,
        DESTINATIONS,
        PRESETS,
    )
}

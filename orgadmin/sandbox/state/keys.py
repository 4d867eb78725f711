"""The API keys: what is kept of one, and what may be done to them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice

from orgadmin.sandbox.errors import InvalidRequestError, NotFoundError
from orgadmin.sandbox.ledger import Amounts, Gift, Ledger
from orgadmin.sandbox.moments import seconds_of
from orgadmin.sandbox.money import nanos

PAGE_SIZE = 100
_SPENDING = {"disabled", "limit", "limit_reset", "include_byok_in_limit", "expires_at"}
"""Fields that change what a key can spend."""


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A key as it is asked for. `limit` is dollars, None for no cap."""

    name: str
    workspace_id: str
    limit: float | int | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool = False
    expires_at: datetime | None = None
    creator_user_id: str | None = None
    external_user: str | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """The workspace that a key was in until a moment (seconds since 1970)."""

    until: int
    workspace_id: str


@dataclass(slots=True, eq=False)
class KeyRow:
    """One key. The secret itself is not kept: `hash` is its SHA-256, `label` its masked form.

    `long` says which of the two timestamp spellings its answers use; `serial` orders keys of one moment;
    `worn` says that its counters carry the last-digit noise of long sums; `idle` says that nobody uses it,
    whatever its settings allow. `stays` are the workspaces it has left: what it used there stays theirs.
    """

    hash: str
    label: str
    serial: int
    long: bool
    name: str
    workspace_id: str
    created_at: datetime
    ledger: Ledger
    limit: float | int | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool = False
    disabled: bool = False
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    creator_user_id: str | None = None
    external_user: str | None = None
    worn: bool = False
    idle: bool = False
    stays: list[Stay] = field(default_factory=list)

    @property
    def numeric_id(self) -> int:
        """The other id of a key: analytics take it as a filter, and no endpoint answers it."""
        return int(self.hash[:12], 16)

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def active(self, now: datetime) -> bool:
        return not self.disabled and not self.expired(now)

    def settle(self, start: int) -> None:
        """From `start` on the ledger follows the settings as they now stand."""
        stop = seconds_of(self.expires_at) if self.expires_at else None
        if self.disabled or self.idle or (stop is not None and stop <= start):
            self.ledger.close(start)
            return
        limit = None if self.limit is None else nanos(self.limit)
        self.ledger.open(
            start, stop=stop, limit=limit, reset=self.limit_reset, byok=self.include_byok_in_limit
        )


def hash_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def label_of(secret: str) -> str:
    """The masked snippet: `sk-or-v1-0e6...1c96`."""
    return f"{secret[:12]}...{secret[-4:]}"


def _age(row: KeyRow) -> tuple[datetime, int]:
    return (row.created_at, row.serial)


class Keys:
    """Every key of the account, by hash and by workspace.

    Deleted keys are kept for their history only. `changed` holds the hashes of all that are no longer as
    they were seeded.
    """

    def __init__(self) -> None:
        self._rows: dict[str, KeyRow] = {}
        self._by_workspace: dict[str, list[KeyRow]] = {}
        self.deleted: dict[str, KeyRow] = {}
        self.changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[KeyRow]:
        return iter(self._rows.values())

    def add(self, row: KeyRow) -> None:
        self._rows[row.hash] = row
        insort(self._by_workspace.setdefault(row.workspace_id, []), row, key=_age)

    def find(self, key_hash: str) -> KeyRow | None:
        return self._rows.get(key_hash)

    def get(self, key_hash: str) -> KeyRow:
        row = self._rows.get(key_hash)
        if row is None:
            raise NotFoundError("API key not found")
        return row

    def of_workspace(self, workspace_id: str) -> list[KeyRow]:
        """The keys of one workspace, oldest first."""
        return self._by_workspace.get(workspace_id, [])

    def page(
        self, workspace_id: str, *, offset: int, disabled: bool, expired: bool, now: datetime
    ) -> list[KeyRow]:
        """At most 100 keys of one workspace, newest first; the flags say what else is shown."""
        shown = (
            row
            for row in reversed(self.of_workspace(workspace_id))
            if (disabled or not row.disabled) and (expired or not row.expired(now))
        )
        return list(islice(shown, offset, offset + PAGE_SIZE))

    def update(self, row: KeyRow, changes: dict[str, object], now: datetime) -> None:
        """Sets recognised fields that were checked before. Raises InvalidRequestError when there are none."""
        if not changes:
            raise InvalidRequestError("No update fields provided")
        destination = changes.get("workspace_id")
        if isinstance(destination, str) and destination != row.workspace_id:
            self._move(row, destination, seconds_of(now))
        for field_name, value in changes.items():
            setattr(row, field_name, value)
        row.updated_at = now
        self.changed.add(row.hash)
        if changes.keys() & _SPENDING:
            row.settle(seconds_of(now))

    def _move(self, row: KeyRow, workspace_id: str, seconds: int) -> None:
        self._by_workspace[row.workspace_id].remove(row)
        row.stays.append(Stay(seconds, row.workspace_id))
        row.workspace_id = workspace_id
        insort(self._by_workspace.setdefault(workspace_id, []), row, key=_age)

    def delete(self, row: KeyRow, now: datetime) -> None:
        row.ledger.close(seconds_of(now))
        self.bury(row)

    def bury(self, row: KeyRow) -> None:
        """Takes a key out of sight, whether or not it was there; only its history stays."""
        known = self._rows.pop(row.hash, None)
        if known is not None:
            self._by_workspace[known.workspace_id].remove(known)
        self.changed.discard(row.hash)
        self.deleted[row.hash] = row

    def replace(self, row: KeyRow) -> None:
        """Puts a changed key in the place of the one with its hash, if there is one."""
        known = self._rows.get(row.hash)
        if known is not None:
            self._by_workspace[known.workspace_id].remove(known)
        self.add(row)
        self.changed.add(row.hash)

    def spend(self, row: KeyRow, amounts: Amounts, now: datetime) -> None:
        """Books an amount on a key at this moment, beside its habits."""
        self.book(row, Gift(seconds_of(now), amounts), now)

    def book(self, row: KeyRow, gift: Gift, now: datetime) -> None:
        """Books an amount on a key at any moment, beside its habits."""
        row.ledger.gifts.append(gift)
        row.settle(seconds_of(now))
        self.changed.add(row.hash)

    def quiet(self, row: KeyRow, now: datetime) -> None:
        """The key stays as it is but nobody uses it from now on."""
        row.idle = True
        row.settle(seconds_of(now))
        self.changed.add(row.hash)

    def usage(self, seconds: int) -> int:
        """Nano-dollars of credit spent by all keys there ever were, deleted ones included."""
        return sum(
            row.ledger.standing(seconds).usage for row in (*self._rows.values(), *self.deleted.values())
        )

    def count_active(self, workspace_id: str, now: datetime) -> int:
        return sum(row.active(now) for row in self.of_workspace(workspace_id))

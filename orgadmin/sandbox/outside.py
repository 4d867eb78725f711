"""Changes made behind a client's back: the vendor's web page, another script, time passing by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from orgadmin.sandbox.catalog import model_named
from orgadmin.sandbox.clock import Clock
from orgadmin.sandbox.dice import hex_digest
from orgadmin.sandbox.ledger import Amounts, Gift
from orgadmin.sandbox.moments import DAY, seconds_of
from orgadmin.sandbox.money import nanos
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.keys import KeyDraft
from orgadmin.sandbox.state.members import MemberRow

CHANGES = (
    "create_key", "update_key", "delete_key", "spend", "correct_day", "quiet_key",
    "rename_workspace", "delete_workspace", "add_member", "update_member", "remove_member",
    "change_model",
)  # fmt: skip

_KEY_FIELDS = {
    "name", "disabled", "limit", "limit_reset", "include_byok_in_limit", "workspace_id", "expires_at",
    "creator_user_id",
}  # fmt: skip
_MEMBER_FIELDS = {"email", "first_name", "last_name", "role"}


def _check_names(fields: dict[str, Any], known: set[str]) -> None:
    if strangers := fields.keys() - known:
        raise ValueError(f"There is no field {', '.join(sorted(strangers))}")


def _as_number(value: Any) -> Any:
    """A Decimal as the number that JSON would carry; anything else as it is."""
    return float(value) if isinstance(value, Decimal) else value


class Outside:
    """Each method makes one change at once. Nothing here is checked as strictly as a call would be, and
    nothing is counted among the requests. Raises the service's NotFoundError for ids there are not."""

    def __init__(self, account: Account, clock: Clock, keep: Callable[[], None]) -> None:
        self._account = account
        self._clock = clock
        self._keep = keep

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change under the lock, kept before it is over."""
        with self._account.lock:
            yield
            self._keep()

    def create_key(self, *, name: str, workspace_id: str | None = None, **fields: Any) -> str:
        """A new key with the fields of `POST /keys`; answers its hash. `expires_at` is a datetime here."""
        fields = {field: _as_number(value) for field, value in fields.items()}
        with self._changing():
            account = self._account
            workspace = account.workspaces.named(workspace_id)
            draft = KeyDraft(name=name, workspace_id=workspace.id, **fields)
            return account.key_create(draft, self._clock.now())[0].hash

    def update_key(self, key_hash: str, **fields: Any) -> None:
        """Sets fields of `PATCH /keys/{hash}`; `expires_at` (a datetime) and `creator_user_id` too."""
        _check_names(fields, _KEY_FIELDS)
        fields = {field: _as_number(value) for field, value in fields.items()}
        with self._changing():
            self._account.keys.update(self._account.keys.get(key_hash), fields, self._clock.now())

    def delete_key(self, key_hash: str) -> None:
        with self._changing():
            self._account.keys.delete(self._account.keys.get(key_hash), self._clock.now())

    def spend(self, key_hash: str, *, usd: float | Decimal = 0, byok_usd: float | Decimal = 0) -> None:
        """Books an amount on a key now, beside what it spends by habit."""
        with self._changing():
            amounts = Amounts(nanos(usd), nanos(byok_usd))
            self._account.keys.spend(self._account.keys.get(key_hash), amounts, self._clock.now())

    def correct_day(
        self,
        key_hash: str | None = None,
        *,
        date: str,
        usd: float | Decimal = 0,
        byok_usd: float | Decimal = 0,
        requests: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        model: str | None = None,
    ) -> None:
        """Books something late on a day (`YYYY-MM-DD`, today included): a key's, or without one the chat
        room's. Below zero it is a refund or a correction downwards; without money, use of something free.

        It goes under the key's favourite model of that week, or under `model` (an id of the catalog).
        """
        if model is not None and model_named(model) is None:
            raise ValueError(f"There is no model {model}")
        noon = seconds_of(datetime.fromisoformat(f"{date}T12:00:00+00:00"))
        amounts = Amounts(nanos(usd), nanos(byok_usd))
        with self._changing():
            now = self._clock.now()
            at = min(noon, seconds_of(now))
            gift = Gift(at, amounts, requests, prompt_tokens, completion_tokens, model)
            if at < noon - DAY // 2:
                raise ValueError(f"{date} has not begun")
            if key_hash is None:
                self._account.rooms.book(gift)
            else:
                self._account.keys.book(self._account.keys.get(key_hash), gift, now)

    def quiet_key(self, key_hash: str) -> None:
        """Nobody uses the key from now on."""
        with self._changing():
            self._account.keys.quiet(self._account.keys.get(key_hash), self._clock.now())

    def rename_workspace(
        self, workspace_id: str, *, name: str | None = None, slug: str | None = None
    ) -> None:
        with self._changing():
            row = self._account.workspaces.get(workspace_id)
            row.name = name if name is not None else row.name
            row.slug = slug if slug is not None else row.slug
            row.updated_at = self._clock.now()

    def delete_workspace(self, workspace_id: str) -> None:
        """The workspace and every key in it."""
        with self._changing():
            row = self._account.workspaces.get(workspace_id)
            self._account.workspace_delete(row, self._clock.now())

    def change_model(
        self,
        model_id: str,
        *,
        prompt: str | None = None,
        completion: str | None = None,
        ends: str | None = None,
        listed: bool | None = None,
    ) -> None:
        """The service changes its catalog: a price (dollars a token, as text), the day (`YYYY-MM-DD`) on
        which a model ends, whether it is listed at all."""
        prices = {name: price for name, price in (("prompt", prompt), ("completion", completion)) if price}
        given = {"prices": prices or None, "ends": ends, "listed": listed}
        with self._changing():
            self._account.shelf.change(
                model_id, {name: value for name, value in given.items() if value is not None}
            )

    def add_member(
        self,
        *,
        email: str,
        first_name: str | None = None,
        last_name: str | None = None,
        role: str = "org:member",
    ) -> str:
        """A new member; answers their id."""
        with self._changing():
            member_id = "user_" + hex_digest("member", self._account.seed, email)[:27]
            self._account.members.add(MemberRow(member_id, email, first_name, last_name, role))
            return member_id

    def update_member(self, member_id: str, **fields: Any) -> None:
        """Sets `email`, `first_name`, `last_name` or `role`."""
        _check_names(fields, _MEMBER_FIELDS)
        with self._changing():
            row = self._account.members.get(member_id)
            for name, value in fields.items():
                setattr(row, name, value)

    def remove_member(self, member_id: str) -> None:
        """Their keys stay, with a creator who is no longer there; they chat no more."""
        with self._changing():
            self._account.member_remove(member_id, self._clock.now())

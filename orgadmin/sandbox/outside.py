"""Changes made behind a client's back: the vendor's web page, another script, time passing by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields as fields_of
from datetime import datetime
from decimal import Decimal
from typing import Any

from orgadmin.sandbox.catalog import model_named
from orgadmin.sandbox.dice import hex_digest, uuid_text
from orgadmin.sandbox.ledger import Amounts, Gift
from orgadmin.sandbox.moments import DAY, seconds_of
from orgadmin.sandbox.money import nanos
from orgadmin.sandbox.outside_settings import OutsideSettings, as_number, check_names
from orgadmin.sandbox.state.budgets import INTERVALS, BudgetRow
from orgadmin.sandbox.state.guardrails import GuardrailRow
from orgadmin.sandbox.state.keys import KeyDraft
from orgadmin.sandbox.state.members import MemberRow
from orgadmin.sandbox.state.memberships import MembershipRow, role_of
from orgadmin.sandbox.state.workspaces import WorkspaceRow

CHANGES = (
    "create_key", "update_key", "delete_key", "spend", "correct_day", "quiet_key",
    "create_workspace", "rename_workspace", "update_workspace", "delete_workspace", "set_budget",
    "join_workspace", "leave_workspace", "add_member", "update_member", "remove_member",
    "create_guardrail", "update_guardrail", "delete_guardrail", "assign_guardrail", "unassign_guardrail",
    "change_model",
    "create_credential", "update_credential", "delete_credential",
    "create_destination", "update_destination", "delete_destination",
    "create_preset_version", "update_preset", "designate_preset_version", "delete_preset",
)  # fmt: skip

_KEY_FIELDS = {
    "name", "disabled", "limit", "limit_reset", "include_byok_in_limit", "workspace_id", "expires_at",
    "creator_user_id",
}  # fmt: skip
_GUARDRAIL_FIELDS = {field.name for field in fields_of(GuardrailRow)} - {
    "id", "workspace_id", "created_at", "updated_at", "long",
}  # fmt: skip
_WORKSPACE_FIELDS = {field.name for field in fields_of(WorkspaceRow)} - {
    "id", "created_at", "updated_at", "created_by", "long",
}  # fmt: skip
_MEMBER_FIELDS = {"email", "first_name", "last_name", "role"}


class Outside(OutsideSettings):
    """Each method makes one change at once. Nothing here is checked as strictly as a call would be, and
    nothing is counted among the requests. Raises the service's NotFoundError for ids there are not."""

    def create_key(self, *, name: str, workspace_id: str | None = None, **fields: Any) -> str:
        """A new key with the fields of `POST /keys`; answers its hash. `expires_at` is a datetime here."""
        fields = {field: as_number(value) for field, value in fields.items()}
        with self._changing():
            account = self._account
            workspace = account.workspaces.named(workspace_id)
            draft = KeyDraft(name=name, workspace_id=workspace.id, **fields)
            return account.key_create(draft, self._clock.now())[0].hash

    def update_key(self, key_hash: str, **fields: Any) -> None:
        """Sets fields of `PATCH /keys/{hash}`; `expires_at` (a datetime) and `creator_user_id` too."""
        check_names(fields, _KEY_FIELDS)
        fields = {field: as_number(value) for field, value in fields.items()}
        with self._changing():
            self._account.keys.update(self._account.keys.get(key_hash), fields, self._clock.now())

    def delete_key(self, key_hash: str) -> None:
        with self._changing():
            self._account.key_delete(self._account.keys.get(key_hash), self._clock.now())

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

    def create_workspace(self, *, name: str, slug: str, **fields: Any) -> str:
        """A new workspace with the fields of `POST /workspaces`, as they are kept; answers its id."""
        check_names(fields, _WORKSPACE_FIELDS - {"name", "slug"})
        with self._changing():
            self._account.workspaces.check_slug_free(slug)
            made = uuid_text("outside workspace", self._account.seed, slug)
            self._account.workspaces.add(WorkspaceRow(made, name, slug, self._clock.now(), **fields))
            return made

    def rename_workspace(
        self, workspace_id: str, *, name: str | None = None, slug: str | None = None
    ) -> None:
        with self._changing():
            row = self._account.workspaces.get(workspace_id)
            row.name = name if name is not None else row.name
            row.slug = slug if slug is not None else row.slug
            row.updated_at = self._clock.now()

    def update_workspace(self, workspace_id: str, **fields: Any) -> None:
        """Sets fields of `PATCH /workspaces/{id}`, and `include_byok_in_budgets`."""
        check_names(fields, _WORKSPACE_FIELDS)
        with self._changing():
            row = self._account.workspaces.get(workspace_id)
            for name, value in fields.items():
                setattr(row, name, as_number(value))
            row.updated_at = self._clock.now()

    def set_budget(self, workspace_id: str, interval: str, usd: float | None) -> None:
        """Makes, changes or (`usd` None) takes away one budget, whatever the order with others."""
        if interval not in INTERVALS:
            raise ValueError(f"There is no interval {interval}")
        with self._changing():
            workspace, now = self._account.workspaces.get(workspace_id), self._clock.now()
            row = self._account.budgets.find(workspace.id, interval)
            if usd is None:
                self._account.budgets.remove(workspace.id, interval)
            elif row is None:
                made = uuid_text("outside budget", self._account.seed, workspace.id, interval)
                self._account.budgets.add(BudgetRow(made, workspace.id, interval, usd, now, now))
            else:
                row.limit_usd, row.updated_at = usd, now

    def join_workspace(self, workspace_id: str, member_id: str, *, managed: bool = False) -> None:
        """A member of the organization joins a workspace; `managed`: by the identity provider."""
        with self._changing():
            workspace = self._account.workspaces.get(workspace_id)
            member = self._account.members.get(member_id)
            made = uuid_text("outside place", self._account.seed, workspace.id, member.id)
            self._account.memberships.add(
                MembershipRow(
                    made, workspace.id, member.id, role_of(member), self._clock.now(), managed=managed
                )
            )

    def leave_workspace(self, workspace_id: str, member_id: str) -> None:
        """They keep their keys there. Does nothing for who is no member."""
        with self._changing():
            row = self._account.memberships.find(workspace_id, member_id)
            if row is not None:
                self._account.memberships.remove(row)

    def delete_workspace(self, workspace_id: str) -> None:
        """The workspace, every key and every guardrail in it."""
        with self._changing():
            self._account.workspace_delete(self._account.workspaces.get(workspace_id), self._clock.now())

    def create_guardrail(self, *, name: str, workspace_id: str | None = None, **fields: Any) -> str:
        """A new guardrail with the fields of `POST /guardrails`, as they are kept; answers its id."""
        check_names(fields, _GUARDRAIL_FIELDS - {"name"})
        fields = {field: as_number(value) for field, value in fields.items()}
        with self._changing():
            workspace = self._account.workspaces.named(workspace_id)
            return self._account.guardrail_create(workspace, self._clock.now(), name=name, **fields).id

    def update_guardrail(self, guardrail_id: str, **fields: Any) -> None:
        """Sets fields of `PATCH /guardrails/{id}`, patterns and words that the service no longer takes too;
        the first change of a workspace's default guardrail makes it."""
        check_names(fields, _GUARDRAIL_FIELDS)
        fields = {field: as_number(value) for field, value in fields.items()}
        with self._changing():
            workspace = self._account.workspaces.governed_by(guardrail_id)
            if self._account.guardrails.find(guardrail_id) is None and workspace is not None:
                self._account.guardrail_create(workspace, self._clock.now(), default=True, **fields)
                return
            row = self._account.guardrails.get(guardrail_id)
            for name, value in fields.items():
                setattr(row, name, value)
            row.updated_at = self._clock.now()

    def delete_guardrail(self, guardrail_id: str) -> None:
        """Those who held it hold none; a default guardrail is as if it had never been configured."""
        with self._changing():
            self._account.guardrails.delete(self._account.guardrails.get(guardrail_id))

    def assign_guardrail(
        self, guardrail_id: str, *, keys: Sequence[str] = (), members: Sequence[str] = ()
    ) -> None:
        """Keys (by hash) and members hold it, and nothing they held before."""
        with self._changing():
            account, now = self._account, self._clock.now()
            row = account.guardrails.get(guardrail_id)
            hashes = [account.keys.get(key_hash).hash for key_hash in keys]
            people = [account.members.get(member_id).id for member_id in members]
            account.guardrail_assign(row, account.guardrails.keys, hashes, now)
            account.guardrail_assign(row, account.guardrails.members, people, now)

    def unassign_guardrail(self, *, keys: Sequence[str] = (), members: Sequence[str] = ()) -> None:
        """Keys and members hold no guardrail."""
        with self._changing():
            for key_hash in keys:
                self._account.guardrails.keys.free(key_hash)
            for member_id in members:
                self._account.guardrails.members.free(member_id)

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
        check_names(fields, _MEMBER_FIELDS)
        with self._changing():
            row = self._account.members.get(member_id)
            for name, value in fields.items():
                setattr(row, name, value)

    def remove_member(self, member_id: str) -> None:
        """Their keys stay, with a creator who is no longer there; they chat no more."""
        with self._changing():
            self._account.member_remove(member_id, self._clock.now())

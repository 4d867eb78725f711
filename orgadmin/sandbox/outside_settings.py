"""Changes made behind a client's back to what an account is configured with: provider keys, destinations of
traces, presets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields as fields_of
from decimal import Decimal
from typing import Any

from orgadmin.sandbox.clock import Clock
from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.credentials import CredentialRow
from orgadmin.sandbox.state.destinations import DestinationRow

_DESTINATION_FIELDS = {field.name for field in fields_of(DestinationRow)} - {
    "id", "type", "workspace_id", "created_at", "updated_at", "long",
}  # fmt: skip
_CREDENTIAL_FIELDS = {field.name for field in fields_of(CredentialRow)} - {"id", "created_at", "long"}
_PRESET_FIELDS = {"name", "description", "status"}


def check_names(fields: dict[str, Any], known: set[str]) -> None:
    if strangers := fields.keys() - known:
        raise ValueError(f"There is no field {', '.join(sorted(strangers))}")


def as_number(value: Any) -> Any:
    """A Decimal as the number that JSON would carry; anything else as it is."""
    return float(value) if isinstance(value, Decimal) else value


class OutsideSettings:
    """The part of ``Outside`` that is about these."""

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

    def create_credential(self, *, provider: str, workspace_id: str | None, **fields: Any) -> str:
        """A new credential, for all workspaces without an id, which only the web page makes; answers its
        id."""
        check_names(fields, _CREDENTIAL_FIELDS - {"provider", "workspace_id"})
        with self._changing():
            account = self._account
            account.created += 1
            made = uuid_text("outside credential", account.seed, account.born, account.created)
            order = account.credentials.next_place(provider, workspace_id)
            kept = {"label": "sk-...AbCd", "sort_order": order, "created_at": self._clock.now(), **fields}
            account.credentials.add(CredentialRow(made, provider, workspace_id=workspace_id, **kept))
            return made

    def update_credential(self, credential_id: str, **fields: Any) -> None:
        """Sets fields as they are on the wire, `sort_order` and `label` (a rotated key) too."""
        check_names(fields, _CREDENTIAL_FIELDS)
        with self._changing():
            row = self._account.credentials.get(credential_id)
            for name, value in fields.items():
                setattr(row, name, value)

    def delete_credential(self, credential_id: str) -> None:
        with self._changing():
            self._account.credentials.delete(self._account.credentials.get(credential_id))

    def create_destination(
        self, *, kind: str, name: str | None, workspace_id: str | None = None, **fields: Any
    ) -> str:
        """A new destination with the fields as they are kept, of a type that nobody knows too; answers its
        id."""
        check_names(fields, _DESTINATION_FIELDS)
        config = fields.pop("config", {})
        with self._changing():
            workspace = self._account.workspaces.named(workspace_id)
            now = self._clock.now()
            return self._account.destination_create(
                workspace, now, kind=kind, config=config, name=name, **fields
            ).id

    def update_destination(self, destination_id: str, **fields: Any) -> None:
        """Sets fields as they are kept; `config` is laid over what is there, unchecked and unmasked."""
        check_names(fields, _DESTINATION_FIELDS)
        with self._changing():
            row = self._account.destinations.get(destination_id)
            config = {**row.config, **fields.pop("config", {})}
            changes = {name: as_number(value) for name, value in fields.items()}
            self._account.destinations.change(row, {**changes, "config": config}, self._clock.now())

    def delete_destination(self, destination_id: str) -> None:
        with self._changing():
            self._account.destinations.delete(self._account.destinations.get(destination_id))

    def create_preset_version(
        self,
        slug: str,
        *,
        config: Mapping[str, Any],
        workspace_id: str | None = None,
        system_prompt: str | None = None,
        designate: bool = True,
    ) -> str:
        """A new version, or a new preset; answers the preset's id. The web page may leave an older version
        designated."""
        with self._changing():
            account = self._account
            place = account.workspaces.named(workspace_id)
            return account.preset_version(
                place.id,
                slug,
                self._clock.now(),
                config=config,
                system_prompt=system_prompt,
                creator=account.manager_id,
                designate=designate,
            ).id

    def update_preset(self, preset_id: str, **fields: Any) -> None:
        """Sets `name`, `description` or `status`, which only the web page can."""
        check_names(fields, _PRESET_FIELDS)
        with self._changing():
            row, now = self._account.presets.by_id(preset_id), self._clock.now()
            if "status" in fields:
                row.status_updated_at = now
            for name, value in fields.items():
                setattr(row, name, value)
            row.updated_at = now

    def designate_preset_version(self, preset_id: str, number: int | None) -> None:
        """Serves that version from now on; None: no version at all."""
        with self._changing():
            row = self._account.presets.by_id(preset_id)
            chosen = None if number is None else self._account.presets.version(row, number).id
            row.designated_version_id, row.updated_at = chosen, self._clock.now()

    def delete_preset(self, preset_id: str) -> None:
        """With all its versions."""
        with self._changing():
            self._account.presets.delete(self._account.presets.by_id(preset_id))

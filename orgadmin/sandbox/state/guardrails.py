"""The guardrails of the account, and which key and which member holds which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgadmin.sandbox.errors import NotFoundError


@dataclass(slots=True, eq=False)
class GuardrailRow:
    """One guardrail; its settings are named as they are on the wire.

    `workspace_id` None is a guardrail from before there were workspaces: no list shows it. Models are
    canonical slugs. None in a list, a filter or a switch means that the guardrail says nothing about it.
    """

    id: str
    name: str
    workspace_id: str | None
    created_at: datetime
    long: bool = False
    updated_at: datetime | None = None
    description: str | None = None
    limit_usd: float | int | None = None
    reset_interval: str | None = None
    include_byok_in_budgets: bool = False
    allowed_models: list[str] | None = None
    ignored_models: list[str] | None = None
    allowed_providers: list[str] | None = None
    ignored_providers: list[str] | None = None
    enforce_zdr: bool | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_xai: bool | None = None
    enforce_zdr_other: bool | None = None
    enable_paid_model_training: bool | None = None
    enable_free_model_training: bool | None = None
    enable_free_model_publication: bool | None = None
    allow_safety_retention_google: bool | None = None
    allow_safety_retention_other: bool | None = None
    allowed_data_regions: list[str] | None = None
    content_filter_builtins: list[dict[str, Any]] | None = None
    content_filters: list[dict[str, Any]] | None = None


@dataclass(slots=True, eq=False)
class AssignmentRow:
    """`subject`, a key's hash or a member's id, holds a guardrail."""

    id: str
    guardrail_id: str
    subject: str
    created_at: datetime
    long: bool
    assigned_by: str | None


class Assignments:
    """Who holds which guardrail: one each at most, oldest assignment first."""

    def __init__(self) -> None:
        self._rows: dict[str, AssignmentRow] = {}

    def __iter__(self) -> Iterator[AssignmentRow]:
        return iter(self._rows.values())

    def of(self, guardrail_id: str | None) -> list[AssignmentRow]:
        """Those of one guardrail, all of them for None."""
        return [row for row in self if guardrail_id in (None, row.guardrail_id)]

    def holder(self, subject: str) -> AssignmentRow | None:
        return self._rows.get(subject)

    def put(self, row: AssignmentRow) -> None:
        """Whatever the subject held before is gone."""
        self._rows.pop(row.subject, None)
        self._rows[row.subject] = row

    def free(self, subject: str, *, only: str | None = None) -> bool:
        """Takes away what the subject holds (`only`: if it is that guardrail); says whether there was any."""
        row = self._rows.get(subject)
        if row is None or only not in (None, row.guardrail_id):
            return False
        del self._rows[subject]
        return True

    def free_all(self, guardrail_id: str) -> None:
        self.take_over([row for row in self if row.guardrail_id != guardrail_id])

    def take_over(self, rows: Iterable[AssignmentRow]) -> None:
        """Holds these assignments and no others."""
        self._rows = {row.subject: row for row in rows}


class Guardrails:
    """All guardrails, in the order they were made."""

    def __init__(self) -> None:
        self._rows: dict[str, GuardrailRow] = {}
        self.keys = Assignments()
        self.members = Assignments()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[GuardrailRow]:
        return iter(self._rows.values())

    def add(self, row: GuardrailRow) -> None:
        self._rows[row.id] = row

    def find(self, guardrail_id: str) -> GuardrailRow | None:
        return self._rows.get(guardrail_id.lower())

    def get(self, guardrail_id: str) -> GuardrailRow:
        row = self.find(guardrail_id)
        if row is None:
            raise NotFoundError("Guardrail not found")
        return row

    def of_workspace(self, workspace_id: str) -> list[GuardrailRow]:
        return [row for row in self if row.workspace_id == workspace_id]

    def delete(self, row: GuardrailRow) -> None:
        """Those who held it hold none."""
        del self._rows[row.id]
        self.keys.free_all(row.id)
        self.members.free_all(row.id)

    def delete_of_workspace(self, workspace_id: str) -> None:
        for row in self.of_workspace(workspace_id):
            self.delete(row)

    def take_over(
        self,
        rows: Iterable[GuardrailRow],
        keys: Iterable[AssignmentRow],
        members: Iterable[AssignmentRow],
    ) -> None:
        """Holds these and no others."""
        self._rows = {row.id: row for row in rows}
        self.keys.take_over(keys)
        self.members.take_over(members)

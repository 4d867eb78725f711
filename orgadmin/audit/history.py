"""What happened to one object, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orgadmin.accounts.models import Organization
from orgadmin.audit.selectors import Act, history_of
from orgadmin.audit.words import OUTCOMES, Change, action_words, changes

ROWS = 20


@dataclass(frozen=True)
class Happening:
    """One act as a row of the object's page."""

    act: Act
    words: str
    outcome: str
    changes: list[Change]


def history(
    organization: Organization, target_type: str, target_id: str, names: Mapping[str, str] | None = None
) -> list[Happening]:
    """The newest acts on an object, by people here and outside. ``names`` are of workspaces and members by
    their upstream ids."""
    acts = history_of(organization=organization, target_type=target_type, target_id=target_id, limit=ROWS)
    return [
        Happening(
            act=act,
            words=action_words(act.entry.action),
            outcome=OUTCOMES.get(act.outcome, act.outcome),
            changes=changes(act.before, act.after, dict(names or {})),
        )
        for act in acts
    ]

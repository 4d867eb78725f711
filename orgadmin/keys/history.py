"""What happened to one key, in words, from the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.audit.selectors import Act, history_of
from orgadmin.audit.words import OUTCOMES, Change, action_words, changes
from orgadmin.inventory.models import Key

ROWS = 20


@dataclass(frozen=True)
class Happening:
    """One act as a row of the key's page."""

    act: Act
    words: str
    outcome: str
    changes: list[Change]


def history(key: Key) -> list[Happening]:
    """The newest acts on the key, by people here and outside."""
    acts = history_of(organization=key.organization, target_type="key", target_id=key.hash, limit=ROWS)
    names = {key.workspace_uid: key.workspace.name} if key.workspace else {}
    if key.owner:
        names[key.owner.uid] = str(key.owner)
    return [
        Happening(
            act=act,
            words=action_words(act.entry.action),
            outcome=OUTCOMES.get(act.outcome, act.outcome),
            changes=changes(act.before, act.after, names),
        )
        for act in acts
    ]

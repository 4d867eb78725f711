"""What happened to one object, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orgadmin.accounts.models import Organization
from orgadmin.audit.selectors import Act, history_of
from orgadmin.audit.words import OUTCOMES, Change, action_words, changes

ROWS = 20


@dataclass(frozen=True)
class Happening:
    """One act as a row of the object's page; ``about`` is what it was done to, where that bears another id
    than the object."""

    act: Act
    words: str
    outcome: str
    changes: list[Change]
    about: str = ""


def history(
    organization: Organization,
    target_types: str | Sequence[str],
    target_id: str,
    names: Mapping[str, str] | None = None,
    also: Mapping[str, Collection[str]] | None = None,
) -> list[Happening]:
    """The newest acts on an object, by people here and outside; what is about it under several types, such as
    a key and the guardrail of a key, is one history. ``names`` are of workspaces, members and guardrails by
    their upstream ids. ``also``: further ids by type, such as a person's places in workspaces."""
    types = [target_types] if isinstance(target_types, str) else list(target_types)
    acts = history_of(
        organization=organization, target_types=types, target_id=target_id, limit=ROWS, also=also
    )
    return [
        Happening(
            act=act,
            words=action_words(act.entry.action),
            outcome=OUTCOMES.get(act.outcome, act.outcome),
            changes=changes(act.before, act.after, dict(names or {})),
            about=act.target_name if act.entry.target_type in (also or {}) else "",
        )
        for act in acts
    ]

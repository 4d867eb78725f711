"""What the pages of assigning are sent: which guardrail, keys or members, and who."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import QueryDict

from orgadmin.audit.text import writable
from orgadmin.guardrails.assigning import KEYS, MEMBERS, MOST_AT_ONCE, Side

SIDES = {"keys": KEYS, "members": MEMBERS}
# In place of a guardrail: take off what they hold.
NONE = "none"
LONGEST = 200


@dataclass(frozen=True)
class AssignRequest:
    """``guardrail`` is a uid, "none", or "" while it is to be chosen; ``selected`` are key hashes or member
    ids, at most so many as fit into one act; ``is_cut``: more were sent. ``q`` is looked for."""

    kind: str
    guardrail: str
    selected: tuple[str, ...]
    is_cut: bool
    q: str
    form_token: uuid.UUID

    @classmethod
    def of(cls, data: QueryDict) -> AssignRequest:
        named = [text for text in data.getlist("selected") if text and text == writable(text)]
        unique = tuple(dict.fromkeys(text[:100] for text in named))
        return cls(
            kind=data.get("kind", "") if data.get("kind", "") in SIDES else "keys",
            guardrail=data.get("guardrail", "").replace("\x00", "")[:100],
            selected=unique[:MOST_AT_ONCE],
            is_cut=len(unique) > MOST_AT_ONCE or bool(data.get("all")),
            q=data.get("q", "").strip().replace("\x00", "")[:LONGEST],
            form_token=_token(data.get("form_token", "")),
        )

    @property
    def side(self) -> Side:
        return SIDES[self.kind]

    @property
    def singular(self) -> str:
        return "key" if self.kind == "keys" else "member"


def _token(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()

"""What the page of the effective policy is asked: whose, and about which model."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

LONGEST = 200
SUBJECTS = ("key", "member", "workspace")


@dataclass(frozen=True)
class PolicyFilters:
    """``subject`` is key, member or workspace, ``uid`` what OpenRouter calls it; both empty: nobody yet.
    ``model`` is what was typed to ask about, ``q`` what was typed to find somebody."""

    subject: str = ""
    uid: str = ""
    model: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> PolicyFilters:
        text = {
            name: query.get(name, "").strip().replace("\x00", "")[:LONGEST]
            for name in (*SUBJECTS, "model", "q")
        }
        subject = next((name for name in SUBJECTS if text[name]), "")
        return cls(subject, text.get(subject, ""), text["model"], text["q"])

    def query(self, **changes: str) -> str:
        """The query string of the same subject, with some of it changed."""
        values = {self.subject: self.uid, "model": self.model} | changes
        return urlencode({name: value for name, value in values.items() if name and value})

"""Which acts the log shows: everything of it stands in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.http import QueryDict

from orgadmin.accounts.models import User
from orgadmin.audit.models import ActorKind
from orgadmin.audit.selectors import ActFilters
from orgadmin.audit.words import NOUNS, OUTCOMES, VERBS

FIELDS = ("actor", "action", "noun", "target", "outcome", "since", "until")


@dataclass(frozen=True)
class LogFilters:
    """The filters as the URL spells them. What makes no sense is dropped, for an old link still opens a log,
    and told in ``problems``, one sentence each."""

    actor: str = ""
    action: str = ""
    noun: str = ""
    target: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> LogFilters:
        text = {name: query.get(name, "").replace("\x00", "").strip()[:200] for name in FIELDS}
        known = {
            "outcome": text["outcome"] if text["outcome"] in OUTCOMES else "",
            "since": _day(text["since"]),
            "until": _day(text["until"]),
        }
        return cls(
            **known,
            problems=_problems(text, known),
            actor=text["actor"],
            action=text["action"][:60],
            noun=text["noun"][:40],
            target=text["target"],
        )

    @property
    def is_empty(self) -> bool:
        return self == LogFilters()

    @property
    def is_search(self) -> bool:
        """Whether nothing but a target was asked for."""
        return self == LogFilters(target=self.target)

    @property
    def acts(self) -> ActFilters:
        """The same for the selectors."""
        return ActFilters(
            actor=self.actor,
            action=self.action,
            noun=self.noun,
            target=self.target,
            outcome=self.outcome,
            since=date.fromisoformat(self.since) if self.since else None,
            until=date.fromisoformat(self.until) if self.until else None,
        )

    def query(self) -> str:
        """The query string of these filters, without those that are not set."""
        return urlencode({name: getattr(self, name) for name in FIELDS if getattr(self, name)})


_SPOKEN = {"outcome": "the outcome", "since": "the first day", "until": "the last day"}


def _problems(asked: Mapping[str, str], known: Mapping[str, str]) -> tuple[str, ...]:
    """What was asked for and not understood, in words."""
    unknown = [
        f"This filter was not understood, and the list is shown without it: {words} “{asked[name][:60]}”."
        for name, words in _SPOKEN.items()
        if asked[name] and not known[name]
    ]
    if known["since"] and known["until"] and known["since"] > known["until"]:
        unknown.append("This filter was not understood: its first day is after its last, so nothing matches.")
    return tuple(unknown)


def _day(text: str) -> str:
    """A day as YYYY-MM-DD, or "" for anything else. The calendar's ends are out: they have no neighbours."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 1900 < day.year < 9999 else ""


Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class LogChoices:
    """What the filter menus offer, as (value, words)."""

    actors: Choices
    actions: Choices
    nouns: Choices
    outcomes: Choices


def choices(filters: LogFilters, people: Sequence[User]) -> LogChoices:
    """The menus, with whatever the URL asks for beyond them added, so that it can be seen and unset."""
    kinds = [
        (ActorKind.PERSON.value, "People"),
        (ActorKind.SYSTEM.value, "This dashboard"),
        (ActorKind.OUTSIDE.value, "Outside this dashboard"),
    ]
    return LogChoices(
        actors=_with(filters.actor, [*kinds, *((str(person.pk), str(person)) for person in people)]),
        actions=_with(filters.action, list(VERBS.items())),
        nouns=_with(filters.noun, list(NOUNS.items())),
        outcomes=list(OUTCOMES.items()),
    )


def _with(value: str, offered: list[tuple[str, str]]) -> Choices:
    known = not value or any(value == choice for choice, _ in offered)
    return offered if known else [*offered, (value, value)]

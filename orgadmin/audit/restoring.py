"""Putting back what an act of the log changed.

A restoration is a new act, sent by the slice that owns the noun and audited as any other; it names the entry
it restores. Each slice registers a ``Restorer`` for the nouns it can act on; the pages of the log ask here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import User
from orgadmin.audit.models import Outcome
from orgadmin.audit.selectors import Act
from orgadmin.audit.services import comparable, restoring


class NotRestorable(Exception):
    """Why nothing can be put back, in words for a person."""


@dataclass(frozen=True)
class Offer:
    """What there is now and what it would become, by field; what is alike is left out. ``moved`` are the
    fields that somebody changed again since the act."""

    now: Mapping[str, Any]
    then: Mapping[str, Any]
    moved: frozenset[str] = field(default_factory=frozenset)

    @property
    def seen(self) -> str:
        """What a form carries to tell whether it is still as the person saw it."""
        now = {name: comparable(name, value) for name, value in self.now.items()}
        return hashlib.sha256(json.dumps(now, sort_keys=True, default=str).encode()).hexdigest()[:32]

    def only(self, names: Sequence[str]) -> Offer:
        """Of it only these fields."""
        chosen = {name for name in names if name in self.then}
        return replace(
            self,
            now={name: value for name, value in self.now.items() if name in chosen},
            then={name: value for name, value in self.then.items() if name in chosen},
        )


@dataclass(frozen=True)
class Restorer:
    """``look`` answers all that is now and all that was then, by field; ``apply`` sends the difference and
    answers words for a toast. Both raise NotRestorable, ``apply`` OpenRouterError too. ``verbs`` are those
    that can be reversed, ``why_not`` says of others why not, by verb."""

    look: Callable[[Act], tuple[Mapping[str, Any], Mapping[str, Any]]]
    apply: Callable[[User, Act, Offer, UUID], str]
    verbs: frozenset[str]
    why_not: Mapping[str, str]


RESTORERS: dict[str, Restorer] = {}


def register(noun: str, restorer: Restorer) -> None:
    """Called once for each noun, by the app that knows how."""
    RESTORERS[noun] = restorer


def verb_of(act: Act) -> str:
    return act.entry.action.rsplit(".", 1)[-1]


def why_not(act: Act) -> str:
    """Why an act cannot be reversed, as far as the act itself tells; "" where it can, None is never said."""
    restorer = RESTORERS.get(act.entry.target_type)
    if restorer is None:
        return "Only changes of keys, guardrails, workspaces and presets can be put back."
    if act.outcome != Outcome.OK:
        return "It did not take effect, or nobody knows whether it did: there is nothing to put back."
    verb = verb_of(act)
    if verb in restorer.why_not:
        return restorer.why_not[verb]
    return "" if verb in restorer.verbs else "This kind of act cannot be reversed."


def is_of_a_noun(act: Act) -> bool:
    """Whether anybody would look for a way back: acts on people and on the connection have none."""
    return act.entry.target_type in RESTORERS


def offer_of(act: Act) -> Offer:
    """What restoring it would change now. Raises NotRestorable, also where nothing would."""
    if reason := why_not(act):
        raise NotRestorable(reason)
    now, then = RESTORERS[act.entry.target_type].look(act)
    if not then:
        raise NotRestorable("What it changed cannot be put back from here.")
    names = [name for name in then if comparable(name, now.get(name)) != comparable(name, then[name])]
    if not names:
        raise NotRestorable("Nothing to restore: it is as it was before this change.")
    left = act.after or {}
    moved = frozenset(
        name
        for name in names
        if name in left and comparable(name, now.get(name)) != comparable(name, left[name])
    )
    return Offer({name: now.get(name) for name in names}, {name: then[name] for name in names}, moved)


def restore(*, actor: User, act: Act, offer: Offer, form_token: UUID) -> str:
    """Send what is offered; words for a toast. Raises NotRestorable, AlreadySubmitted and OpenRouterError."""
    with restoring(act.entry, form_token):
        return RESTORERS[act.entry.target_type].apply(actor, act, offer, form_token)

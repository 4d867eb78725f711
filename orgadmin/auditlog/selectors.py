"""What the log's pages read beyond the log itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.audit.selectors import Act, acts_of, with_outcomes
from orgadmin.audit.words import Change, action_words, changes, field_words
from orgadmin.auditlog.filters import LogFilters
from orgadmin.inventory.models import Guardrail, Key, Member, Workspace
from orgadmin.pages import Page, page_of

# What an act may mention by upstream's id.
NAMED: Mapping[str, type[Workspace | Member | Guardrail | Key]] = {
    "workspace": Workspace,
    "member": Member,
    "guardrail": Guardrail,
    "keys": Key,
}


@dataclass(frozen=True)
class Line:
    """An act as a page shows it. ``key_hash`` is that of the key it is about, where there is a page of it."""

    act: Act
    action: str
    changes: list[Change]
    key_hash: str


def log_page(organization: Organization, filters: LogFilters, *, number: str | None) -> Page[Line]:
    """One page of the filtered log: six queries at most, whatever the size."""
    acts = acts_of(organization, filters.acts)

    def lines(offset: int, limit: int) -> list[Line]:
        return lines_of(organization, with_outcomes(list(acts[offset : offset + limit])))

    return page_of(acts.count(), number, lines)


def lines_of(organization: Organization, acts: list[Act]) -> list[Line]:
    """The acts with the names of what they mention and the keys that have a page."""
    names = _names(organization, acts)
    known = _known_keys(organization, acts)
    return [
        Line(
            act=act,
            action=action_words(act.entry.action),
            changes=changes(act.before, act.after, names),
            key_hash=act.target_id if act.target_id in known else "",
        )
        for act in acts
    ]


def _names(organization: Organization, acts: Iterable[Act]) -> Mapping[str, str]:
    return names_in(organization, (values for act in acts for values in (act.before, act.after)))


def names_in(organization: Organization, mentions: Iterable[Mapping[str, Any] | None]) -> Mapping[str, str]:
    """Workspaces, members, guardrails and keys by the upstream ids that are mentioned in such values."""
    mentioned: dict[str, set[str]] = {kind: set() for kind in NAMED}
    for values in mentions:
        for name, value in (values or {}).items():
            kind = field_words(name).kind
            if kind in mentioned:
                listed = value if isinstance(value, list) else [value]
                mentioned[kind].update(one for one in listed if isinstance(one, str))
    names: dict[str, str] = {}
    for kind, model in NAMED.items():
        if uids := mentioned[kind]:
            identity = "hash" if kind == "keys" else "uid"
            rows = model._default_manager.filter(organization=organization, **{f"{identity}__in": uids})
            names |= {getattr(row, identity): str(row) for row in rows}
    return names


def _known_keys(organization: Organization, acts: Iterable[Act]) -> set[str]:
    hashes = {act.target_id for act in acts if act.entry.target_type == "key" and act.target_id}
    if not hashes:
        return set()
    return set(Key.objects.filter(organization=organization, hash__in=hashes).values_list("hash", flat=True))


def rows_of(act: Act) -> list[Entry]:
    """Every row of an act in the order they were written."""
    return [act.entry, *act.outcomes]

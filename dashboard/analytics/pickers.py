"""Values of filters that upstream wants as ids and shows as names: keys, members and workspaces of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.analytics.question import Condition
from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.inventory.search import containing

SHOWN = 50


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Picker:
    """``is_searchable``: there are more than are listed, so there is a field to search them."""

    options: Sequence[Option]
    is_searchable: bool


def picker(organization: Organization, condition: Condition) -> Picker | None:
    """What a condition's values are picked from; None where they are typed."""
    find = _PICKERS.get(condition.field)
    if find is None:
        return None
    found, is_searchable = find(organization, condition)
    known = dict(found)
    # What is chosen and not known stays chosen: a link may be older than what it names.
    lost = [(value, value) for value in condition.values if value not in known]
    options = [Option(value, label, value in condition.values) for value, label in (*known.items(), *lost)]
    return Picker(options, is_searchable)


Found = tuple[list[tuple[str, str]], bool]


def _keys(organization: Organization, condition: Condition) -> Found:
    """The keys that were chosen, then those that spent most this month, or match what is searched for."""
    keys = Key.objects.filter(organization=organization)
    chosen = list(keys.filter(hash__in=condition.values).values_list("hash", "name"))
    living = keys.filter(gone_at=None)
    listed = living.filter(*containing(condition.search)) if condition.search else living
    order = listed.order_by("-usage_monthly", "id").values_list("hash", "name")
    rows = list(order[: SHOWN + 1])
    is_more = len(rows) > SHOWN or bool(condition.search)
    return _told_apart([*chosen, *rows[:SHOWN]]), is_more


def _told_apart(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keys of one name carry the beginning of their hash."""
    by_hash = dict(rows)
    names = Counter(by_hash.values())
    return [
        (key_hash, name if names[name] == 1 else f"{name} ({key_hash[:8]}…)")
        for key_hash, name in by_hash.items()
    ]


def _members(organization: Organization, condition: Condition) -> Found:
    members = Member.objects.filter(organization=organization)
    return [(row.uid, f"{row}{' (left)' if row.gone_at else ''}") for row in members], False


def _workspaces(organization: Organization, condition: Condition) -> Found:
    rows = Workspace.objects.filter(organization=organization)
    return [(row.uid, f"{row.name}{' (deleted)' if row.gone_at else ''}") for row in rows], False


_PICKERS: Mapping[str, Callable[[Organization, Condition], Found]] = {
    "api_key_id": _keys,
    "user": _members,
    "workspace": _workspaces,
}

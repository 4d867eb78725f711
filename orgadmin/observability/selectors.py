"""What pages of destinations are asked for: the list, one of them, where there is room for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, QueryDict

from orgadmin.accounts.models import Organization
from orgadmin.inventory.destination_types import TYPES, label_of
from orgadmin.inventory.models import Destination, Key, Workspace
from orgadmin.inventory.search import containing
from orgadmin.observability.words import rule_words
from orgadmin.openrouter.destinations import MOST_OF_A_TYPE
from orgadmin.pages import ListFilters

SORTS = ("name", "type", "workspace", "sampling", "keys")
STATES: Mapping[str, str] = {
    "sending": "Sending",
    "silent": "Enabled, nothing sent",
    "disabled": "Disabled",
    "gone": "Gone",
}
FOUND = 20


@dataclass(frozen=True)
class DestinationFilters:
    """What the list shows. Without an order asked for it is by type, then by name."""

    listed: ListFilters
    workspace: str = ""
    type: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> DestinationFilters:
        text = {
            name: query.get(name, "").strip()[:100].replace("\x00", "")
            for name in ("workspace", "type", "state")
        }
        text["state"] = text["state"] if text["state"] in STATES else ""
        return cls(ListFilters.of(query, SORTS), **text)

    @property
    def is_empty(self) -> bool:
        return not (self.listed.q or self.workspace or self.type or self.state)

    def query(self) -> str:
        kept = {"workspace": self.workspace, "type": self.type, "state": self.state}
        rest = urlencode({name: value for name, value in kept.items() if value})
        return "&".join(part for part in (self.listed.query(), rest) if part)


@dataclass(frozen=True)
class Row:
    """A destination with its workspace, None where that was not synced."""

    destination: Destination
    workspace: Workspace | None

    @property
    def name(self) -> str:
        return str(self.destination)

    @property
    def label(self) -> str:
        return label_of(self.destination.type)

    @property
    def is_known(self) -> bool:
        """Whether we know what its type is told."""
        return self.destination.type in TYPES

    @property
    def broadcasts(self) -> bool:
        """Whether its workspace sends anything at all."""
        place = self.workspace
        return place is not None and place.gone_at is None and place.is_observability_broadcast_enabled

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.destination.gone_at is not None:
            return "gone"
        if not self.destination.enabled:
            return "disabled"
        return "sending" if self.broadcasts else "silent"

    @property
    def state_words(self) -> str:
        return STATES[self.state]

    @property
    def keys(self) -> int | None:
        """How many keys it singles out; None is all of them."""
        hashes = self.destination.api_key_hashes
        return None if hashes is None else len(hashes)

    @property
    def filter_words(self) -> str:
        if "filter_rules" in self.destination.lacks:
            return "rules that cannot be read here"
        return rule_words(self.destination.filter_rules).short


def rows(organization: Organization, filters: DestinationFilters) -> list[Row]:
    """Every destination that the filters let through, in their order: two queries, whatever the number."""
    places = {row.uid: row for row in Workspace.objects.filter(organization=organization)}
    found = Destination.objects.filter(organization=organization).order_by()
    if filters.state != "gone":
        found = found.filter(gone_at=None)
    listed = [Row(one, places.get(one.workspace_uid)) for one in found]
    return filters.listed.sorted(
        [row for row in listed if _is_wanted(row, filters)],
        {
            # The usual order: by type, and those of one type by name.
            "name": lambda row: (row.label.casefold(), row.name.casefold(), row.destination.uid),
            "type": lambda row: row.label.casefold(),
            "workspace": lambda row: row.workspace.name.casefold() if row.workspace else "",
            "sampling": lambda row: row.destination.sampling_rate,
            "keys": lambda row: float("inf") if row.keys is None else row.keys,
        },
    )


def _is_wanted(row: Row, filters: DestinationFilters) -> bool:
    if filters.workspace and (row.workspace is None or row.workspace.slug != filters.workspace):
        return False
    if filters.type and row.destination.type != filters.type:
        return False
    if filters.state and row.state != filters.state:
        return False
    text = f"{row.name} {row.label} {row.destination.type} {row.destination.uid}".casefold()
    return all(word in text for word in filters.listed.q.casefold().split()[:8])


def workspace_choices(organization: Organization) -> list[tuple[str, str]]:
    """The workspaces to filter by, from the summary: no query."""
    return [(row["slug"], row["name"]) for row in organization.summary.get("workspace_choices", [])]


def type_choices(organization: Organization) -> list[tuple[str, str]]:
    """The types that there are, ours and those nobody here has heard of: one query."""
    found = Destination.objects.filter(organization=organization).order_by().values_list("type", flat=True)
    return sorted(((one, label_of(one)) for one in set(found)), key=lambda pair: pair[1].casefold())


def row_of(organization: Organization, uid: str) -> Row:
    """One destination by its id, one that is gone included; Http404 when there is no such. Two queries."""
    found = Destination.objects.filter(organization=organization, uid=uid).first()
    if found is None:
        raise Http404("No such destination.")
    found.organization = organization
    place = Workspace.objects.filter(organization=organization, uid=found.workspace_uid).first()
    return Row(found, place)


def names_of_keys(
    organization: Organization, hashes: Collection[str], *, workspace_uid: str = ""
) -> dict[str, str]:
    """What keys are called, by hash, those of one workspace where that is given: one query. Deleted ones are
    known too unless it is."""
    keys = Key.objects.filter(organization=organization, hash__in=list(hashes)[:2000])
    if workspace_uid:
        keys = keys.filter(workspace_uid=workspace_uid, gone_at=None)
    return dict(keys.values_list("hash", "name"))


def found_keys(organization: Organization, workspace_uid: str, text: str) -> list[tuple[str, str]]:
    """Hash and name of the keys of a workspace that ``text`` matches; the one that bears it first."""
    if not text.strip():
        return []
    keys = Key.objects.filter(organization=organization, workspace_uid=workspace_uid, gone_at=None)
    named = keys.filter(Q(name=text) | Q(hash=text)).order_by("sort_name", "pk")
    matching = keys.filter(reduce(and_, containing(text), Q())).order_by("sort_name", "pk")
    both = [*named.values_list("hash", "name")[:FOUND], *matching.values_list("hash", "name")[:FOUND]]
    return list(dict.fromkeys(both))[:FOUND]


def naming_keys(organization: Organization, hashes: Iterable[str]) -> list[Destination]:
    """The destinations that single out one of these keys: one query. No database of ours looks into a list of
    JSON as the others do, and destinations are few."""
    wanted = set(hashes)
    found = Destination.objects.filter(organization=organization, gone_at=None, api_key_hashes__isnull=False)
    rows = found.select_related("organization").order_by("name", "pk")
    return [one for one in rows if wanted.intersection(one.api_key_hashes or ())]


# --- making another ---


def places(organization: Organization) -> list[tuple[str, str]]:
    """Where one can be made, the default workspace first."""
    found = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name")
    pairs = list(found.values_list("uid", "name"))
    return sorted(pairs, key=lambda place: place[0] != organization.default_workspace_uid)


def place_of(organization: Organization, uid: str) -> Workspace | None:
    return Workspace.objects.filter(organization=organization, uid=uid, gone_at=None).first()


@dataclass(frozen=True)
class Room:
    """A type and how many of it a workspace has."""

    type: str
    label: str
    number: int

    @property
    def is_full(self) -> bool:
        return self.number >= MOST_OF_A_TYPE


def rooms(organization: Organization, workspace_uid: str) -> list[Room]:
    """Every documented type, by name, and how many of it the workspace has: one query."""
    found = Destination.objects.filter(
        organization=organization, workspace_uid=workspace_uid, gone_at=None
    ).order_by()
    counts = Counter(found.values_list("type", flat=True))
    made = [Room(one.name, one.label, counts[one.name]) for one in TYPES.values()]
    return sorted(made, key=lambda room: room.label.casefold())


def newest_known(organization: Organization) -> Destination | None:
    """A destination that OpenRouter sent lately: it tells which fields the server has."""
    return Destination.objects.filter(organization=organization, gone_at=None).order_by("-pk").first()

"""Reading presets: all of them, one with its versions, what its models cost, and what guardrails say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.http import Http404, QueryDict

from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import Guardrail, Member, Preset, PresetVersion, Workspace
from orgadmin.pages import ListFilters
from orgadmin.policy.offers import Known, offers
from orgadmin.policy.subjects import KEY, layer_of, of_workspace
from orgadmin.policy.verdicts import Outcome, Reason, Verdict, verdict
from orgadmin.presets.credentials import is_the_managers

SORTS = ("name", "workspace", "status", "version", "updated")
STATUSES: Mapping[str, str] = {"active": "Active", "disabled": "Disabled", "archived": "Archived"}
# Fields that OpenRouter kept are learnt from so many versions, the newest first.
LEARN_FROM = 300
# So many guardrails that refuse a model are named.
NAMED = 5


@dataclass(frozen=True)
class PresetFilters:
    """What the list is asked for; ``workspace`` is a slug. Words are looked for in names, descriptions and
    models."""

    listed: ListFilters
    workspace: str = ""
    status: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> PresetFilters:
        text = {
            name: query.get(name, "").strip()[:100].replace("\x00", "") for name in ("workspace", "status")
        }
        return cls(ListFilters.of(query, SORTS), text["workspace"], text["status"])

    @property
    def is_empty(self) -> bool:
        return self.listed.is_empty and not (self.workspace or self.status)

    def query(self) -> str:
        more = {"workspace": self.workspace, "status": self.status}
        rest = urlencode({name: value for name, value in more.items() if value})
        return "&".join(part for part in (self.listed.query(), rest) if part)


@dataclass(frozen=True)
class Row:
    """A preset in the list. ``is_kept_back``: an older version is served than the newest there is."""

    preset: Preset
    workspace: Workspace | None

    @property
    def is_kept_back(self) -> bool:
        live, newest = self.preset.live_version, self.preset.newest_version
        return live is not None and newest is not None and live < newest


def rows(organization: Organization, filters: PresetFilters) -> list[Row]:
    """Every preset that the filters let through, in their order: two queries."""
    workspaces = {row.uid: row for row in Workspace.objects.filter(organization=organization)}
    found = Preset.objects.filter(organization=organization, gone_at__isnull=not filters.listed.gone)
    listed = [Row(row, workspaces.get(row.workspace_uid)) for row in found.order_by()]
    return filters.listed.sorted(
        [row for row in listed if _is_wanted(row, filters)],
        {
            "name": lambda row: (row.preset.name.casefold(), row.preset.uid),
            "workspace": lambda row: row.workspace.name.casefold() if row.workspace else "",
            "status": lambda row: row.preset.status,
            "version": lambda row: row.preset.live_version or 0,
            "updated": lambda row: row.preset.updated_at.timestamp() if row.preset.updated_at else 0,
        },
    )


def _is_wanted(row: Row, filters: PresetFilters) -> bool:
    preset = row.preset
    if filters.workspace and (row.workspace is None or row.workspace.slug != filters.workspace):
        return False
    if filters.status and preset.status != filters.status:
        return False
    held = " ".join([preset.name, preset.slug, preset.description or "", *preset.pinned_models]).casefold()
    return all(word in held for word in filters.listed.q.casefold().split())


# --- which workspaces can be read ---


@dataclass(frozen=True)
class Place:
    """A workspace and whether its presets can be read. ``state``: "open", "refused" (its key was) or
    "missing" (it has none)."""

    workspace: Workspace
    state: str


def places(organization: Organization) -> list[Place]:
    """Every workspace, by name: two queries."""
    keys = {
        key.workspace_uid: key
        for key in InferenceKey.objects.filter(
            organization=organization, base_url=F("organization__base_url")
        ).defer("secret")
    }
    found = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name", "pk")
    return [Place(row, _state(organization, row, keys.get(row.uid))) for row in found]


def _state(organization: Organization, workspace: Workspace, key: InferenceKey | None) -> str:
    if key is not None:
        return "refused" if key.refused_at else "open"
    return "open" if is_the_managers(organization, workspace.uid) else "missing"


def may_write(organization: Organization, workspace_uid: str) -> bool:
    return any(
        place.state == "open" for place in places(organization) if place.workspace.uid == workspace_uid
    )


# --- one preset ---


def preset_of(organization: Organization, uid: str) -> Preset:
    """One of this organization, gone or not. Http404 otherwise."""
    found = Preset.objects.select_related("organization").filter(organization=organization, uid=uid).first()
    if found is None:
        raise Http404("No such preset.")
    return found


def named(organization: Organization, workspace_uid: str, slug: str) -> Preset | None:
    """The preset that exists under this slug, as far as the mirror knows."""
    rows = Preset.objects.filter(organization=organization, workspace_uid=workspace_uid, slug=slug)
    return rows.filter(gone_at=None).first()


def versions_of(preset: Preset) -> list[PresetVersion]:
    """All of them, the newest first."""
    return list(_versions(preset).order_by("-number"))


def version_of(preset: Preset, number: int | None) -> PresetVersion | None:
    return _versions(preset).filter(number=number).first() if number and number < 2**31 else None


def live_of(preset: Preset | None) -> PresetVersion | None:
    """The version that is served; None for a preset that is not made yet, or serves none."""
    return version_of(preset, preset.live_version) if preset else None


def _versions(preset: Preset) -> QuerySet[PresetVersion]:
    return PresetVersion.objects.filter(organization=preset.organization_id, preset_uid=preset.uid)


def workspace_named(organization: Organization, uid: str) -> Workspace | None:
    return Workspace.objects.filter(organization=organization, uid=uid).first()


def people_named(organization: Organization) -> dict[str, str]:
    return {row.uid: str(row) for row in Member.objects.filter(organization=organization)}


def fields_kept(organization: Organization) -> frozenset[str]:
    """Fields that OpenRouter kept in some preset of the organization: what it does not tell, it shows."""
    rows = PresetVersion.objects.filter(organization=organization).order_by("-pk")[:LEARN_FROM]
    return frozenset(name for row in rows for name in row.config)


# --- its models ---


@dataclass(frozen=True)
class Ruling:
    """What guardrails make of a model. ``everybody``: by the workspace's default guardrail alone; ``holders``
    are guardrails of the workspace that, held beside it, refuse the model, ``unsure`` those of which nobody
    can tell."""

    everybody: Verdict
    holders: list[Guardrail]
    unsure: list[Guardrail]

    @property
    def outcome(self) -> Outcome:
        return self.everybody.outcome

    @property
    def reasons(self) -> Sequence[Reason]:
        return self.everybody.reasons


@dataclass(frozen=True)
class Pinned:
    """A model that a version names, and what the catalog has of it; ``model`` is None where it never heard of
    it. ``ruling`` is None before there is anything to judge by."""

    name: str
    model: CatalogModel | None
    ruling: Ruling | None


def pinned(preset: Preset, names: Sequence[str]) -> list[Pinned]:
    """Each model of a version: its price and what guardrails say; a handful of queries, whatever the number.
    Variants and aliases are judged as what they stand for."""
    if not names:
        return []
    organization = preset.organization
    models = {row.slug: row for row in CatalogModel.objects.filter(organization=organization, slug__in=names)}
    known = {one.name: one for one in offers(organization)}
    judge = _judge(preset)
    return [Pinned(name, models.get(name), judge(known[name]) if name in known else None) for name in names]


def _judge(preset: Preset) -> Callable[[Known], Ruling | None]:
    workspace = workspace_named(preset.organization, preset.workspace_uid)
    if workspace is None:
        return lambda known: None
    layers = of_workspace(workspace).layers
    others = list(
        Guardrail.objects.filter(organization=preset.organization, workspace_uid=workspace.uid, gone_at=None)
        .exclude(uid=workspace.default_guardrail_id)
        .order_by("name", "pk")
    )

    def judged(known: Known) -> Ruling:
        alone = verdict(known.offered, layers)
        held: dict[Outcome, list[Guardrail]] = {outcome: [] for outcome in Outcome}
        if alone.outcome is not Outcome.REFUSED:
            for guardrail in others:
                outcome = verdict(known.offered, [*layers, layer_of(guardrail, KEY)]).outcome
                if outcome < alone.outcome:
                    held[outcome].append(guardrail)
        return Ruling(alone, held[Outcome.REFUSED], held[Outcome.UNKNOWN])

    return judged

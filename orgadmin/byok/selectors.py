"""Reading credentials: all of them in the order OpenRouter tries them, one of them, and who may use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max, Q
from django.http import Http404, QueryDict

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry, Outcome
from orgadmin.byok.words import restrictions
from orgadmin.catalog.models import CatalogModel
from orgadmin.catalog.selectors import provider_slugs, providers_by_slug
from orgadmin.inventory.models import Credential, Key, Member, Workspace
from orgadmin.usage.amounts import NOTHING, Amounts
from orgadmin.usage.clock import today
from orgadmin.usage.models import Dimension, UsageProvider
from orgadmin.usage.reading import Question, groups
from orgadmin.usage.spans import Span

STATES = (("active", "Enabled"), ("disabled", "Disabled"))
# The complete days that "the last 30 days" are.
SPAN_DAYS = 30


@dataclass(frozen=True)
class CredentialFilters:
    """What the list is asked for; ``workspace`` is a slug, whose credentials are its own and those of all
    workspaces. What makes no sense filters nothing out that an old link would want."""

    q: str = ""
    workspace: str = ""
    provider: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> CredentialFilters:
        text = {
            name: query.get(name, "").strip()[:200].replace("\x00", "")
            for name in ("q", "workspace", "provider", "state")
        }
        known = {name for name, _ in STATES}
        return cls(**{**text, "state": text["state"] if text["state"] in known else ""})

    @property
    def is_empty(self) -> bool:
        return self == CredentialFilters()

    def query(self) -> str:
        return urlencode({name: value for name, value in vars(self).items() if value})


@dataclass(frozen=True)
class Row:
    """A credential in the list. ``workspace`` is None for one of all workspaces and for one whose workspace
    was not synced. ``begins`` a provider, ``begins_fallbacks`` the section that comes after credits."""

    credential: Credential
    provider: str
    workspace: Workspace | None
    changed: Entry | None = None
    begins: bool = False
    begins_fallbacks: bool = False
    number: int = 0

    @property
    def is_everywhere(self) -> bool:
        return self.credential.workspace_uid is None

    @property
    def place(self) -> str:
        """The workspace's name; "all workspaces"; "" where it is not known."""
        return "all workspaces" if self.is_everywhere else self.workspace.name if self.workspace else ""

    @property
    def restrictions(self) -> list[str]:
        return restrictions(self.credential)


def rows(organization: Organization, filters: CredentialFilters) -> list[Row]:
    """Every credential that the filters let through, in the order OpenRouter tries them: by provider, the
    prioritized ones, then the fallbacks. Three queries, whatever the number."""
    workspaces = {row.uid: row for row in Workspace.objects.filter(organization=organization)}
    names = providers_by_slug(organization)
    found = Credential.objects.filter(organization=organization, gone_at=None)
    listed = [
        Row(one, names.get(one.provider, one.provider), workspaces.get(one.workspace_uid or ""))
        for one in found.order_by()
    ]
    listed = [row for row in listed if _is_wanted(row, filters)]
    listed.sort(key=_order)
    return list(_marked(listed))


def _order(row: Row) -> tuple[Any, ...]:
    one = row.credential
    return (row.provider.casefold(), one.provider, one.is_fallback, one.sort_order, row.place, one.pk)


def _marked(listed: Sequence[Row]) -> Iterable[Row]:
    """The rows with their numbers within the provider, and where sections begin."""
    number, before = 0, None
    for row in listed:
        begins = before is None or before.credential.provider != row.credential.provider
        number = 1 if begins else number + 1
        falls_back = row.credential.is_fallback and (begins or not _falls_back(before))
        yield replace(row, begins=begins, begins_fallbacks=falls_back, number=number)
        before = row


def _falls_back(row: Row | None) -> bool:
    return row is not None and row.credential.is_fallback


def _is_wanted(row: Row, filters: CredentialFilters) -> bool:
    one = row.credential
    slug = row.workspace.slug if row.workspace else ""
    if filters.workspace and not row.is_everywhere and slug != filters.workspace:
        return False
    if filters.provider and one.provider != filters.provider:
        return False
    if filters.state and one.disabled != (filters.state == "disabled"):
        return False
    text = f"{one.name or ''} {one.label} {row.provider} {one.provider} {row.place} {one.uid}".casefold()
    return all(word in text for word in filters.q.casefold().split()[:8])


def with_changes(organization: Organization, listed: Sequence[Row]) -> list[Row]:
    """The rows with the last change of each that the log knows: two queries."""
    done = Entry.objects.filter(
        organization=organization,
        target_type="credential",
        target_id__in=[row.credential.uid for row in listed],
        outcome=Outcome.OK,
    )
    newest = done.order_by().values("target_id").annotate(last=Max("pk")).values("last")
    changes = {entry.target_id: entry for entry in Entry.objects.filter(pk__in=newest)}
    return [replace(row, changed=changes.get(row.credential.uid)) for row in listed]


def row_of(organization: Organization, uid: str) -> Row:
    """One credential by its id, one that is gone included; Http404 when there is no such."""
    credential = Credential.objects.filter(organization=organization, uid=uid).first()
    if credential is None:
        raise Http404("No such credential.")
    credential.organization = organization
    workspace = Workspace.objects.filter(
        organization=organization, uid=credential.workspace_uid or ""
    ).first()
    provider = providers_by_slug(organization).get(credential.provider, credential.provider)
    return Row(credential, provider, workspace)


def workspace_choices(organization: Organization) -> list[tuple[str, str]]:
    """The workspaces to filter by, from the summary: no query."""
    return [(row["slug"], row["name"]) for row in organization.summary.get("workspace_choices", [])]


def provider_choices(organization: Organization) -> list[tuple[str, str]]:
    """The providers that there are credentials of."""
    names = providers_by_slug(organization)
    rows = Credential.objects.filter(organization=organization, gone_at=None).order_by("provider")
    slugs = rows.values_list("provider", flat=True).distinct()
    return [(slug, names.get(slug, slug)) for slug in slugs]


def filing_places(organization: Organization) -> list[tuple[str, str]]:
    """Where a new credential can be used, the default workspace first."""
    found = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name")
    places = list(found.values_list("uid", "name"))
    return sorted(places, key=lambda place: place[0] != organization.default_workspace_uid)


def newest_known(organization: Organization) -> Credential | None:
    """One that OpenRouter sent lately: it tells which settings the server has."""
    return Credential.objects.filter(organization=organization, gone_at=None).order_by("-pk").first()


# --- names of what lists hold ---


def names_in(organization: Organization, *lists: Iterable[str] | None) -> dict[str, str]:
    """What models, keys and members are called, by what lists hold of them: three queries at most."""
    wanted = {one for values in lists for one in values or ()}
    if not wanted:
        return {}
    keys = Key.objects.filter(organization=organization, hash__in=wanted).only("hash", "name", "gone_at")
    found = {row.hash: f"{row.name}{' (deleted)' if row.gone_at else ''}" for row in keys}
    people = Member.objects.filter(organization=organization, uid__in=wanted)
    found |= {row.uid: f"{row}{' (left)' if row.gone_at else ''}" for row in people}
    models = CatalogModel.objects.filter(Q(slug__in=wanted), organization=organization)
    return found | dict(models.values_list("slug", "name"))


def places(organization: Organization) -> dict[str, str]:
    """Workspaces by their ids, for a history."""
    return dict(Workspace.objects.filter(organization=organization).values_list("uid", "name"))


# --- what it costs ---


def last_days() -> Span:
    until = today() - timedelta(days=1)
    return Span(until - timedelta(days=SPAN_DAYS - 1), until)


def spent_by_provider(organization: Organization) -> dict[str, Amounts]:
    """Spend of the last 30 complete days by the slug of the provider, or its name where no slug is known:
    three queries."""
    found = groups(Question(organization.pk, last_days()), Dimension.PROVIDER)
    names = dict(UsageProvider.objects.filter(pk__in=found).values_list("pk", "name"))
    slugs = provider_slugs(organization)
    spent: dict[str, Amounts] = {}
    for part, amounts in found.items():
        name = names.get(part, "")
        slug = slugs.get(name.casefold(), name)
        spent[slug] = spent.get(slug, NOTHING) + amounts
    return spent


def spent_through(row: Row) -> Amounts:
    """Spend at the credential's provider where it may be used, in the last 30 complete days."""
    organization = row.credential.organization
    slugs = provider_slugs(organization)
    providers = [
        pk
        for pk, name in UsageProvider.objects.values_list("pk", "name")
        if slugs.get(name.casefold(), name) == row.credential.provider
    ]
    if not providers or (row.workspace is None and not row.is_everywhere):
        return NOTHING
    question = Question(organization.pk, last_days()).among(Dimension.PROVIDER, providers)
    if row.workspace is not None:
        question = question.among(Dimension.WORKSPACE, [row.workspace.pk])
    return sum(groups(question, Dimension.PROVIDER).values(), NOTHING)


def others_in_line(row: Row) -> list[Row]:
    """What else of the provider serves the same place, enabled, in the order it is tried."""
    everywhere = rows(row.credential.organization, CredentialFilters(provider=row.credential.provider))
    return [
        other
        for other in everywhere
        if other.credential.pk != row.credential.pk
        and not other.credential.disabled
        and (other.is_everywhere or other.credential.workspace_uid == row.credential.workspace_uid)
    ]


def mentions(organization: Organization, key_hash: str) -> Mapping[str, Credential]:
    """The credentials whose list of keys names the key, by id. There are few credentials, so they are looked
    through."""
    held = Credential.objects.filter(organization=organization, gone_at=None).filter(
        allowed_api_key_hashes__isnull=False
    )
    return {row.uid: row for row in held if key_hash in (row.allowed_api_key_hashes or ())}

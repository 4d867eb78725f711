"""Reading credentials: all of them in the order OpenRouter tries them, one of them, and who may use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max
from django.http import Http404, QueryDict

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry, Outcome
from orgadmin.byok.known import Known
from orgadmin.byok.words import restrictions
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


def rows(known: Known, filters: CredentialFilters) -> list[Row]:
    """Every credential that the filters let through, in the order OpenRouter tries them: by provider, the
    prioritized ones, then the fallbacks."""
    listed = [row for one in known.credentials if _is_wanted(row := _row(known, one), filters)]
    listed.sort(key=_order)
    return list(_marked(listed))


def _row(known: Known, credential: Credential) -> Row:
    workspace = known.workspaces.get(credential.workspace_uid or "")
    return Row(credential, known.provider_name(credential.provider), workspace)


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
    """The rows with the last change of each that the log knows: one query."""
    done = Entry.objects.filter(
        organization=organization,
        target_type="credential",
        target_id__in=[row.credential.uid for row in listed],
        outcome=Outcome.OK,
    )
    newest = done.order_by().values("target_id").annotate(last=Max("pk")).values("last")
    changes = {entry.target_id: entry for entry in Entry.objects.filter(pk__in=newest)}
    return [replace(row, changed=changes.get(row.credential.uid)) for row in listed]


def row_of(known: Known, uid: str) -> Row:
    """One credential by its id, one that is gone included; Http404 when there is no such."""
    found = next((one for one in known.credentials if one.uid == uid), None)
    credential = found or Credential.objects.filter(organization=known.organization, uid=uid).first()
    if credential is None:
        raise Http404("No such credential.")
    credential.organization = known.organization
    return _row(known, credential)


def workspace_choices(organization: Organization) -> list[tuple[str, str]]:
    """The workspaces to filter by, from the summary: no query."""
    return [(row["slug"], row["name"]) for row in organization.summary.get("workspace_choices", [])]


def provider_choices(known: Known) -> list[tuple[str, str]]:
    """The providers that there are credentials of."""
    slugs = {one.provider for one in known.credentials}
    return sorted(((slug, known.provider_name(slug)) for slug in slugs), key=lambda one: one[1].casefold())


def filing_places(organization: Organization) -> list[tuple[str, str]]:
    """Where a new credential can be used, the default workspace first."""
    found = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name")
    places = list(found.values_list("uid", "name"))
    return sorted(places, key=lambda place: place[0] != organization.default_workspace_uid)


def newest_known(organization: Organization) -> Credential | None:
    """One that OpenRouter sent lately: it tells which settings the server has."""
    return Credential.objects.filter(organization=organization, gone_at=None).order_by("-pk").first()


# --- names of what lists hold ---


def names_in(organization: Organization, lists: Mapping[str, Iterable[str] | None]) -> dict[str, str]:
    """What keys and members are called, by what lists (by their names) hold of them: a query for each kind
    that there is."""
    found: dict[str, str] = {}
    if hashes := set(lists.get("allowed_api_key_hashes") or ()):
        keys = Key.objects.filter(organization=organization, hash__in=hashes).only("hash", "name", "gone_at")
        found |= {row.hash: f"{row.name}{' (deleted)' if row.gone_at else ''}" for row in keys}
    if uids := set(lists.get("allowed_user_ids") or ()):
        people = Member.objects.filter(organization=organization, uid__in=uids)
        found |= {row.uid: f"{row}{' (left)' if row.gone_at else ''}" for row in people}
    return found


# --- what it costs ---


def last_days() -> Span:
    until = today() - timedelta(days=1)
    return Span(until - timedelta(days=SPAN_DAYS - 1), until)


def spent_by_provider(known: Known) -> dict[str, Amounts]:
    """Spend of the last 30 complete days by the slug of the provider, or its name where no slug is known."""
    found = groups(Question(known.organization.pk, last_days()), Dimension.PROVIDER)
    names = dict(UsageProvider.objects.filter(pk__in=found).values_list("pk", "name"))
    spent: dict[str, Amounts] = {}
    for part, amounts in found.items():
        slug = known.provider_slug(names.get(part, ""))
        spent[slug] = spent.get(slug, NOTHING) + amounts
    return spent


def spent_through(known: Known, row: Row) -> Amounts:
    """Spend at the credential's provider where it may be used, in the last 30 complete days."""
    providers = [
        pk
        for pk, name in UsageProvider.objects.values_list("pk", "name")
        if known.provider_slug(name) == row.credential.provider
    ]
    if not providers or (row.workspace is None and not row.is_everywhere):
        return NOTHING
    question = Question(known.organization.pk, last_days()).among(Dimension.PROVIDER, providers)
    if row.workspace is not None:
        question = question.among(Dimension.WORKSPACE, [row.workspace.pk])
    return sum(groups(question, Dimension.PROVIDER).values(), NOTHING)


def others_in_line(known: Known, row: Row) -> list[Row]:
    """What else of the provider serves the same place, enabled, in the order it is tried."""
    return [
        other
        for other in rows(known, CredentialFilters(provider=row.credential.provider))
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

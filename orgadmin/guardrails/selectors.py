"""Reading guardrails: all of them with who holds them, one of them, and what its holders spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.http import Http404, QueryDict

from orgadmin.accounts.models import Organization
from orgadmin.guardrails.words import in_short
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Member, MemberAssignment, Workspace
from orgadmin.inventory.windows import RESETS
from orgadmin.pages import ListFilters, Page, page_of
from orgadmin.policy.subjects import window_start

SORTS = ("name", "workspace", "keys", "members", "limit")


@dataclass(frozen=True)
class GuardrailFilters:
    """What the list is asked for; ``workspace`` is a slug."""

    listed: ListFilters
    workspace: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> GuardrailFilters:
        workspace = query.get("workspace", "").strip()[:100].replace("\x00", "")
        return cls(replace(ListFilters.of(query, SORTS), gone=""), workspace)

    @property
    def is_empty(self) -> bool:
        return self.listed.is_empty and not self.workspace

    def query(self) -> str:
        rest = urlencode({"workspace": self.workspace}) if self.workspace else ""
        return "&".join(part for part in (self.listed.query(), rest) if part)


@dataclass(frozen=True)
class Row:
    """A guardrail in the list. ``guardrail`` has no primary key where a workspace's default one was never
    configured."""

    guardrail: Guardrail
    workspace: Workspace | None
    is_default: bool
    keys: int
    members: int

    @property
    def name(self) -> str:
        return shown_name(self.guardrail, self.workspace if self.is_default else None)

    @property
    def is_configured(self) -> bool:
        return self.guardrail.pk is not None

    @property
    def is_enforced(self) -> bool:
        return self.is_default or bool(self.keys or self.members)

    @property
    def words(self) -> list[str]:
        return in_short(self.guardrail)


def shown_name(guardrail: Guardrail, default_of: Workspace | None) -> str:
    """OpenRouter calls a default guardrail by its workspace's id; people know the workspace by name."""
    return f"Default of {default_of.name}" if default_of else guardrail.name


def rows(organization: Organization, filters: GuardrailFilters) -> list[Row]:
    """Every guardrail that the filters let through, in their order: four queries, whatever the number."""
    workspaces = list(Workspace.objects.filter(organization=organization, gone_at=None))
    by_uid = {row.uid: row for row in workspaces}
    defaults = {row.default_guardrail_id: row for row in workspaces if row.default_guardrail_id}
    found = list(Guardrail.objects.filter(organization=organization, gone_at=None).order_by())
    known = {row.uid for row in found}
    found += [_unmade(organization, row) for uid, row in defaults.items() if uid not in known]
    keys, members = _holders(organization, KeyAssignment), _holders(organization, MemberAssignment)
    listed = [
        Row(
            guardrail,
            by_uid.get(guardrail.workspace_uid or ""),
            guardrail.uid in defaults,
            keys.get(guardrail.uid, 0),
            members.get(guardrail.uid, 0),
        )
        for guardrail in found
    ]
    return filters.listed.sorted(
        [row for row in listed if _is_wanted(row, filters)],
        {
            "name": lambda row: (row.name.casefold(), row.guardrail.uid),
            "workspace": lambda row: row.workspace.name.casefold() if row.workspace else "",
            "keys": lambda row: row.keys,
            "members": lambda row: row.members,
            "limit": lambda row: row.guardrail.limit or Decimal(0),
        },
    )


def _is_wanted(row: Row, filters: GuardrailFilters) -> bool:
    if filters.workspace and (row.workspace is None or row.workspace.slug != filters.workspace):
        return False
    text = " ".join((row.name, row.guardrail.name, row.guardrail.description or "", row.guardrail.uid))
    return all(word in text.casefold() for word in filters.listed.q.casefold().split()[:8])


def _unmade(organization: Organization, workspace: Workspace) -> Guardrail:
    """The default guardrail of a workspace as it is before its first change: it restricts nothing."""
    return Guardrail(
        organization=organization,
        uid=workspace.default_guardrail_id,
        name=f"Workspace {workspace.uid} Default",
        workspace_uid=workspace.uid,
    )


def _holders(
    organization: Organization, model: type[KeyAssignment] | type[MemberAssignment]
) -> Mapping[str, int]:
    held = model._default_manager.filter(organization=organization, gone_at=None).order_by()
    return dict(held.values_list("guardrail_uid").annotate(Count("pk")))


def workspace_choices(organization: Organization) -> list[tuple[str, str]]:
    """The workspaces to filter by, from the summary: no query."""
    return [(row["slug"], row["name"]) for row in organization.summary.get("workspace_choices", [])]


def row_of(organization: Organization, uid: str) -> Row:
    """One guardrail by its id, one that is gone and an unconfigured default included; Http404 when there is
    no such. Two queries, or four for a default that nobody configured."""
    found = Guardrail.objects.filter(organization=organization, uid=uid).annotate(
        key_count=_count_of(KeyAssignment), member_count=_count_of(MemberAssignment)
    )
    guardrail = found.first()
    own = guardrail.workspace_uid if guardrail else None
    places = Workspace.objects.filter(organization=organization).filter(
        Q(default_guardrail_id=uid, gone_at=None) | Q(uid=own or "")
    )
    rows = list(places)
    default_of = next((row for row in rows if row.default_guardrail_id == uid and row.gone_at is None), None)
    workspace = default_of or next((row for row in rows if row.uid == own), None)
    if guardrail is None or (guardrail.gone_at is not None and default_of is not None):
        if default_of is None:
            raise Http404("No such guardrail.")
        counts = (_holders_of(organization, model, uid) for model in (KeyAssignment, MemberAssignment))
        return Row(_unmade(organization, default_of), default_of, True, *counts)
    guardrail.organization = organization
    return Row(
        guardrail, workspace, default_of is not None, guardrail.key_count or 0, guardrail.member_count or 0
    )


def _count_of(model: type[KeyAssignment] | type[MemberAssignment]) -> Subquery:
    held = model._default_manager.filter(
        organization=OuterRef("organization"), guardrail_uid=OuterRef("uid"), gone_at=None
    )
    return Subquery(held.order_by().values("guardrail_uid").annotate(number=Count("pk")).values("number"))


def _holders_of(
    organization: Organization, model: type[KeyAssignment] | type[MemberAssignment], uid: str
) -> int:
    return model._default_manager.filter(organization=organization, gone_at=None, guardrail_uid=uid).count()


# --- who holds it ---


@dataclass(frozen=True)
class Holder:
    """A key or member that holds a guardrail. ``row`` is None when we do not know it; ``used`` is an estimate
    in US dollars of what it spent in the guardrail's window, None where nobody can tell."""

    uid: str
    name: str
    row: Key | Member | None
    used: Decimal | None


def key_holders(row: Row, number: str | None) -> Page[Holder]:
    """A page of the keys that hold it, by name: two queries."""
    guardrail = row.guardrail
    held = KeyAssignment.objects.filter(
        organization=guardrail.organization, gone_at=None, guardrail_uid=guardrail.uid
    ).order_by("key_name", "pk")

    def fetch(at: int, size: int) -> list[Holder]:
        found = list(held[at : at + size])
        keys = {
            row.hash: row
            for row in Key.objects.filter(
                organization=guardrail.organization, hash__in=[one.key_hash for one in found]
            )
        }
        return [
            Holder(one.key_hash, str(keys.get(one.key_hash) or one), key, _spent_by_key(guardrail, key))
            for one in found
            for key in [keys.get(one.key_hash)]
        ]

    return page_of(row.keys, number, fetch)


def _spent_by_key(guardrail: Guardrail, key: Key | None) -> Decimal | None:
    interval = guardrail.reset_interval
    if key is None or guardrail.limit is None or interval not in RESETS:
        return None
    spent = Decimal(getattr(key, f"usage_{interval}"))
    return spent + getattr(key, f"byok_usage_{interval}") if guardrail.include_byok_in_budgets else spent


def member_holders(row: Row, number: str | None) -> Page[Holder]:
    """A page of the members that hold it, in the order of their ids: three queries."""
    guardrail = row.guardrail
    organization = guardrail.organization
    held = MemberAssignment.objects.filter(
        organization=organization, gone_at=None, guardrail_uid=guardrail.uid
    ).order_by("user_id", "pk")

    def fetch(at: int, size: int) -> list[Holder]:
        found = list(held[at : at + size])
        uids = [one.user_id for one in found]
        members = {row.uid: row for row in Member.objects.filter(organization=organization, uid__in=uids)}
        spent = _spent_by_members(guardrail, [row.pk for row in members.values()])
        return list(_members(uids, members, spent))

    return page_of(row.members, number, fetch)


def _members(
    uids: list[str], members: Mapping[str, Member], spent: Mapping[int, Decimal] | None
) -> Iterator[Holder]:
    for uid in uids:
        member = members.get(uid)
        used = None if member is None or spent is None else spent.get(member.pk, Decimal(0))
        yield Holder(uid, str(member or uid), member, used)


def _spent_by_members(guardrail: Guardrail, members: list[int]) -> Mapping[int, Decimal] | None:
    """What their keys counted in the guardrail's window; what they use without a key is not in it."""
    interval = guardrail.reset_interval
    if not members or guardrail.limit is None or interval not in RESETS:
        return None
    names = [f"usage_{interval}", f"byok_usage_{interval}"][: 2 if guardrail.include_byok_in_budgets else 1]
    lived = Q(gone_at=None) | Q(gone_at__gte=window_start(interval))
    keys = Key.objects.filter(lived, organization=guardrail.organization, owner__in=members).order_by()
    rows = keys.values_list("owner").annotate(*(Sum(name) for name in names))
    return {owner: sum((Decimal(part) for part in parts), Decimal(0)) for owner, *parts in rows}


def filing_places(organization: Organization) -> list[tuple[str, str]]:
    """Where a new guardrail can be filed, the default workspace first."""
    rows = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name")
    found = list(rows.values_list("uid", "name"))
    return sorted(found, key=lambda place: place[0] != organization.default_workspace_uid)


def newest_known(organization: Organization) -> Guardrail | None:
    """A guardrail that OpenRouter sent lately: it tells which rules the server has."""
    rows = Guardrail.objects.filter(organization=organization, gone_at=None).order_by("-pk")
    return rows.first()

"""Which members a list shows, and in which order: everything of it stands in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, MemberAssignment, Workspace, WorkspaceMember
from orgadmin.members.words import ROLES
from orgadmin.pages import ListFilters

SORTS = ("name", "email", "role", "workspaces", "keys", "guardrail", "spent")
GUARDRAILS: Mapping[str, str] = {"with": "With a guardrail", "without": "Without a guardrail"}
KEYS: Mapping[str, str] = {"with": "With keys", "without": "Without keys"}
FIELDS = ("role", "workspace", "guardrail", "keys")


@dataclass(frozen=True)
class MemberFilters:
    """What the list is asked for. ``role`` is OpenRouter's word, ``workspace`` a slug; the others name one of
    the choices above. What makes no sense is left out, for an old link still opens a list."""

    listed: ListFilters = field(default_factory=ListFilters)
    role: str = ""
    workspace: str = ""
    guardrail: str = ""
    keys: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> MemberFilters:
        text = {name: query.get(name, "").strip()[:100].replace("\x00", "") for name in FIELDS}
        return cls(
            listed=ListFilters.of(query, SORTS),
            role=text["role"][:50],
            workspace=text["workspace"],
            guardrail=text["guardrail"] if text["guardrail"] in GUARDRAILS else "",
            keys=text["keys"] if text["keys"] in KEYS else "",
        )

    @property
    def is_empty(self) -> bool:
        return self.listed.is_empty and not any(getattr(self, name) for name in FIELDS)

    @property
    def is_search(self) -> bool:
        """Whether nothing but words were asked for."""
        return not self.listed.gone and not any(getattr(self, name) for name in FIELDS)

    @property
    def is_gone_only(self) -> bool:
        """Whether nothing but those who left were asked for."""
        return (
            not self.listed.q and not any(getattr(self, name) for name in FIELDS) and bool(self.listed.gone)
        )

    @property
    def roles(self) -> list[tuple[str, str]]:
        """The roles to choose from: those that OpenRouter documents, and whichever is asked for."""
        offered = list(ROLES.items())
        return offered if self.role in {"", *ROLES} else [*offered, (self.role, self.role)]

    def query(self) -> str:
        """The query string of these filters."""
        rest = urlencode({name: value for name in FIELDS if (value := getattr(self, name))})
        return "&".join(part for part in (self.listed.query(), rest) if part)

    def conditions(self, organization: Organization) -> list[Q]:
        """What a member must be."""
        found = [Q(gone_at__isnull=not self.listed.gone)]
        for word in self.listed.q.split()[:8]:
            named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
            found.append(named | Q(email__icontains=word) | Q(uid__iexact=word))
        if self.role:
            found.append(Q(role=self.role))
        if self.workspace:
            found.append(_is_in(organization, self.workspace))
        if self.guardrail:
            held = MemberAssignment.objects.filter(
                organization=organization, gone_at=None, user_id=OuterRef("uid")
            )
            found.append(_wanted(Exists(held), self.guardrail))
        if self.keys:
            keys = Key.objects.filter(organization=organization, gone_at=None, owner=OuterRef("pk"))
            found.append(_wanted(Exists(keys), self.keys))
        return found


def _is_in(organization: Organization, slug: str) -> Q:
    """Who is in the workspace: everybody is in the default one, which has no rows."""
    named = Workspace.objects.filter(organization=organization, gone_at=None, slug=slug)
    rows = WorkspaceMember.objects.filter(
        organization=organization,
        gone_at=None,
        user_id=OuterRef("uid"),
        workspace_uid__in=named.values("uid"),
    )
    default = named.filter(uid=organization.default_workspace_uid)
    return Q(Exists(rows)) | Q(Exists(default))


def _wanted(holds: Exists, choice: str) -> Q:
    return Q(holds) if choice == "with" else ~Q(holds)

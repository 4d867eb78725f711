"""Which guardrail somebody holds, by name: for pages that show it beside something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Guardrail, KeyAssignment, MemberAssignment

# So many names are loaded at most where any may be mentioned.
MOST_NAMES = 2000


@dataclass(frozen=True)
class Held:
    """A guardrail that somebody holds; its id in place of its name while that is not known."""

    uid: str
    name: str


def of_keys(organization: Organization, hashes: Iterable[str]) -> Mapping[str, Held]:
    """The guardrail that each of these keys holds itself, by hash: one query."""
    rows = KeyAssignment.objects.filter(organization=organization, gone_at=None, key_hash__in=list(hashes))
    return _named(rows, "key_hash")


def of_members(organization: Organization, uids: Iterable[str]) -> Mapping[str, Held]:
    """The guardrail that each of these members holds, by their id: one query."""
    rows = MemberAssignment.objects.filter(organization=organization, gone_at=None, user_id__in=list(uids))
    return _named(rows, "user_id")


def _named(rows: QuerySet[Any], identity: str) -> Mapping[str, Held]:
    its = Guardrail.objects.filter(organization=OuterRef("organization"), uid=OuterRef("guardrail_uid"))
    named = rows.annotate(guardrail_name=Subquery(its.values("name")[:1]))
    return {
        one: Held(uid, name or uid)
        for one, uid, name in named.values_list(identity, "guardrail_uid", "guardrail_name")
    }


def is_guarded() -> Q:
    """The keys that some guardrail covers: their own, their owner's, or their workspace's default one, which
    exists only once it was configured (FACTS 3.2)."""
    mine = {"organization": OuterRef("organization"), "gone_at": None}
    return (
        Q(Exists(KeyAssignment.objects.filter(key_hash=OuterRef("hash"), **mine)))
        | Q(Exists(MemberAssignment.objects.filter(user_id=OuterRef("owner__uid"), **mine)))
        | Q(Exists(Guardrail.objects.filter(uid=OuterRef("workspace__default_guardrail_id"), **mine)))
    )


def names(organization: Organization) -> dict[str, str]:
    """What the guardrails are called, by their ids, for a history that may mention any of them."""
    rows = Guardrail.objects.filter(organization=organization).order_by("-pk")
    return dict(rows.values_list("uid", "name")[:MOST_NAMES])

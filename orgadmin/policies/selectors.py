"""Whose policy it is, what applies, and what is left of the models: a handful of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from django.db.models import Q

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.inventory.search import containing
from orgadmin.policies.filters import PolicyFilters
from orgadmin.policy.layers import Budget, Layer
from orgadmin.policy.offers import Known, offers
from orgadmin.policy.subjects import DEFAULT, KEY, MEMBER, Applied, of_key, of_member, of_workspace
from orgadmin.policy.verdicts import Endpoint, Offered, Outcome, Verdict, places, remaining, verdict
from orgadmin.usage.models import Dimension, UsageModel, UsageRollup

FOUND = 8
# So many models stand on the page; the count is of all.
LISTED = 200
RANKS = {
    DEFAULT: "Default guardrail of the workspace",
    MEMBER: "Guardrail of the member",
    KEY: "Guardrail of the key",
}


@dataclass(frozen=True)
class Subject:
    """Somebody whose policy can be asked for; ``note`` tells two of a name apart."""

    kind: str
    uid: str
    name: str
    note: str


@dataclass(frozen=True)
class Answer:
    """What was found out about one model, and what becomes of each of its endpoints."""

    model: Known
    verdict: Verdict
    places: list[tuple[Endpoint, Outcome]]


@dataclass(frozen=True)
class Left:
    """The models that no rule refuses: the first of them, how many there are, and of how many that are sold
    or, before the catalog was pulled, that were ever used."""

    shown: list[tuple[Known, Outcome]]
    count: int
    known: int


def find(organization: Organization, text: str) -> list[Subject]:
    """Keys, members and workspaces that ``text`` matches, a few of each."""
    words = text.split()[:FOUND]
    if not words:
        return []
    keys = Key.objects.filter(reduce(and_, containing(text), Q()), organization=organization, gone_at=None)
    people = Member.objects.filter(organization=organization, gone_at=None)
    places = Workspace.objects.filter(organization=organization, gone_at=None)
    for word in words:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        people = people.filter(named | Q(email__icontains=word))
        places = places.filter(Q(name__icontains=word) | Q(slug__icontains=word))
    return [
        *(Subject("workspace", row.uid, row.name, row.slug) for row in places[:FOUND]),
        *(Subject("member", row.uid, str(row), row.email) for row in people[:FOUND]),
        *(
            Subject("key", row.hash, row.name, row.label)
            for row in keys.only("hash", "name", "label").order_by("sort_name", "pk")[:FOUND]
        ),
    ]


def applied_to(organization: Organization, filters: PolicyFilters) -> tuple[Subject, Applied] | None:
    """What applies to the subject; None when the organization has no such subject."""
    if filters.subject == "key":
        keys = Key.objects.filter(organization=organization).select_related(
            "workspace", "owner", "organization"
        )
        key = keys.filter(hash=filters.uid).first()
        if key is not None:
            return Subject("key", key.hash, key.name, key.label), of_key(key)
    elif filters.subject == "member":
        people = Member.objects.filter(organization=organization).select_related("organization")
        member = people.filter(uid=filters.uid).first()
        if member is not None:
            return Subject("member", member.uid, str(member), member.email), of_member(member)
    elif filters.subject == "workspace":
        places = Workspace.objects.filter(organization=organization).select_related("organization")
        place = places.filter(uid=filters.uid).first()
        if place is not None:
            return Subject("workspace", place.uid, place.name, place.slug), of_workspace(place)
    return None


def known_models(organization: Organization) -> list[Known]:
    """The models of the catalog, and those that this organization used and the catalog never had."""
    found = offers(organization)
    has_catalog = bool(found)
    permaslugs = {model.permaslug for model in found}
    used = UsageRollup.objects.filter(organization_id=organization.pk, dimension=Dimension.MODEL).values_list(
        "part", flat=True
    )
    rows = UsageModel.objects.filter(pk__in=used.order_by()).values_list("slug", "permaslug")
    found += [
        Known(slug or permaslug, Offered(permaslug), permaslug, is_sold=not has_catalog)
        for slug, permaslug in rows
        if permaslug not in permaslugs
    ]
    return sorted(found, key=lambda model: model.name)


def answer(
    models: Sequence[Known], text: str, layers: Sequence[Layer], budgets: Sequence[Budget]
) -> tuple[Answer | None, list[Known]]:
    """The answer for the model that ``text`` names, or, where it names none, what comes close."""
    wanted = text.casefold()
    for name in (_name, _listed_as):
        for model in models:
            if wanted == name(model).casefold():
                said = verdict(model.offered, layers, budgets)
                return Answer(model, said, places(model.offered, layers)), []
    close = [model for model in models if all(word in model.name.casefold() for word in wanted.split())]
    return None, close[:FOUND]


def _name(model: Known) -> str:
    return model.name


def _listed_as(model: Known) -> str:
    return model.offered.permaslug


def left(models: Sequence[Known], layers: Sequence[Layer]) -> Left:
    by_offer = {model.offered: model for model in models if model.is_sold}
    found = remaining(by_offer, layers)
    shown = [(by_offer[offered], outcome) for offered, outcome in found[:LISTED]]
    return Left(shown, len(found), len(by_offer))

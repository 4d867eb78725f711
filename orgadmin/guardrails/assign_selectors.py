"""Whom a guardrail can be given to, and which guardrails there are to give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_

from django.db.models import Q
from django.http import Http404

from orgadmin.accounts.models import Organization
from orgadmin.guardrails.assigning import KEYS, Side, Subject, held_by, subjects_of_keys, subjects_of_members
from orgadmin.inventory.models import Guardrail, Key, Member, Workspace
from orgadmin.inventory.search import containing

FOUND = 20


def assignable(organization: Organization) -> list[tuple[Guardrail, str]]:
    """The guardrails that can be given to somebody, with the name of the workspace each is filed in. The
    default guardrail of a workspace is not among them: it covers everybody there already."""
    places = {row.uid: row for row in Workspace.objects.filter(organization=organization, gone_at=None)}
    defaults = [row.default_guardrail_id for row in places.values()]
    rows = Guardrail.objects.filter(organization=organization, gone_at=None).exclude(uid__in=defaults)
    named = (
        (row, places[row.workspace_uid].name if row.workspace_uid in places else "")
        for row in rows.only("uid", "name", "workspace_uid")
    )
    return sorted(named, key=lambda one: (one[1].casefold(), one[0].name.casefold(), one[0].pk))


def guardrail_of(organization: Organization, uid: str) -> Guardrail:
    """One that can be given to somebody. Http404 where there is none of that id."""
    defaults = Workspace.objects.filter(organization=organization).values("default_guardrail_id")
    rows = Guardrail.objects.filter(organization=organization, uid=uid, gone_at=None)
    found = rows.exclude(uid__in=defaults).select_related("organization").first()
    if found is None:
        raise Http404("There is no such guardrail to assign. Choose another one.")
    return found


def subjects(organization: Organization, side: Side, uids: Sequence[str]) -> list[Subject]:
    """Those of these ids that exist, by name."""
    if side is KEYS:
        keys = Key.objects.filter(organization=organization, gone_at=None, hash__in=uids)
        return subjects_of_keys(keys.only("hash", "name").order_by("sort_name", "pk"))
    return subjects_of_members(Member.objects.filter(organization=organization, gone_at=None, uid__in=uids))


def found(organization: Organization, side: Side, text: str) -> list[tuple[Subject, str, str]]:
    """Keys or members that ``text`` matches, with a word that tells two of a name apart and the name of the
    guardrail that each holds ("" is none)."""
    rows = _keys(organization, text) if side is KEYS else _members(organization, text)
    held = held_by(organization, side, [subject.uid for subject, _ in rows])
    names = dict(
        Guardrail.objects.filter(organization=organization, uid__in=set(held.values())).values_list(
            "uid", "name"
        )
    )
    return [(subject, note, names.get(held.get(subject.uid, ""), "")) for subject, note in rows]


def _keys(organization: Organization, text: str) -> list[tuple[Subject, str]]:
    keys = Key.objects.filter(reduce(and_, containing(text), Q()), organization=organization, gone_at=None)
    shown = keys.only("hash", "name", "label").order_by("sort_name", "pk")[:FOUND]
    return [(Subject(key.hash, key.name), key.label) for key in shown]


def _members(organization: Organization, text: str) -> list[tuple[Subject, str]]:
    people = Member.objects.filter(organization=organization, gone_at=None)
    for word in text.split()[:8]:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        people = people.filter(named | Q(email__icontains=word))
    return [(Subject(member.uid, str(member)), member.email) for member in people[:FOUND]]

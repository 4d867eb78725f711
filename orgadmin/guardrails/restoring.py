"""Putting back what was changed of guardrails, and who held which."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import ActorKind
from orgadmin.audit.restoring import NotRestorable, Offer, Restorer, register, verb_of
from orgadmin.audit.selectors import Act
from orgadmin.guardrails.assigning import (
    KEYS,
    MEMBERS,
    MOST_AT_ONCE,
    Outcomes,
    Side,
    Subject,
    guardrail_assign,
    guardrails_take_off,
    held_by,
)
from orgadmin.guardrails.drafts import BUDGET, GuardrailEdit, canonical, rules_as_values
from orgadmin.guardrails.services import EditConflict, guardrail_create, guardrail_update
from orgadmin.guardrails.words import counted
from orgadmin.inventory.guardrail_nouns import RULES
from orgadmin.inventory.models import Guardrail, Key, Member, Workspace
from orgadmin.openrouter.errors import OpenRouterError

HOLDERS = "holders"


def _guardrail(organization: Organization, uid: str | None) -> Guardrail | None:
    return Guardrail.objects.filter(organization=organization, uid=uid or "", gone_at=None).first()


def _typed(name: str, value: Any) -> Any:
    return Decimal(str(value)) if name == "limit_usd" and value is not None else value


# --- the guardrails ---


def _look(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    then = {name: _typed(name, value) for name, value in (act.before or {}).items() if name in RULES}
    if verb_of(act) == "delete":
        if _made_since(act):
            raise NotRestorable("It was made again already, under a new id.")
        keys, members = _freed(act, KEYS), _freed(act, MEMBERS)
        said = {name: value for name, value in then.items() if canonical(name, value) is not None}
        if keys or members:
            said[HOLDERS] = f"{_count_freed(keys, 'key')} and {_count_freed(members, 'member')}"
        return {}, said
    guardrail = _guardrail(act.entry.organization, act.target_id)
    if guardrail is None:
        raise NotRestorable("This guardrail was deleted since. Restore its deletion first.")
    now = rules_as_values(guardrail)
    return now, {name: now[name] if _are_one(name, now, then) else then[name] for name in then}


def _are_one(name: str, now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    return bool(canonical(name, now[name]) == canonical(name, then[name]))


def _freed(act: Act, side: Side) -> list[Subject]:
    """Who held the guardrail until it was deleted, has held none since and is still there. A sync that finds
    a deletion has met the end of the assignments a little before."""
    found_by_a_sync = act.entry.actor_kind == ActorKind.OUTSIDE
    since = act.entry.at - (timedelta(hours=1) if found_by_a_sync else timedelta())
    rows = side.model._default_manager.filter(
        organization=act.entry.organization, guardrail_uid=act.target_id, gone_at__gte=since
    )
    uids = list(rows.order_by("pk").values_list(side.identity, flat=True)[: MOST_AT_ONCE + 1])
    return (_names_of_keys if side is KEYS else _names_of_members)(act.entry.organization, uids)


def _count_freed(subjects: list[Subject], noun: str) -> str:
    if len(subjects) > MOST_AT_ONCE:
        return f"the first {MOST_AT_ONCE} of its {noun}s"
    return counted(len(subjects), noun)


def _made_since(act: Act) -> bool:
    """Whether a restoration of this deletion made a guardrail that is still there."""
    for again in act.entry.restorations.filter(action="guardrail.create").prefetch_related("outcomes"):
        made = [outcome.target_id for outcome in again.outcomes.all() if outcome.outcome == "ok"]
        if made and _guardrail(act.entry.organization, made[-1]) is not None:
            return True
    return False


def _apply(actor: User, act: Act, offer: Offer, form_token: UUID) -> str:
    if verb_of(act) == "delete":
        return _make_again(actor, act, offer, form_token)
    guardrail = _guardrail(act.entry.organization, act.target_id)
    if guardrail is None:
        raise NotRestorable("This guardrail was deleted meanwhile.")
    seen = rules_as_values(guardrail)
    # A limit and its interval go together.
    paired = {name: act.before[name] for name in BUDGET if act.before and name in act.before}
    both = (
        {name: _typed(name, value) for name, value in paired.items()} if set(BUDGET) & set(offer.then) else {}
    )
    try:
        guardrail_update(
            actor=actor,
            guardrail=guardrail,
            edit=GuardrailEdit(seen=seen, wanted={**seen, **both, **offer.then}),
        )
    except EditConflict as conflict:
        raise NotRestorable(f"{conflict} Nothing was restored: look at what it is now.") from None
    return f"“{guardrail.name}” is as it was."


def _make_again(actor: User, act: Act, offer: Offer, form_token: UUID) -> str:
    organization, before = act.entry.organization, act.before or {}
    workspace_uid = before.get("workspace_uid") or organization.default_workspace_uid
    if not Workspace.objects.filter(organization=organization, uid=workspace_uid, gone_at=None).exists():
        raise NotRestorable("The workspace that it was filed in is gone.")
    rules = {name: value for name, value in offer.then.items() if name != HOLDERS}
    rules.setdefault("name", act.target_name)
    if set(BUDGET) & set(rules):
        rules |= {name: _typed(name, before.get(name)) for name in BUDGET}
    uid = guardrail_create(
        actor=actor,
        organization=organization,
        draft=rules,
        workspace_uid=workspace_uid,
        form_token=form_token,
    )
    made = _guardrail(organization, uid)
    said = [f"“{act.target_name}” was made again, under a new id."]
    if HOLDERS in offer.then and made is not None:
        for side, noun in ((KEYS, "key"), (MEMBERS, "member")):
            said += _given_again(actor, made, side, _freed(act, side)[:MOST_AT_ONCE], noun)
    return " ".join(said)


def _given_again(
    actor: User, guardrail: Guardrail, side: Side, subjects: list[Subject], noun: str
) -> list[str]:
    """The guardrail is there already: whatever happens now is said, and not taken for its failure."""
    if not subjects:
        return []
    try:
        outcomes = guardrail_assign(actor=actor, guardrail=guardrail, side=side, subjects=subjects)
    except OpenRouterError as error:
        return [f"It could not be given back to its {noun}s: {error.message}"]
    return [_count(outcomes, noun)]


def _names_of_keys(organization: Organization, hashes: list[str]) -> list[Subject]:
    rows = Key.objects.filter(organization=organization, hash__in=hashes, gone_at=None)
    return [Subject(row.hash, row.name) for row in rows]


def _names_of_members(organization: Organization, uids: list[str]) -> list[Subject]:
    rows = Member.objects.filter(organization=organization, uid__in=uids, gone_at=None)
    return [Subject(row.uid, str(row)) for row in rows]


def _count(outcomes: Outcomes, noun: str) -> str:
    missed = len(outcomes.failed) + len(outcomes.unknown)
    verb = "holds" if len(outcomes.done) == 1 else "hold"
    said = f"{counted(len(outcomes.done), noun)} {verb} it again"
    return f"{said}, {missed} could not be assigned." if missed else f"{said}."


# --- who holds which ---


def _subject(act: Act, side: Side) -> Subject:
    names = _names_of_keys if side is KEYS else _names_of_members
    found = names(act.entry.organization, [act.target_id])
    if not found:
        raise NotRestorable(f"The {'key' if side is KEYS else 'member'} is gone.")
    return found[0]


def _look_at_holder(side: Side, act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    _subject(act, side)
    organization = act.entry.organization
    then = (act.before or {}).get("guardrail_uid")
    if then and _guardrail(organization, then) is None:
        raise NotRestorable("The guardrail that was held before does not exist any more.")
    now = held_by(organization, side, [act.target_id]).get(act.target_id)
    return {"guardrail_uid": now}, {"guardrail_uid": then}


def _hold_again(side: Side, actor: User, act: Act, offer: Offer, _: UUID) -> str:
    organization, subject = act.entry.organization, _subject(act, side)
    guardrail = _guardrail(organization, offer.then["guardrail_uid"])
    if guardrail is not None:
        outcomes = guardrail_assign(actor=actor, guardrail=guardrail, side=side, subjects=[subject])
    else:
        outcomes = guardrails_take_off(actor=actor, organization=organization, side=side, subjects=[subject])
    for _one, why in outcomes.failed:
        raise NotRestorable(why)
    if outcomes.unknown:
        raise NotRestorable("Nobody knows yet whether it took effect: the next sync will tell.")
    return f"{subject.name} holds {guardrail.name if guardrail else 'no guardrail of its own'} again."


register(
    "guardrail",
    Restorer(
        look=_look,
        apply=_apply,
        verbs=frozenset({"update", "delete"}),
        why_not={
            "create": "A new guardrail is taken back by deleting it on its own page, the default one of a "
            "workspace by emptying its rules."
        },
    ),
)
for _noun, _side in (("key_assignment", KEYS), ("member_assignment", MEMBERS)):
    register(
        _noun,
        Restorer(
            look=partial(_look_at_holder, _side),
            apply=partial(_hold_again, _side),
            verbs=frozenset({"create", "update", "delete"}),
            why_not={},
        ),
    )

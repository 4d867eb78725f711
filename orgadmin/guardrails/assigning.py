"""Assigning a guardrail to keys and members, and taking it off again.

Bulk calls answer a number and no names, and pass over whom they do not know (FACTS traps 18, 19). So what
came of it is read from the list afterwards, subject by subject, and that is what the audit log and the person
are told. Each subject has an entry of its own: it is the history of that key or member.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Member, MemberAssignment
from orgadmin.inventory.nouns import KEY_ASSIGNMENTS, MEMBER_ASSIGNMENTS, Noun
from orgadmin.inventory.services import note_refusal
from orgadmin.openrouter import guardrail_assignments as upstream
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience
from orgadmin.pages import sentence

log = structlog.get_logger(__name__)

# So many subjects fit into one request of a browser: two calls of a hundred, and the lists after them.
MOST_AT_ONCE = 200
NOT_ASSIGNED = "OpenRouter took the request and did not assign it: the list it gives has it not."
NOT_FREED = "OpenRouter took the request and did not take it off: the list it gives still has it."
NOT_KNOWN = "Whether it took effect is not known: OpenRouter could not be asked afterwards."


@dataclass(frozen=True)
class Subject:
    """A key (by hash) or a member (by id) and what people call it."""

    uid: str
    name: str


@dataclass(frozen=True)
class Outcomes:
    """What came of it by subject: done, not done and why, and not known."""

    done: list[Subject] = field(default_factory=list)
    failed: list[tuple[Subject, str]] = field(default_factory=list)
    unknown: list[Subject] = field(default_factory=list)


@dataclass(frozen=True)
class Side:
    """What differs between keys and members."""

    noun: Noun
    model: type[Any]
    assign: Callable[..., int]
    unassign: Callable[..., int]
    ids: str
    walk: Callable[..., Iterable[Sequence[Any]]]

    @property
    def identity(self) -> str:
        return self.noun.identity


KEYS = Side(
    KEY_ASSIGNMENTS,
    KeyAssignment,
    upstream.assign_keys,
    upstream.unassign_keys,
    "key_hashes",
    upstream.key_walk,
)
MEMBERS = Side(
    MEMBER_ASSIGNMENTS,
    MemberAssignment,
    upstream.assign_members,
    upstream.unassign_members,
    "user_ids",
    upstream.member_walk,
)


def subjects_of_keys(keys: Iterable[Key]) -> list[Subject]:
    return [Subject(key.hash, key.name) for key in keys]


def subjects_of_members(members: Iterable[Member]) -> list[Subject]:
    return [Subject(member.uid, str(member)) for member in members]


def guardrail_assign(
    *,
    actor: User,
    guardrail: Guardrail,
    side: Side,
    subjects: Sequence[Subject],
    form_token: uuid.UUID | None = None,
    patience: Patience = WEB,
) -> Outcomes:
    """Give the guardrail to keys or members; who holds another one is moved. Whoever holds it already is left
    out, and counts as done.

    One upstream call for each hundred, then the list of who holds it. Raises AlreadySubmitted, and
    OpenRouterError where nothing at all was changed.
    """
    held = held_by(guardrail.organization, side, [subject.uid for subject in subjects])
    wanted = [subject for subject in subjects if held.get(subject.uid) != guardrail.uid]
    entries = _started(actor, guardrail, side, wanted, held, {"guardrail_uid": guardrail.uid}, form_token)
    done = [subject for subject in subjects if held.get(subject.uid) == guardrail.uid]
    return _act(_Act(guardrail, side, side.assign, NOT_ASSIGNED, True, patience), wanted, entries, done)


def guardrail_unassign(
    *,
    actor: User,
    guardrail: Guardrail,
    side: Side,
    subjects: Sequence[Subject],
    form_token: uuid.UUID | None = None,
    patience: Patience = WEB,
) -> Outcomes:
    """Take the guardrail off keys or members. Whoever does not hold it counts as done. Raises as
    ``guardrail_assign``."""
    held = held_by(guardrail.organization, side, [subject.uid for subject in subjects])
    wanted = [subject for subject in subjects if held.get(subject.uid) == guardrail.uid]
    entries = _started(actor, guardrail, side, wanted, held, None, form_token)
    done = [subject for subject in subjects if held.get(subject.uid) != guardrail.uid]
    return _act(_Act(guardrail, side, side.unassign, NOT_FREED, False, patience), wanted, entries, done)


def guardrails_take_off(
    *,
    actor: User,
    organization: Organization,
    side: Side,
    subjects: Sequence[Subject],
    form_token: uuid.UUID | None = None,
    patience: Patience = WEB,
) -> Outcomes:
    """Take off whatever guardrail each of these holds: one act for each guardrail. Raises as
    ``guardrail_assign`` where the first of them changed nothing; what a later one met is in the outcomes."""
    held = held_by(organization, side, [subject.uid for subject in subjects])
    rows = Guardrail.objects.filter(organization=organization, uid__in=set(held.values()))
    together = Outcomes([subject for subject in subjects if subject.uid not in held])
    known = {row.uid for row in rows}
    together.failed.extend(
        (subject, "The guardrail that it holds is not known here yet: wait for the next sync.")
        for subject in subjects
        if subject.uid in held and held[subject.uid] not in known
    )
    for at, guardrail in enumerate(rows.select_related("organization").order_by("pk")):
        its = [subject for subject in subjects if held.get(subject.uid) == guardrail.uid]
        try:
            said = guardrail_unassign(
                actor=actor,
                guardrail=guardrail,
                side=side,
                subjects=its,
                form_token=None if at else form_token,
                patience=patience,
            )
        except OpenRouterError as error:
            if at == 0:
                raise
            said = Outcomes([], [(subject, error.message) for subject in its])
        together = Outcomes(
            [*together.done, *said.done],
            [*together.failed, *said.failed],
            [*together.unknown, *said.unknown],
        )
    return together


def held_by(organization: Organization, side: Side, uids: Iterable[str]) -> dict[str, str]:
    """Which guardrail each of these subjects holds, of those that hold any."""
    rows = side.model._default_manager.filter(
        organization=organization, gone_at=None, **{f"{side.identity}__in": list(uids)}
    )
    return dict(rows.values_list(side.identity, "guardrail_uid"))


def _started(
    actor: User,
    guardrail: Guardrail,
    side: Side,
    wanted: Sequence[Subject],
    held: Mapping[str, str],
    after: Mapping[str, Any] | None,
    form_token: uuid.UUID | None,
) -> dict[str, Entry]:
    """An entry for each subject; the first one carries the form's token."""
    entries: dict[str, Entry] = {}
    with transaction.atomic():
        for subject in wanted:
            before = held.get(subject.uid)
            verb = "delete" if after is None else "update" if before else "create"
            entries[subject.uid] = audit.start(
                actor=actor,
                organization=guardrail.organization,
                action=f"{side.noun.singular}.{verb}",
                target=Target(side.noun.singular, subject.uid, subject.name),
                before={"guardrail_uid": before} if before else None,
                after=after,
                form_token=None if entries else form_token,
            )
    return entries


@dataclass(frozen=True)
class _Act:
    guardrail: Guardrail
    side: Side
    call: Callable[..., int]
    # What is said of a subject that the list contradicts, and whether the list should have it.
    refusal: str
    holds: bool
    patience: Patience


def _act(act: _Act, wanted: Sequence[Subject], entries: Mapping[str, Entry], done: list[Subject]) -> Outcomes:
    if not wanted:
        return Outcomes(done)
    client = client_for(act.guardrail.organization, patience=act.patience)
    message, request_id = "", ""
    try:
        act.call(
            client,
            guardrail_id=act.guardrail.uid,
            **{act.side.ids: [subject.uid for subject in wanted]},
        )
    except OpenRouterError as error:
        note_refusal(act.guardrail.organization, error)
        if not error.outcome_unknown:
            _finish(entries.values(), Outcome.FAILED, error.message, error.request_id)
            raise
        message, request_id = error.message, error.request_id or ""
    return _settle(act, client, wanted, entries, done, message, request_id)


def _settle(
    act: _Act,
    client: OpenRouter,
    wanted: Sequence[Subject],
    entries: Mapping[str, Entry],
    done: list[Subject],
    message: str,
    request_id: str,
) -> Outcomes:
    """Read who holds the guardrail now, and say what that means for each."""
    asked_at = timezone.now()
    try:
        walk = act.side.walk(client, guardrail_id=act.guardrail.uid)
        there = {getattr(row, act.side.identity): row for page in walk for row in page}
    except OpenRouterError as error:
        _finish(entries.values(), Outcome.UNKNOWN, f"{message} {NOT_KNOWN}".strip(), error.request_id)
        return Outcomes(done, [], list(wanted))
    came = [subject for subject in wanted if (subject.uid in there) is act.holds]
    missed = [subject for subject in wanted if (subject.uid in there) is not act.holds]
    _finish([entries[one.uid] for one in came], Outcome.OK, "", request_id)
    why = f"{sentence(message)} The list was read again: nothing changed for it." if message else act.refusal
    _finish([entries[one.uid] for one in missed], Outcome.FAILED, why, request_id)
    try:
        _mirror(act, [one.uid for one in came], there, asked_at)
    except Exception:
        # OpenRouter has acted and the log says so: the next pull brings our rows into step.
        log.exception("assignments not mirrored", guardrail=act.guardrail.uid)
    return Outcomes([*done, *came], [(one, why) for one in missed])


def _finish(entries: Iterable[Entry], outcome: Outcome, message: str, request_id: str | None) -> None:
    Entry.objects.bulk_create(
        audit.outcome_entry(entry, outcome=outcome, message=message, request_id=request_id)
        for entry in entries
    )


def _mirror(act: _Act, uids: Sequence[str], there: Mapping[str, Any], now: Any) -> None:
    """Our rows as OpenRouter has them now, marked as written by us."""
    side, organization = act.side, act.guardrail.organization
    rows = side.model._default_manager.filter(organization=organization)
    if not act.holds:
        rows.filter(guardrail_uid=act.guardrail.uid, **{f"{side.identity}__in": uids}).update(
            gone_at=now, written_at=now
        )
        return
    columns = [*side.noun.columns, "extra", "gone_at", "written_at"]
    side.model._default_manager.bulk_create(
        [
            side.model(
                organization=organization,
                **{side.identity: uid},
                **side.noun.values(there[uid], None, None, now),
                written_at=now,
            )
            for uid in uids
        ],
        update_conflicts=True,
        unique_fields=["organization", side.identity],
        update_fields=columns,
    )

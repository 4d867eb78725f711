"""Adding people to a workspace and removing them.

The calls answer numbers and pass over whom they do not know, so what came of it is read from the list
afterwards, person by person (FACTS 2.3). Each person has an audit entry of their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.acts import CarryOn, note_refused
from orgadmin.inventory.models import Member, Workspace, WorkspaceMember
from orgadmin.inventory.nouns import WORKSPACE_MEMBERS
from orgadmin.inventory.pending import repeated_acts
from orgadmin.inventory.workspace_models import place_of
from orgadmin.inventory.workspace_nouns import called_place, plain_member
from orgadmin.openrouter import workspace_members as upstream
from orgadmin.openrouter.errors import Forbidden, InvalidRequest, OpenRouterError
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience
from orgadmin.pages import sentence

# So many fit into one request of a browser: two calls of a hundred, and the lists after them.
MOST_AT_ONCE = 200
NOT_ADDED = "OpenRouter took the request and did not add them: the list it gives has them not."
NOT_REMOVED = "OpenRouter took the request and did not remove them: the list it gives still has them."
NOT_KNOWN = "Whether it took effect is not known: OpenRouter could not be asked afterwards."


@dataclass(frozen=True)
class Outcomes:
    """What came of it by person: done, not done and why, and not known."""

    done: list[Member] = field(default_factory=list)
    failed: list[tuple[Member, str]] = field(default_factory=list)
    unknown: list[Member] = field(default_factory=list)


@dataclass(frozen=True)
class _Act:
    workspace: Workspace
    verb: str
    refusal: str
    call: Callable[[OpenRouter, Sequence[str]], Iterable[Any]]

    @property
    def adds(self) -> bool:
        return self.verb == "create"

    def missed(self, error: OpenRouterError | None) -> str:
        """What is said of a person whom the list contradicts."""
        if error is None:
            return self.refusal
        still = "not in the workspace" if self.adds else "still in the workspace"
        return f"{sentence(error.message)} The list was read again: they are {still}."


def members_add(
    *,
    actor: User,
    workspace: Workspace,
    members: Sequence[Member],
    form_token: uuid.UUID | None = None,
    patience: Patience = WEB,
) -> Outcomes:
    """POST /workspaces/{id}/members/add, a call for each hundred. Who is in it already counts as done. Raises
    AlreadySubmitted, and OpenRouterError where nothing at all was changed."""

    def call(client: OpenRouter, uids: Sequence[str]) -> Iterable[Any]:
        return upstream.add(client, workspace_id=workspace.uid, user_ids=uids).members

    act = _Act(workspace, "create", NOT_ADDED, call)
    return _do(act, actor, members, form_token, patience)


def members_remove(
    *,
    actor: User,
    workspace: Workspace,
    members: Sequence[Member],
    form_token: uuid.UUID | None = None,
    patience: Patience = WEB,
) -> Outcomes:
    """POST /workspaces/{id}/members/remove. OpenRouter refuses a list whole when one of it has active keys in
    the workspace or was put there by the identity provider (FACTS 3.9). Raises as ``members_add``."""

    def call(client: OpenRouter, uids: Sequence[str]) -> Iterable[Any]:
        upstream.remove(client, workspace_id=workspace.uid, user_ids=uids)
        return ()

    act = _Act(workspace, "delete", NOT_REMOVED, call)
    return _do(act, actor, members, form_token, patience)


def _do(
    act: _Act,
    actor: User,
    members: Sequence[Member],
    form_token: uuid.UUID | None,
    patience: Patience,
) -> Outcomes:
    held = set(_rows(act.workspace).filter(gone_at=None).values_list("user_id", flat=True))
    wanted = [one for one in members if (one.uid in held) is not act.adds]
    outcomes = Outcomes([one for one in members if one not in wanted])
    if not wanted:
        return outcomes
    entries = _started(act, actor, wanted, form_token)
    client = client_for(act.workspace.organization, patience=patience)
    sent = _Sent()
    uids = [one.uid for one in wanted]
    for at in range(0, len(uids), upstream.MOST_AT_ONCE):
        _send(act, client, uids[at : at + upstream.MOST_AT_ONCE], sent)
        if sent.error is not None:
            break
    if sent.error is not None:
        note_refused(act.workspace.organization, sent.error)
    first = sent.first_refusal
    if first is not None and not sent.is_any_done:
        _finish(entries.values(), Outcome.FAILED, first.message, first.request_id)
        raise first
    return _settle(act, client, wanted, entries, outcomes, sent)


@dataclass
class _Sent:
    """What the calls answered: whom they told of, who was refused and why, and what ended it all."""

    told: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, OpenRouterError] = field(default_factory=dict)
    error: OpenRouterError | None = None
    is_any_done: bool = False

    @property
    def first_refusal(self) -> OpenRouterError | None:
        """Unless it may have taken effect."""
        if self.error is not None:
            return None if self.error.outcome_unknown else self.error
        return next(iter(self.refused.values()), None)


def _send(act: _Act, client: OpenRouter, uids: Sequence[str], sent: _Sent) -> None:
    """One call; where a list is refused because of some of them, halves of it until it is known of whom."""
    if sent.error is not None:
        return
    try:
        sent.told |= {row.user_id: row for row in act.call(client, uids)}
        sent.is_any_done = True
    except (InvalidRequest, Forbidden) as refusal:
        if refusal.outcome_unknown:
            sent.error = refusal
        elif len(uids) == 1:
            sent.refused[uids[0]] = refusal
        else:
            middle = len(uids) // 2
            _send(act, client, uids[:middle], sent)
            _send(act, client, uids[middle:], sent)
    except OpenRouterError as failure:
        sent.error = failure


def _settle(
    act: _Act,
    client: OpenRouter,
    wanted: Sequence[Member],
    entries: Mapping[str, Entry],
    outcomes: Outcomes,
    sent: _Sent,
) -> Outcomes:
    """Read who is in it now, and say what that means for each."""
    request_id = sent.error.request_id if sent.error else None
    found = _there(client, act.workspace)
    # An older server tells of nobody: what an addition answered is all there is (FACTS trap 31).
    there, is_known = (sent.told, False) if found is None else (found, True)
    done = [one for one in wanted if (one.uid in there) is act.adds and (is_known or act.adds)]
    missed = [one for one in wanted if one not in done]
    with CarryOn("earlier acts not settled", workspace=act.workspace.uid):
        Entry.objects.bulk_create(old for one in done for old in repeated_acts(entries[one.uid]))
    _finish([entries[one.uid] for one in done], Outcome.OK, "", request_id)
    _mirror(act, done, there)
    failed: list[tuple[Member, str]] = []
    unknown: list[Member] = []
    for one in missed:
        if is_known or one.uid in sent.refused:
            why = sent.refused[one.uid].message if one.uid in sent.refused else act.missed(sent.error)
            failed.append((one, why))
            _finish([entries[one.uid]], Outcome.FAILED, why, request_id)
        else:
            unknown.append(one)
            why = f"{sent.error.message if sent.error else ''} {NOT_KNOWN}".strip()
            _finish([entries[one.uid]], Outcome.UNKNOWN, why, request_id)
    return Outcomes([*outcomes.done, *done], failed, unknown)


def _there(client: OpenRouter, workspace: Workspace) -> Mapping[str, Any] | None:
    """Who is in the workspace by id; None where nobody can tell."""
    try:
        found = upstream.everyone(client, workspace_id=workspace.uid)
    except OpenRouterError:
        return None
    return None if found is None else {row.user_id: row for row in found}


def _started(
    act: _Act, actor: User, wanted: Sequence[Member], form_token: uuid.UUID | None
) -> dict[str, Entry]:
    """An entry for each person; the first one carries the form's token."""
    workspace, entries = act.workspace, dict[str, Entry]()
    token = None
    if form_token is not None:
        token = token_of(form_token, actor=actor, organization=workspace.organization)
    names = {workspace.uid: workspace.name, **{one.uid: str(one) for one in wanted}}
    rows = _rows(workspace).filter(gone_at=None, user_id__in=[one.uid for one in wanted])
    roles = dict(rows.values_list("user_id", "role"))
    with transaction.atomic():
        for one in wanted:
            place = {"workspace_uid": workspace.uid, "user_id": one.uid}
            if one.uid in roles:
                place["role"] = roles[one.uid]
            entries[one.uid] = audit.start(
                actor=actor,
                organization=workspace.organization,
                action=f"workspace_member.{act.verb}",
                target=Target(
                    "workspace_member",
                    place_of(workspace.uid, one.uid),
                    called_place(names, workspace.uid, one.uid),
                ),
                before=None if act.adds else place,
                after=place if act.adds else None,
                form_token=None if entries else token,
            )
    return entries


def _finish(entries: Iterable[Entry], outcome: Outcome, message: str, request_id: str | None) -> None:
    with CarryOn("audit outcomes not saved"):
        Entry.objects.bulk_create(
            audit.outcome_entry(entry, outcome=outcome, message=message, request_id=request_id)
            for entry in entries
        )


def _rows(workspace: Workspace) -> QuerySet[WorkspaceMember]:
    return WorkspaceMember.objects.filter(organization=workspace.organization, workspace_uid=workspace.uid)


def _mirror(act: _Act, done: Sequence[Member], there: Mapping[str, Any]) -> None:
    """Our rows as OpenRouter has them now, marked as written by us."""
    workspace, now = act.workspace, timezone.now()
    with CarryOn("memberships not mirrored", workspace=workspace.uid):
        if not act.adds:
            _rows(workspace).filter(user_id__in=[one.uid for one in done]).update(gone_at=now, written_at=now)
            return
        found = [plain_member(there[one.uid], workspace.uid) for one in done]
        WorkspaceMember.objects.bulk_create(
            [
                WorkspaceMember(
                    organization=workspace.organization,
                    place=one.place,
                    **WORKSPACE_MEMBERS.values(one, None, None, now),
                    written_at=now,
                )
                for one in found
            ],
            update_conflicts=True,
            unique_fields=["organization", "place"],
            update_fields=[*WORKSPACE_MEMBERS.columns, "extra", "gone_at", "written_at"],
        )

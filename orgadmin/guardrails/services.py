"""What can be done to guardrails: an audit entry, one change at OpenRouter, its outcome, our row."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.guardrails.drafts import GuardrailEdit, canonical, differing, rules_as_values
from orgadmin.guardrails.recording import mark_gone, mirror, note_found_gone, succeeded, target_of
from orgadmin.inventory.acts import Refused, failed, note_refused
from orgadmin.inventory.guardrail_nouns import plain
from orgadmin.inventory.models import Guardrail
from orgadmin.openrouter import guardrails as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.transport import OpenRouter

# How far OpenRouter's clock may be behind ours when we look for a guardrail it just made.
CLOCK_SKEW = timedelta(minutes=2)


class EditConflict(Exception):
    """Somebody changed the guardrail meanwhile. ``theirs`` is what OpenRouter has now, all rules."""

    def __init__(self, theirs: Mapping[str, Any]) -> None:
        super().__init__("Somebody else changed this guardrail in the meantime.")
        self.theirs = theirs


def guardrail_create(
    *,
    actor: User,
    organization: Organization,
    draft: Mapping[str, Any],
    workspace_uid: str,
    form_token: uuid.UUID,
) -> str:
    """POST /guardrails once; the id of the new guardrail. ``draft`` holds the rules that are set.

    Raises AlreadySubmitted for a form sent twice (nothing is sent), and OpenRouterError; with
    ``outcome_unknown`` it may exist: it was looked for, and the next pull looks again.
    """
    client = client_for(organization)
    started = audit.start(
        actor=actor,
        organization=organization,
        action="guardrail.create",
        target=Target(type="guardrail", id="", name=draft["name"]),
        after={**draft, "workspace_uid": workspace_uid},
        form_token=token_of(form_token, actor=actor, organization=organization),
    )
    try:
        found = plain(upstream.create(client, draft=changes_of(draft), workspace_id=workspace_uid))
        message = ""
    except OpenRouterError as error:
        made = (
            _look_for(client, organization, started, draft, workspace_uid) if error.outcome_unknown else None
        )
        if made is None:
            failed(started, error)
            raise
        found, message = made, f"{error.message} It was found: it was created."
    succeeded(started, organization=organization, found=found, message=message)
    return str(found.id)


def _look_for(
    client: OpenRouter,
    organization: Organization,
    started: Entry,
    draft: Mapping[str, Any],
    workspace_uid: str,
) -> SimpleNamespace | None:
    """The guardrail we do not know yet that says all that the draft says. A create is never repeated
    blindly."""
    try:
        listed = [plain(one) for page in upstream.walk(client, workspace_id=workspace_uid) for one in page]
    except OpenRouterError:
        return None
    known = set(Guardrail.objects.filter(organization=organization).values_list("uid", flat=True))
    for one in listed:
        is_recent = one.created_at is None or one.created_at >= started.at - CLOCK_SKEW
        if is_recent and one.id not in known and not differing(draft, rules_as_values(one)):
            return one
    return None


def guardrail_update(*, actor: User, guardrail: Guardrail, edit: GuardrailEdit) -> bool:
    """PATCH /guardrails/{id} with the rules that the editor changed; False when there was nothing to send.

    OpenRouter has no versions, so it is read right before it is written: raises EditConflict when it is no
    longer what the editor saw. The first change of a workspace's default guardrail makes it. Raises
    OpenRouterError; NotFound also marks our row gone.
    """
    if not edit.changed:
        return False
    client = client_for(guardrail.organization)
    found = _read(client, guardrail)
    if found is not None:
        theirs = rules_as_values(found)
        if differing(edit.seen, theirs):
            mirror(organization=guardrail.organization, found=found)
            raise EditConflict(theirs)
    started = audit.start(
        actor=actor,
        organization=guardrail.organization,
        action="guardrail.create" if found is None else "guardrail.update",
        target=target_of(guardrail),
        before=None if found is None else {name: edit.seen[name] for name in edit.changed},
        after=edit.changed,
    )
    message = ""
    try:
        made = plain(upstream.update(client, guardrail_id=guardrail.uid, changes=changes_of(edit.changed)))
    except OpenRouterError as error:
        if not error.outcome_unknown:
            failed(started, error)
            raise
        made = _settle_lost(client, guardrail, started, edit.changed, error)
        message = f"{error.message} It was read again: the change took effect."
    succeeded(started, organization=guardrail.organization, found=made, message=message)
    return True


def _read(client: OpenRouter, guardrail: Guardrail) -> SimpleNamespace | None:
    """As it is upstream this moment; None for a default guardrail that nobody configured yet."""
    try:
        return plain(upstream.get(client, guardrail_id=guardrail.uid))
    except OpenRouterError as error:
        if isinstance(error, NotFound):
            if guardrail._state.adding:
                return None
            note_found_gone(guardrail)
        note_refused(guardrail.organization, error)
        raise


def _settle_lost(
    client: OpenRouter,
    guardrail: Guardrail,
    started: Entry,
    changes: Mapping[str, Any],
    error: OpenRouterError,
) -> SimpleNamespace:
    """The answer never came: read it and record what is true. Raises the error unless it took effect."""
    try:
        found = plain(upstream.get(client, guardrail_id=guardrail.uid))
    except OpenRouterError:
        failed(started, error)
        raise error from None
    values = rules_as_values(found)
    if all(canonical(name, values[name]) == canonical(name, value) for name, value in changes.items()):
        return found
    error.outcome_unknown = False
    failed(started, error, seen="It was read again: nothing changed.")
    raise error


def guardrail_raise_limit(
    *, actor: User, guardrail: Guardrail, amount: Decimal, form_token: uuid.UUID
) -> Decimal:
    """Add an amount to what the budget is at OpenRouter now, for everybody who holds the guardrail; the new
    budget. Raises Refused, with words for the person, where it has none any more; AlreadySubmitted;
    EditConflict; OpenRouterError."""
    found = _read(client_for(guardrail.organization), guardrail)
    if found is None or found.limit_usd is None:
        raise Refused("This guardrail has no budget any more.")
    mirror(organization=guardrail.organization, found=found)
    seen, limit = rules_as_values(found), found.limit_usd + amount
    with audit.once(form_token):
        guardrail_update(
            actor=actor, guardrail=guardrail, edit=GuardrailEdit(seen, {**seen, "limit_usd": limit})
        )
    return Decimal(limit)


def guardrail_delete(*, actor: User, guardrail: Guardrail) -> None:
    """DELETE /guardrails/{id}; who held it holds none. One that is already gone counts as deleted. The audit
    entry keeps all that it said. Raises OpenRouterError."""
    client = client_for(guardrail.organization)
    started = audit.start(
        actor=actor,
        organization=guardrail.organization,
        action="guardrail.delete",
        target=target_of(guardrail),
        before={**rules_as_values(guardrail), "workspace_uid": guardrail.workspace_uid},
    )
    try:
        upstream.delete(client, guardrail_id=guardrail.uid)
    except OpenRouterError as error:
        if not (error.outcome_unknown and _is_gone(client, guardrail, error)):
            failed(started, error)
            raise
    succeeded(started, organization=guardrail.organization, found=None)
    mark_gone(guardrail)


def _is_gone(client: OpenRouter, guardrail: Guardrail, error: OpenRouterError) -> bool:
    """Whether a deletion whose answer never came took effect; the error then knows."""
    try:
        upstream.get(client, guardrail_id=guardrail.uid)
    except NotFound:
        return True
    except OpenRouterError:
        return False
    error.outcome_unknown = False
    return False


def changes_of(rules: Mapping[str, Any]) -> upstream.GuardrailChanges:
    """Rules as the client takes them. The label of a builtin filter is OpenRouter's and never sent."""
    values: dict[str, Any] = {
        name: tuple(value) or None if isinstance(value, list) else value for name, value in rules.items()
    }
    for name, one in (("content_filter_builtins", _builtin), ("content_filters", _custom)):
        if values.get(name):
            values[name] = tuple(one(item) for item in values[name])
    return upstream.GuardrailChanges(**values)


def _builtin(item: Mapping[str, Any]) -> upstream.BuiltinFilter:
    named = {"slug", "action", "scan_scope", "label"}
    return upstream.BuiltinFilter(
        slug=item["slug"],
        action=item["action"],
        scan_scope=item.get("scan_scope"),
        extra={name: value for name, value in item.items() if name not in named},
    )


def _custom(item: Mapping[str, Any]) -> upstream.CustomFilter:
    named = {"pattern", "action", "label"}
    return upstream.CustomFilter(
        pattern=item["pattern"],
        action=item["action"],
        label=item.get("label"),
        extra={name: value for name, value in item.items() if name not in named},
    )

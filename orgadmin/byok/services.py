"""What can be done to BYOK credentials: an audit entry, one change at OpenRouter, its outcome, our row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.byok.drafts import CredentialDraft, CredentialEdit, canonical, differing, settings_of
from orgadmin.inventory.acts import failed, hush, note_refused
from orgadmin.inventory.byok_nouns import LISTS, SETTINGS, called, plain
from orgadmin.inventory.models import Credential, Key
from orgadmin.inventory.nouns import CREDENTIALS
from orgadmin.inventory.recording import mark_gone, mirror, note_found_gone, succeeded, target_of
from orgadmin.openrouter import byok as upstream
from orgadmin.openrouter.byok import CredentialChanges
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter

# How far OpenRouter's clock may be behind ours when we look for a credential it just made.
CLOCK_SKEW = timedelta(minutes=2)
# What a mask shows of the end of a key, and how long a key is at least for that to be no real part of it.
SHOWN, SHORTEST = 4, 12


class EditConflict(Exception):
    """Somebody changed the same settings meanwhile. ``theirs`` is what OpenRouter has now, all settings."""

    def __init__(self, theirs: Mapping[str, Any], names: Sequence[str]) -> None:
        super().__init__("Somebody else changed this credential in the meantime.")
        self.theirs = theirs
        self.names = names


def credential_create(
    *, actor: User, organization: Organization, draft: CredentialDraft, form_token: uuid.UUID
) -> str:
    """POST /byok once; the id of the new credential. The log keeps the end of the provider's key at most.

    Raises AlreadySubmitted for a form sent twice (nothing is sent), and OpenRouterError; with
    ``outcome_unknown`` it may exist: it was looked for, and the next pull looks again.
    """
    client = client_for(organization)
    said = {"name": None, **draft.settings, "provider": draft.provider}
    started = audit.start(
        actor=actor,
        organization=organization,
        action="credential.create",
        target=Target(type="credential", id="", name=called("", {"label": "new", **said}, None)),
        after={**said, "workspace_uid": draft.workspace_uid},
        form_token=token_of(form_token, actor=actor, organization=organization),
    )
    message = ""
    try:
        found = plain(
            upstream.create(
                client,
                provider=draft.provider,
                draft=changes_of({**draft.settings, "key": draft.secret}),
                workspace_id=draft.workspace_uid,
            )
        )
    except OpenRouterError as error:
        hush(error, _parts(draft.secret))
        made = _look_for(client, organization, started, draft) if error.outcome_unknown else None
        if made is None:
            failed(started, error)
            raise
        found, message = made, f"{error.message} It was found: it was created."
    succeeded(started, noun=CREDENTIALS, organization=organization, found=found, message=message)
    return str(found.id)


def _look_for(
    client: OpenRouter, organization: Organization, started: Entry, draft: CredentialDraft
) -> SimpleNamespace | None:
    """The credential we do not know yet that says all that the draft says. A create is never repeated
    blindly."""
    try:
        pages = list(upstream.walk(client, workspace_id=draft.workspace_uid))
    except OpenRouterError:
        return None
    known = set(Credential.objects.filter(organization=organization).values_list("uid", flat=True))
    for one in (plain(one) for page in pages for one in page):
        is_recent = one.created_at is None or one.created_at >= started.at - CLOCK_SKEW
        is_like_it = one.provider == draft.provider and not differing(draft.settings, settings_of(one))
        if is_recent and is_like_it and one.id not in known and _may_be_masked_as(draft.secret, one.label):
            return one
    return None


def _ending(secret: Secret) -> str:
    """What a mask may show of a key's end; "" where it shows nothing."""
    raw = secret.reveal()
    return raw[-SHOWN:] if len(raw) >= SHORTEST and not raw.lstrip().startswith(("{", "[")) else ""


def _parts(secret: Secret) -> list[str]:
    """All of a provider's key that could be quoted: the whole, and the longer texts of one that is JSON."""
    raw = secret.reveal()
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return [raw]
    waiting, found = [value], [raw]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, str) and len(one) >= SHORTEST:
            found.append(one)
    return found


def _may_be_masked_as(secret: Secret, label: str) -> bool:
    ending = _ending(secret)
    return not ending or label.endswith((ending, ".", "•", "*"))


def credential_update(*, actor: User, credential: Credential, edit: CredentialEdit) -> bool:
    """PATCH /byok/{id} with the settings that the editor changed; False when there was nothing to send.

    OpenRouter has no versions, so it is read right before it is written: raises EditConflict when a setting
    the editor changed is no longer what they saw. Raises OpenRouterError; NotFound also marks our row gone.
    """
    if not edit.changed:
        return False
    theirs = settings_of(credential_as_it_is(credential=credential))
    clash = [
        name
        for name, value in edit.changed.items()
        if canonical(name, theirs[name]) not in (canonical(name, edit.seen.get(name)), canonical(name, value))
    ]
    if clash:
        raise EditConflict(theirs, clash)
    changes = {
        name: value
        for name, value in edit.changed.items()
        if canonical(name, theirs[name]) != canonical(name, value)
    }
    if listed := changes.get("allowed_api_key_hashes"):
        # Where nothing would be left it is sent as it is and refused: no list would let everybody in.
        changes["allowed_api_key_hashes"] = _that_exist(credential.organization, listed) or listed
    if changes:
        _send(actor, credential, "credential.update", theirs, changes)
    return bool(changes)


def credential_as_it_is(*, credential: Credential) -> SimpleNamespace:
    """What OpenRouter has this moment, mirrored. Raises OpenRouterError; NotFound also marks our row gone."""
    try:
        found = plain(upstream.get(client_for(credential.organization), credential_id=credential.uid))
    except OpenRouterError as error:
        _note_trouble(credential, error)
        raise
    mirror(noun=CREDENTIALS, organization=credential.organization, found=found)
    return found


def credential_set_disabled(*, actor: User, credential: Credential, disabled: bool) -> None:
    """The switch: while it is off, the provider's key is not used. Raises OpenRouterError."""
    action = "credential.disable" if disabled else "credential.enable"
    _send(actor, credential, action, {"disabled": credential.disabled}, {"disabled": disabled})


def credentials_look(*, organization: Organization, workspace_uid: str, key_hash: str) -> None:
    """Mirror the credentials of a workspace that name a key at OpenRouter now, which the last pull may not
    have met: a call for each hundred. Raises OpenRouterError."""
    for page in upstream.walk(client_for(organization), workspace_id=workspace_uid):
        for one in page:
            if key_hash in (one.allowed_api_key_hashes or ()):
                mirror(noun=CREDENTIALS, organization=organization, found=plain(one))


def credential_list_keys(
    *, actor: User, credential: Credential, change: Callable[[Sequence[str]], Sequence[str]]
) -> bool:
    """Let ``change`` make another list out of the keys that may use the credential, as they are at OpenRouter
    now. False when that is the same list, or there is none; one that would be empty is left as it is, since
    no list at all would let everybody in. Raises OpenRouterError."""
    listed = credential_as_it_is(credential=credential).allowed_api_key_hashes
    changed = list(change(listed or ()))
    wanted = _that_exist(credential.organization, changed)
    if not listed or not wanted or sorted(wanted) == sorted(listed):
        return False
    name = "allowed_api_key_hashes"
    _send(actor, credential, "credential.update", {name: listed}, {name: wanted})
    return True


def _that_exist(organization: Organization, hashes: Sequence[str]) -> list[str]:
    """Without keys that were deleted: OpenRouter takes no list that names one."""
    rows = Key.objects.filter(organization=organization, hash__in=hashes, gone_at__isnull=False)
    deleted = set(rows.values_list("hash", flat=True))
    return [one for one in hashes if one not in deleted]


def _send(
    actor: User, credential: Credential, action: str, before: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """One audited PATCH. When its answer is lost it is read again: a change is either there or not."""
    started = audit.start(
        actor=actor,
        organization=credential.organization,
        action=action,
        target=target_of(CREDENTIALS, credential),
        before={name: before.get(name) for name in changes},
        after=dict(changes),
    )

    def took_effect(found: SimpleNamespace) -> bool:
        return not differing(changes, settings_of(found))

    _patch(credential, started, changes_of(changes), took_effect)


def credential_rekey(*, actor: User, credential: Credential, secret: Secret) -> None:
    """PATCH /byok/{id} with another key of the provider, which takes the place of the old one at once. Raises
    OpenRouterError; when the answer is lost, the mask tells whether it took effect, if it changed."""
    started = audit.start(
        actor=actor,
        organization=credential.organization,
        action="credential.rekey",
        target=target_of(CREDENTIALS, credential),
        before={"label": credential.label},
        after={"label": f"...{_ending(secret)}"},
    )
    was, ending = credential.label, _ending(secret)

    def took_effect(found: SimpleNamespace) -> bool | None:
        if found.label != was:
            # No document says how a mask is drawn: another ending proves nothing.
            return not ending or found.label.endswith(ending) or None
        # Two keys may end alike, and some masks show nothing.
        return None if not ending or was.endswith((ending, ".", "•", "*")) else False

    _patch(credential, started, CredentialChanges(key=secret), took_effect)


def _patch(
    credential: Credential,
    started: Entry,
    changes: CredentialChanges,
    took_effect: Callable[[SimpleNamespace], bool | None],
) -> None:
    """``took_effect`` judges what was read after a lost answer; None: nobody can tell."""
    client, message = client_for(credential.organization), ""
    try:
        found = plain(upstream.update(client, credential_id=credential.uid, changes=changes))
    except OpenRouterError as error:
        if isinstance(changes.key, Secret):
            hush(error, _parts(changes.key))
        if not error.outcome_unknown:
            failed(started, error)
            _note_trouble(credential, error)
            raise
        found = _settle_lost(client, credential, started, took_effect, error)
        message = f"{error.message} It was read again: the change took effect."
    succeeded(started, noun=CREDENTIALS, organization=credential.organization, found=found, message=message)


def _settle_lost(
    client: OpenRouter,
    credential: Credential,
    started: Entry,
    took_effect: Callable[[SimpleNamespace], bool | None],
    error: OpenRouterError,
) -> SimpleNamespace:
    """Read it and record what is true. Raises the error unless the change took effect."""
    try:
        found = plain(upstream.get(client, credential_id=credential.uid))
    except OpenRouterError:
        failed(started, error)
        raise error from None
    verdict = took_effect(found)
    if verdict:
        return found
    if verdict is False:
        error.outcome_unknown = False
        failed(started, error, seen="It was read again: nothing changed.")
    else:
        failed(started, error, seen="It was read again, and what OpenRouter shows of the key does not tell.")
    raise error


def credential_delete(*, actor: User, credential: Credential) -> None:
    """DELETE /byok/{id}: OpenRouter wipes the provider's key, for ever. One that is already gone counts as
    deleted. The audit entry keeps what it was. Raises OpenRouterError."""
    client = client_for(credential.organization)
    kept = (*SETTINGS, "provider", "label", "workspace_uid")
    started = audit.start(
        actor=actor,
        organization=credential.organization,
        action="credential.delete",
        target=target_of(CREDENTIALS, credential),
        before={name: getattr(credential, name) for name in kept},
    )
    try:
        upstream.delete(client, credential_id=credential.uid)
    except OpenRouterError as error:
        if not (error.outcome_unknown and _is_gone(client, credential, error)):
            failed(started, error)
            raise
    succeeded(started, noun=CREDENTIALS, organization=credential.organization, found=None)
    mark_gone(noun=CREDENTIALS, row=credential)


def _is_gone(client: OpenRouter, credential: Credential, error: OpenRouterError) -> bool:
    """Whether a deletion whose answer never came took effect; the error then knows."""
    try:
        upstream.get(client, credential_id=credential.uid)
    except NotFound:
        return True
    except OpenRouterError:
        return False
    error.outcome_unknown = False
    return False


def _note_trouble(credential: Credential, error: OpenRouterError) -> None:
    if isinstance(error, NotFound):
        note_found_gone(noun=CREDENTIALS, row=credential)
    note_refused(credential.organization, error)


def changes_of(settings: Mapping[str, Any]) -> CredentialChanges:
    """Settings as the client takes them: no list is no restriction."""
    values: dict[str, Any] = {
        name: (tuple(value) if value else None) if name in LISTS else value
        for name, value in settings.items()
    }
    return CredentialChanges(**values)

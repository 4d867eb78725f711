"""What can be done to presets: an audit entry, one POST, its outcome, our rows. A POST is live at once and
nothing takes it back (FACTS trap 38): what it replaces must be what the person saw."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.models import Preset
from orgadmin.inventory.preset_secrets import without_secrets
from orgadmin.openrouter import presets as upstream
from orgadmin.openrouter.errors import Conflict, NotFound, OpenRouterError
from orgadmin.openrouter.presets import PresetWithVersion
from orgadmin.presets.bodies import CHAT, PROMPTS, TRANSIENT, as_config, as_request, prompt_of, readable
from orgadmin.presets.credentials import Credential, credential_for
from orgadmin.presets.drafts import PresetDraft
from orgadmin.presets.recording import failed, mirror, note_found_gone, number_of, succeeded, told


class Moved(Exception):
    """Another version is served than the person saw. Our rows hold it by now."""

    def __init__(self) -> None:
        super().__init__("Somebody else made another version live in the meantime.")


@dataclass(frozen=True)
class Saved:
    """The version that OpenRouter made. ``dropped`` are the fields of the request that it did not keep,
    beside those that presets never hold."""

    uid: str
    number: int
    dropped: tuple[str, ...]


def preset_save(
    *,
    actor: User,
    organization: Organization,
    draft: PresetDraft,
    seen: int,
    form_token: uuid.UUID,
    restored: int | None = None,
) -> Saved:
    """POST /presets/{slug}/{kind} once: a new preset, or a new version of one, which is served from now on.

    ``seen`` is the number of the version that was served when the person decided, 0 for none: raises Moved
    where it is another by now. Raises AlreadySubmitted for a form sent twice (nothing is sent), Refused
    without a key, and OpenRouterError; with ``outcome_unknown`` the version may exist: it was looked for, and
    the next pull looks again. ``restored`` is the version that it repeats.
    """
    credential = credential_for(organization, draft.workspace_uid)
    before = _read(credential, draft)
    if number_of(before) != seen:
        if before is not None:
            mirror(organization=organization, place=draft.workspace_uid, found=before)
        raise Moved
    started = audit.start(
        actor=actor,
        organization=organization,
        action="preset.update" if before else "preset.create",
        target=Target(
            type="preset", id=before.id if before else "", name=before.name if before else draft.slug
        ),
        before=told(before) if before else None,
        after=_wanted(organization, draft, before, restored),
        form_token=token_of(form_token, actor=actor, organization=organization),
    )
    found, message = _sent(credential, draft, before, started)
    succeeded(started, credential=credential, place=draft.workspace_uid, found=found, message=message)
    return Saved(found.id, number_of(found), _dropped(draft, found))


def _read(credential: Credential, draft: PresetDraft) -> PresetWithVersion | None:
    """As it is upstream this moment; None where there is no preset of this slug."""
    try:
        with credential.noting():
            return upstream.get(credential.client, slug=draft.slug)
    except NotFound:
        row = Preset.objects.filter(
            organization=credential.organization, slug=draft.slug, workspace_uid=draft.workspace_uid
        )
        for gone in row.filter(gone_at=None):
            note_found_gone(gone)
        return None


def _wanted(
    organization: Organization, draft: PresetDraft, before: PresetWithVersion | None, restored: int | None
) -> dict[str, Any]:
    """What the version will be. Its number is the next after those we know: should somebody else take that
    one meanwhile, the difference that a pull finds is not ours."""
    known = Preset.objects.filter(organization=organization, uid=before.id).first() if before else None
    number = max(number_of(before), (known and known.newest_version) or 0) + 1
    return {
        "name": before.name if before else draft.slug,
        "workspace_uid": draft.workspace_uid,
        "live_version": number,
        "newest_version": number,
        **({} if restored is None else {"restored_version": restored}),
        "system_prompt": prompt_of(draft.kind, draft.body) or None,
        "settings": readable(without_secrets(as_config(draft.kind, draft.body))),
    }


def _sent(
    credential: Credential, draft: PresetDraft, before: PresetWithVersion | None, started: Entry
) -> tuple[PresetWithVersion, str]:
    """What OpenRouter made, and what there is to say of how we know."""
    try:
        return _post(credential, draft, before), ""
    except OpenRouterError as error:
        seen = ""
        if error.outcome_unknown:
            made, seen = _settle_lost(credential, draft, before, error)
            if made is not None:
                return made, f"{error.message} {seen}"
        failed(started, error, credential=credential, seen=seen)
        if isinstance(error, Conflict) and _has_moved(credential, draft, before):
            raise Moved from None
        raise


def _post(credential: Credential, draft: PresetDraft, before: PresetWithVersion | None) -> PresetWithVersion:
    """One POST; after a conflict a second one, if nothing else became of the preset (FACTS 2.7)."""

    def send() -> PresetWithVersion:
        return upstream.create_or_update(credential.client, slug=draft.slug, kind=draft.kind, body=draft.body)

    try:
        return send()
    except Conflict as conflict:
        if conflict.outcome_unknown or number_of(_glance(credential, draft)) != number_of(before):
            raise
    return send()


def _glance(credential: Credential, draft: PresetDraft) -> PresetWithVersion | None:
    try:
        return upstream.get(credential.client, slug=draft.slug)
    except NotFound:
        return None


def _has_moved(credential: Credential, draft: PresetDraft, before: PresetWithVersion | None) -> bool:
    try:
        now = _glance(credential, draft)
    except OpenRouterError:
        return False
    if now is not None and number_of(now) != number_of(before):
        mirror(organization=credential.organization, place=draft.workspace_uid, found=now)
        return True
    return False


def _settle_lost(
    credential: Credential, draft: PresetDraft, before: PresetWithVersion | None, error: OpenRouterError
) -> tuple[PresetWithVersion | None, str]:
    """The answer never came: read the preset again. It is ours if a newer version is served that says what we
    sent; the error knows better where nothing changed."""
    try:
        found = _glance(credential, draft)
    except OpenRouterError:
        return None, ""
    if number_of(found) == number_of(before):
        error.outcome_unknown = False
        return None, "It was read again: no version was made."
    version = found.designated_version if found else None
    if version is None or (version.system_prompt or "") != prompt_of(draft.kind, draft.body):
        return None, "It was read again: another version is live."
    is_ours = all(draft.body.get(name) == value for name, value in version.config.items())
    if not is_ours:
        return None, "It was read again: another version is live."
    return found, "It was read again: the version was made."


def _dropped(draft: PresetDraft, found: PresetWithVersion) -> tuple[str, ...]:
    config: Mapping[str, Any] = found.designated_version.config if found.designated_version else {}
    never = {*TRANSIENT, PROMPTS[draft.kind]}
    return tuple(
        name for name, value in draft.body.items() if name not in {*config, *never} and value is not None
    )


def preset_restore(*, actor: User, preset: Preset, number: int, seen: int, form_token: uuid.UUID) -> Saved:
    """Make an old version again, as a new one. It is read from OpenRouter first, word for word.

    Raises as ``preset_save`` does, and NotFound where the version is gone.
    """
    credential = credential_for(preset.organization, preset.workspace_uid)
    with credential.noting():
        version = upstream.version(credential.client, slug=preset.slug, number=number)
    if version.preset_id != preset.uid:
        raise NotFound("Another preset has this slug by now.")
    draft = PresetDraft(
        workspace_uid=preset.workspace_uid,
        slug=preset.slug,
        kind=CHAT,
        body=as_request(version.config, version.system_prompt),
    )
    return preset_save(
        actor=actor,
        organization=preset.organization,
        draft=draft,
        seen=seen,
        form_token=form_token,
        restored=number,
    )

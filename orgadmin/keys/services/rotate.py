"""Rotation: OpenRouter has no endpoint for it, so it is a workflow (FACTS 3.8).

A successor with the same settings is made; both keys are live; a page shows what each is used for since;
a person retires the old one when it has gone quiet. Nothing is ever retired by itself.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import User
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Key
from orgadmin.inventory.successors import Succession, carried_over, retired
from orgadmin.keys.drafts import KeyDraft
from orgadmin.keys.models import Rotation
from orgadmin.keys.services.create import Created, key_create
from orgadmin.keys.services.recording import mirror
from orgadmin.keys.services.update import key_as_it_is, key_set_disabled, own_key_set_disabled
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.transport import Patience

# An old key unused for this long counts as quiet: a nightly job has had its turn.
QUIET = timedelta(hours=24)
# A secret is waiting to be shown.
GLANCE = Patience(tries=1, seconds=2, connect_timeout=1, read_timeout=2)


def key_rotate(*, actor: User, key: Key, draft: KeyDraft, form_token: uuid.UUID | None = None) -> Created:
    """Create the successor of ``key`` and note the pair. Raises what ``key_create`` raises.

    From there on nothing is raised: the secret in hand must be shown, with what went wrong as ``warnings``.
    """
    made = key_create(
        actor=actor,
        organization=key.organization,
        draft=draft,
        form_token=form_token,
        action="key.rotate",
    )
    succession = Succession(key.organization, key.hash, made.found.hash, made.found.name)
    warnings = carried_over(actor, succession)
    if made.row is not None:
        _note_pair(actor, key, made.row)
    return replace(made, warnings=warnings)


def _note_pair(actor: User, old: Key, new: Key) -> None:
    # The secret in hand matters more than the page that compares the two.
    with CarryOn("rotation not noted", old=old.hash, new=new.hash):
        old = _as_it_stands(old)
        Rotation.objects.create(
            organization=old.organization,
            old=old,
            new=new,
            started_by=actor,
            old_usage_at_start=old.usage + old.byok_usage,
        )


def _as_it_stands(old: Key) -> Key:
    """The old key with its counters of this moment, so that what it spends from here on is all that counts
    as spent since; as the last pull left it when OpenRouter does not answer at once."""
    try:
        found = upstream.get(client_for(old.organization, patience=GLANCE), key_hash=old.hash)
        return mirror(organization=old.organization, found=found)
    except (OpenRouterError, DatabaseError):
        return old


@dataclass(frozen=True)
class Handover:
    """How a rotation stands: dollars spent since it began on either key, and whether the old one is quiet.

    ``known_to`` is the moment up to which OpenRouter was asked: silence after it proves nothing. ``is_used``:
    the old key was used since the successor exists.
    """

    rotation: Rotation
    old_spend: Decimal
    new_spend: Decimal
    known_to: datetime | None
    is_used: bool
    is_quiet: bool
    quiet_hours: int

    @property
    def is_off(self) -> bool:
        """Whether the old key refuses every request already, so that nothing is left to wait for."""
        return self.rotation.old.state in {"gone", "disabled", "expired"}


def handover(rotation: Rotation, *, known_to: datetime | None = None) -> Handover:
    """Judge a rotation (keys and organization loaded) by what is known: by default, the last good pull."""
    old, new = rotation.old, rotation.new
    known_to = known_to or _last_good_pull(rotation)
    last = _last_sign_of_life(old)
    silence = max(timedelta(0), known_to - last) if known_to else timedelta(0)
    return Handover(
        rotation=rotation,
        old_spend=max(Decimal(0), old.usage + old.byok_usage - rotation.old_usage_at_start),
        new_spend=new.usage + new.byok_usage,
        known_to=known_to,
        is_used=old.active_at is not None and old.active_at > rotation.started_at,
        is_quiet=silence >= QUIET,
        quiet_hours=int(silence.total_seconds() // 3600),
    )


def _last_good_pull(rotation: Rotation) -> datetime | None:
    synced_at = rotation.organization.summary.get("synced_at")
    return datetime.fromisoformat(synced_at) if synced_at else None


def _last_sign_of_life(key: Key) -> datetime:
    """When the key was used last, as far as anybody can know: one that has spent but says no date may have
    done so until we first saw it."""
    if key.active_at is not None:
        return key.active_at
    has_spent = bool(key.usage or key.byok_usage)
    return key.first_seen_at if has_spent or key.created_at is None else key.created_at


def rotation_look(rotation: Rotation) -> Handover:
    """Ask OpenRouter about the old key, keep what it says, and judge by that: a pull may be minutes or days
    old. Raises OpenRouterError; a key deleted meanwhile is as quiet as can be."""
    asked_at = timezone.now()
    try:
        rotation.old = key_as_it_is(key=rotation.old)
    except NotFound:
        return replace(handover(rotation, known_to=asked_at), is_quiet=True)
    return handover(rotation, known_to=asked_at)


def rotation_retire(*, actor: User, rotation: Rotation, is_member: bool = False) -> tuple[str, ...]:
    """Disable the old key, reversibly, and close the rotation; then lists that name it name its successor in
    its place. What of that did not work, in words. Raises OpenRouterError.

    A member's hand on the switch is the careful one; a key that is gone cannot be more retired.
    """
    switch = own_key_set_disabled if is_member else key_set_disabled
    if not rotation.old.disabled and rotation.old.gone_at is None:
        with suppress(NotFound):
            switch(actor=actor, key=rotation.old, disabled=True)
    Rotation.objects.filter(pk=rotation.pk).update(retired_at=timezone.now())
    old, new = rotation.old, rotation.new
    return retired(actor, Succession(rotation.organization, old.hash, new.hash, new.name))

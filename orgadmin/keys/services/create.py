"""Creating a key: exactly one POST, and an answer for the case that its answer never comes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import structlog

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.acts import failed
from orgadmin.inventory.models import Key
from orgadmin.inventory.nouns import stored
from orgadmin.keys.drafts import KeyDraft
from orgadmin.keys.services.recording import succeeded
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter

log = structlog.get_logger(__name__)

# How far OpenRouter's clock may be behind ours when we look for a key it just made.
CLOCK_SKEW = timedelta(minutes=2)


@dataclass(frozen=True)
class Created:
    """A new key. ``secret`` is shown once and kept nowhere; ``row`` is None when our database failed;
    ``warnings`` are sentences about what else went wrong since the key exists."""

    found: upstream.Key
    secret: Secret
    row: Key | None
    warnings: tuple[str, ...] = ()


# After these OpenRouter may still be at work on the request: a key that is not listed now may be in a moment.
STILL_AT_WORK = frozenset({None, 408, 504, 524})


class CreateLost(Exception):
    """The answer to the create never came. ``orphan`` is the key it made, if it made one and we found it;
    its secret is lost. ``looked`` is False when looking failed too; ``settled`` says that a key which was
    not found will not appear any more."""

    def __init__(self, *, orphan: Key | None, looked: bool, settled: bool = False) -> None:
        super().__init__("The answer to the create never came.")
        self.orphan = orphan
        self.looked = looked
        self.settled = settled


def key_create(
    *,
    actor: User,
    organization: Organization,
    draft: KeyDraft,
    form_token: uuid.UUID | None = None,
    action: str = "key.create",
) -> Created:
    """POST /keys once.

    Raises AlreadySubmitted for a form sent twice (nothing is sent), OpenRouterError when upstream refused,
    and CreateLost when nobody knows: by then the key was looked for and the audit log says what was found.
    """
    client = client_for(organization)
    started = audit.start(
        actor=actor,
        organization=organization,
        action=action,
        target=Target(type="key", id="", name=draft.name),
        after=draft.audited(),
        form_token=form_token and token_of(form_token, actor=actor, organization=organization),
    )
    try:
        made = upstream.create(
            client,
            name=draft.name,
            limit=draft.limit,
            limit_reset=draft.limit_reset,
            include_byok_in_limit=draft.include_byok_in_limit,
            expires_at=draft.expires_at,
            creator_user_id=draft.creator_user_id,
            workspace_id=draft.workspace_uid,
        )
    except OpenRouterError as error:
        if not error.outcome_unknown:
            failed(started, error)
            raise
        raise _look_for(client, organization, started, draft, error) from None
    return Created(
        found=made.key,
        secret=made.secret,
        row=succeeded(started, organization=organization, found=made.key),
    )


def _look_for(
    client: OpenRouter,
    organization: Organization,
    started: Entry,
    draft: KeyDraft,
    error: OpenRouterError,
) -> CreateLost:
    """Look upstream for the key that the lost create may have made, and record what was found.

    A create is never repeated blindly: the second key would be as real, and as billable, as the first.
    """
    try:
        found = _newest_match(client, organization, started, draft, error)
    except Exception as problem:
        if not isinstance(problem, OpenRouterError):
            log.exception("lost key not looked for", entry=started.pk)
        failed(started, error)
        return CreateLost(orphan=None, looked=False)
    if found is None:
        error.outcome_unknown = error.status in STILL_AT_WORK
        words = "the next sync looks again" if error.outcome_unknown else "it was not created"
        failed(started, error, seen=f"OpenRouter does not list such a key: {words}.")
        return CreateLost(orphan=None, looked=True, settled=not error.outcome_unknown)
    row = succeeded(
        started,
        organization=organization,
        found=found,
        message=f"{error.message} The key was created, but its secret is lost: delete it.",
        request_id=error.request_id,
    )
    # Unsaved when our database failed: the page can still name it.
    orphan = row or Key(organization=organization, hash=found.hash, name=found.name, label=found.label)
    return CreateLost(orphan=orphan, looked=True)


def _newest_match(
    client: OpenRouter,
    organization: Organization,
    started: Entry,
    draft: KeyDraft,
    error: OpenRouterError,
) -> upstream.Key | None:
    """The key we do not know yet that looks like the draft; the list is newest first, one page is enough."""
    named = (error.metadata or {}).get("hash")
    if isinstance(named, str):
        try:
            return upstream.get(client, key_hash=named)
        except NotFound:
            return None
    page = upstream.page(client, workspace_id=draft.workspace_uid)
    known = set(
        Key.objects.filter(organization=organization, hash__in=[key.hash for key in page]).values_list(
            "hash", flat=True
        )
    )
    for key in page:
        recent = key.created_at is None or key.created_at >= started.at - CLOCK_SKEW
        if recent and key.hash not in known and _looks_like(key, draft):
            return key
    return None


def _looks_like(key: upstream.Key, draft: KeyDraft) -> bool:
    """Whether a key has all the settings of the draft. The name alone would do for a deletion too soon:
    somebody else may just have made a key of the same name, and holds its secret."""
    wanted = draft.audited()
    wanted["workspace_id"] = wanted.pop("workspace_uid")
    return all(stored(getattr(key, name)) == stored(value) for name, value in wanted.items())

"""The first conversation with OpenRouter: what a key is, and what its account can do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgadmin.accounts.connection import client
from orgadmin.connections.drafts import KeyAt
from orgadmin.connections.refusals import INFERENCE_KEY, KEY, Refused, refusal
from orgadmin.openrouter import key as current_key
from orgadmin.openrouter import keys, members, workspaces
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience

# Under this name a capability holds OpenRouter's id of the account, where it tells one (GET /key).
UPSTREAM_ID = "upstream_organization_id"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """``label`` is masked; ``default_workspace_uid`` is empty when nobody can tell (trap 1).

    ``capabilities`` hold ``members`` and, where upstream tells it, ``upstream_organization_id``.
    """

    label: str
    key_hash: str
    default_workspace_uid: str = ""
    capabilities: Mapping[str, Any] = field(default_factory=dict)


def key_hash(key: Secret) -> str:
    """The key's identity at OpenRouter: SHA-256 in lower-case hex (FACTS 1.2)."""
    return hashlib.sha256(key.reveal().encode()).hexdigest()


def client_at(connection: KeyAt, *, patience: Patience = WEB) -> OpenRouter:
    return client(
        base_url=connection.base_url,
        key=connection.management_key,
        key_hash=key_hash(connection.management_key),
        patience=patience,
    )


def inspect(connection: KeyAt, *, patience: Patience = WEB) -> Findings:
    """Ask OpenRouter who the key is, which workspace is the default, and whether there are members.

    Raises Refused, its field saying whether key or address is to blame, for anything but a working
    management key.
    """
    return inspect_with(client_at(connection, patience=patience), connection.management_key)


def inspect_with(client: OpenRouter, key: Secret) -> Findings:
    try:
        found = current_key.current(client)
    except OpenRouterError as error:
        raise refusal(error) from None
    if not found.is_management_key:
        raise Refused(INFERENCE_KEY, field=KEY)
    capabilities: dict[str, Any] = {UPSTREAM_ID: found.organization_id} if found.organization_id else {}
    try:
        capabilities["members"] = _has_members(client)
        default = _default_workspace(client)
    except NotFound as error:
        raise Refused(
            f"OpenRouter knows this key but does not list its keys. It says: {error.message}"
        ) from None
    except OpenRouterError as error:
        raise refusal(error) from None
    return Findings(
        label=shown_label(found.label, key),
        key_hash=key_hash(key),
        default_workspace_uid=default,
        capabilities=capabilities,
    )


def knows_a_workspace_of(client: OpenRouter, known: set[str]) -> bool:
    """Whether the account has one of these workspaces, by uid. Raises Refused when it cannot be asked."""
    try:
        return any(row.id in known for page in workspaces.walk(client) for row in page)
    except OpenRouterError as error:
        raise refusal(error) from None


def _has_members(client: OpenRouter) -> bool:
    """FACTS trap 49: a 404 means a personal account, which has no members."""
    try:
        members.page(client, limit=1)
    except NotFound:
        return False
    return True


def _default_workspace(client: OpenRouter) -> str:
    """FACTS trap 1: no flag says it. A list without workspace shows the default one's keys; else a slug."""
    rows = keys.page(client)
    if rows:
        return rows[0].workspace_id
    try:
        return workspaces.get(client, workspace_id="default").id
    except NotFound:
        page = workspaces.page(client, limit=2)
        return page.items[0].id if len(page.items) == 1 else ""


def shown_label(label: str, key: Secret) -> str:
    """Upstream's masked label, or our own mask when it has none or shows too much."""
    return label[:100] if label and key.reveal() not in label else Secret.mask(key.reveal())

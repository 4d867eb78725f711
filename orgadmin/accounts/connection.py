"""From an organization to a client that speaks for it."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from orgadmin.accounts.limiter import SharedLimiter
from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.openrouter.errors import Unauthorized
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience


def client_for(organization: Organization, *, patience: Patience = WEB) -> OpenRouter:
    """A client with the organization's management key, paced with all its other clients.

    Raises Unauthorized when the organization has no key (it was disconnected), or one that nobody can read.
    """
    if organization.management_key is None:
        raise Unauthorized(
            status=401,
            message="This organization is disconnected. Its owner can enter a management key in Settings.",
        )
    try:
        key = Secret(organization.management_key.reveal())
    except ImproperlyConfigured:
        raise Unauthorized(
            status=401,
            message="The stored management key cannot be read, because ENCRYPTION_KEYS has changed. "
            "An owner can enter it again in Settings.",
        ) from None
    return client(
        base_url=organization.base_url,
        key=key,
        key_hash=organization.key_hash,
        patience=patience,
    )


def inference_client(key: InferenceKey, *, patience: Patience = WEB) -> OpenRouter:
    """A client with the inference key of one workspace. Raises Unauthorized for one that nobody can read."""
    try:
        secret = Secret(key.secret.reveal() if key.secret else "")
    except ImproperlyConfigured:
        raise Unauthorized(
            status=401,
            message="The stored inference key cannot be read, because ENCRYPTION_KEYS has changed. "
            "An owner can enter it again in Settings.",
        ) from None
    return client(base_url=key.base_url, key=secret, key_hash=key.key_hash, patience=patience)


def client(*, base_url: str, key: Secret, key_hash: str, patience: Patience = WEB) -> OpenRouter:
    """A client for a credential that may not be stored yet."""
    _refuse_inside_a_transaction()
    return OpenRouter(base_url=base_url, key=key, patience=patience, limiter=SharedLimiter(key_hash))


def _refuse_inside_a_transaction() -> None:
    # A slow answer would hold the write lock of the whole database (SQLite) or a row lock and a pooled
    # connection (PostgreSQL). Test cases wrap everything in a transaction of their own; that one is let pass.
    blocks = getattr(connection, "atomic_blocks", [])
    if any(not getattr(block, "_from_testcase", False) for block in blocks):
        raise RuntimeError("OpenRouter must not be called inside a database transaction.")

"""Inference keys as an owner lends them to the dashboard."""

from __future__ import annotations

import hashlib

from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.openrouter.secret import Secret
from orgadmin.sandbox.app import Sandbox
from orgadmin.sandbox.state.keys import KeyDraft


def secret_of_workspace(sandbox: Sandbox, workspace_uid: str) -> str:
    """The secret of a new key in that workspace."""
    account = sandbox.account
    return account.key_create(KeyDraft(name="Dashboard", workspace_id=workspace_uid), sandbox.now())[1]


def lend(organization: Organization, sandbox: Sandbox, workspace_uid: str | None = None) -> InferenceKey:
    """A key of that workspace, of the default one without a name, as if somebody had entered it."""
    account = sandbox.account
    place = workspace_uid or account.workspaces.default_id or ""
    raw = sandbox.inference_key if workspace_uid is None else secret_of_workspace(sandbox, place)
    return InferenceKey.objects.create(
        organization=organization,
        workspace_uid=place,
        base_url=organization.base_url,
        secret=Secret(raw),
        key_label=Secret.mask(raw),
        key_hash=hashlib.sha256(raw.encode()).hexdigest(),
    )

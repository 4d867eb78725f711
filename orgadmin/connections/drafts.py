"""What a form says a connection or an invitation should be. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.openrouter.secret import Secret


@dataclass(frozen=True, kw_only=True)
class KeyAt:
    """A management key and the address of the API it is for, without a trailing slash."""

    base_url: str
    management_key: Secret


@dataclass(frozen=True, kw_only=True)
class LentKey:
    """An inference key, and the workspace that somebody says it belongs to; "" where they leave it to
    OpenRouter."""

    key: Secret
    workspace_uid: str = ""


@dataclass(frozen=True, kw_only=True)
class OrganizationDraft:
    """An organization to be connected. ``slug`` empty: one is made from the name."""

    name: str
    slug: str
    connection: KeyAt


@dataclass(frozen=True, kw_only=True)
class InvitationDraft:
    """Somebody to be invited. ``email`` empty: a link for whoever holds it."""

    email: str
    role: str

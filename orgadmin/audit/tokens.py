"""One-use form tokens, each person's own."""

from __future__ import annotations

import uuid

from orgadmin.accounts.models import Organization, User


def token_of(form_token: uuid.UUID, *, actor: User, organization: Organization) -> uuid.UUID:
    """The token as this person spends it in this organization.

    Tokens are unique over the whole installation. Without this, a form that carries somebody else's would
    be told what became of theirs, or fail without a word where that was in another organization.
    """
    return uuid.uuid5(form_token, f"{organization.pk}:{actor.pk}")

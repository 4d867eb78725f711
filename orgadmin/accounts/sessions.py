"""Sessions at rest: encrypted, because the sign-in package keeps the secret of a second factor there until it
is confirmed."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.core.exceptions import ImproperlyConfigured

from orgadmin.accounts.fields import decrypt, encrypt


class SessionStore(db.SessionStore):
    """Django's database sessions, each row ciphertext. One that cannot be read any more is an empty one."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return encrypt(super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            return super().decode(decrypt(str(session_data)))
        except ImproperlyConfigured:
            return {}

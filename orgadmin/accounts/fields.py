"""Secrets at rest: a text column encrypted with the keys of the environment."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from orgadmin.openrouter.secret import Secret

if TYPE_CHECKING:
    _TextField = models.TextField[Secret | None, Secret | None]
else:
    _TextField = models.TextField


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is empty.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        # The exception of the library would repeat the key.
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS holds a key that is not 32 url-safe base64 bytes."
        ) from None


def encrypt(text: str) -> str:
    """Encrypt with the first of ``ENCRYPTION_KEYS``."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt with whichever of ``ENCRYPTION_KEYS`` fits; ImproperlyConfigured when none does."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be read: the key that encrypted it is no longer in ENCRYPTION_KEYS."
        ) from None


def renewed(token: str) -> str | None:
    """The same secret encrypted with the first of ``ENCRYPTION_KEYS``; None when it already is."""
    keys = tuple(settings.ENCRYPTION_KEYS)
    try:
        _fernet(keys[:1]).decrypt(token.encode())
    except InvalidToken:
        return encrypt(decrypt(token))
    return None


class Sealed(Secret):
    """A secret as it lies in the database: opened when somebody reveals it, so that a row whose key is
    lost can still be loaded, shown and mended. Raises ImproperlyConfigured when it cannot be opened."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    def reveal(self) -> str:
        return decrypt(self.token)


class EncryptedField(_TextField):
    """Holds a ``Secret`` in Python and ciphertext in the database. It cannot be searched."""

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        return None if value is None else Sealed(value)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None or isinstance(value, Sealed):
            return None if value is None else value.token
        return encrypt(value.reveal() if isinstance(value, Secret) else str(value))

    def get_lookup(self, lookup_name: str) -> Any:
        # Each encryption differs, so an equality test would silently never match.
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

"""Re-encrypting what is kept with the newest of ``ENCRYPTION_KEYS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model, TextField
from django.db.models.functions import Cast

from orgadmin.accounts.fields import decrypt, renewed
from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.openrouter.secret import Secret

BATCH = 200
# Where the second-factor package keeps what its adapter encrypted.
_SEALED = ("secret", "seed")
_SEALED_LISTS = ("migrated_codes",)


@dataclass(frozen=True)
class Rotated:
    """How many rows were looked at and how many were encrypted anew."""

    organizations: int
    organizations_changed: int
    inference_keys: int
    inference_keys_changed: int
    second_factors: int
    second_factors_changed: int


def rotate_encryption(*, batch: int = BATCH) -> Rotated:
    """Encrypt organization keys, inference keys and second factors with the first of ``ENCRYPTION_KEYS``.

    Rows that already are stay untouched, so it can be repeated and interrupted at will; each batch is one
    transaction. Raises ImproperlyConfigured for a row that none of the keys can read; the batches before it
    are done.
    """
    keyed = Organization.objects.filter(management_key__isnull=False)
    factors = Authenticator.objects.filter(
        type__in=[Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]
    )
    keys, changed_keys = _in_batches(keyed, _renewing(Organization, "management_key"), batch)
    lent = _in_batches(InferenceKey.objects.all(), _renewing(InferenceKey, "secret"), batch)
    seen, changed = _in_batches(factors, _renew_factor, batch)
    return Rotated(keys, changed_keys, *lent, seen, changed)


def _in_batches(rows: Any, renew: Any, batch: int) -> tuple[int, int]:
    seen = changed = last = 0
    while True:
        with transaction.atomic():
            # Locked, so that a key replaced meanwhile is not overwritten with the one before it.
            numbers = list(
                rows.filter(pk__gt=last)
                .order_by("pk")
                .select_for_update()
                .values_list("pk", flat=True)[:batch]
            )
            if not numbers:
                return seen, changed
            changed += sum(renew(number) for number in numbers)
        seen += len(numbers)
        last = numbers[-1]


def _renewing(model: type[Model], column: str) -> Callable[[int], bool]:
    """What encrypts that column of a row anew, and says whether there was anything to do."""

    def renew(number: int) -> bool:
        rows = model._default_manager.filter(pk=number)
        # Cast reads the ciphertext as it stands; the field itself would decrypt it.
        token = rows.values_list(Cast(column, TextField()), flat=True).get()
        if renewed(token) is None:
            return False
        rows.update(**{column: Secret(decrypt(token))})
        return True

    return renew


def _renew_factor(number: int) -> bool:
    row = Authenticator.objects.get(pk=number)
    data = _renewed_data(row.data)
    if data == row.data:
        return False
    row.data = data
    row.save(update_fields=["data"])
    return True


def _renewed_data(data: Mapping[str, Any]) -> dict[str, Any]:
    singles = {name: renewed(data[name]) or data[name] for name in _SEALED if data.get(name)}
    lists = {
        name: [renewed(token) or token for token in data[name]] for name in _SEALED_LISTS if data.get(name)
    }
    return {**data, **singles, **lists}

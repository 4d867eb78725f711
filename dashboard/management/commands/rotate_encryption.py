"""``manage.py rotate_encryption``: encrypt what is stored with the first of ``ENCRYPTION_KEYS``."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Encrypt organization keys, inference keys and second factors with the first of ENCRYPTION_KEYS. Put "
        "the new key in front, restart everything, run this, then take the old key away. Safe to repeat and "
        "to interrupt."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        from orgadmin.accounts.rotation import rotate_encryption

        try:
            done = rotate_encryption()
        except ImproperlyConfigured as error:
            raise CommandError(
                f"{error} Put that key back at the end of ENCRYPTION_KEYS and run this again."
            ) from None
        self.stdout.write(
            f"Organization keys: {done.organizations_changed} of {done.organizations} encrypted anew."
        )
        self.stdout.write(
            f"Inference keys: {done.inference_keys_changed} of {done.inference_keys} encrypted anew."
        )
        self.stdout.write(
            f"Second factors: {done.second_factors_changed} of {done.second_factors} encrypted anew."
        )

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "orgadmin.accounts"
    label = "accounts"

    def ready(self) -> None:
        from orgadmin.accounts import proof

        proof.connect()

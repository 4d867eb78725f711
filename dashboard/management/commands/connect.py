"""``manage.py connect``: connect an organization from a terminal, with the same checks as the page."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError
from django.core.validators import validate_email
from django.forms import ValidationError

from dashboard.env import secret

KEY_VARIABLE = "OPENROUTER_MANAGEMENT_KEY"


class Command(BaseCommand):
    help = (
        "Connect an OpenRouter organization. The management key comes from --key-file, from "
        f"{KEY_VARIABLE} or {KEY_VARIABLE}_FILE, from standard input, or is asked for; never from an "
        "argument, which other users of the machine could read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="what people read, such as “Acme Research”")
        parser.add_argument(
            "--slug", default="", help="short name in addresses (default: made from the name)"
        )
        parser.add_argument("--base-url", default=settings.OPENROUTER_BASE_URL, help="default: %(default)s")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="who will own it; made if new")
        parser.add_argument("--key-file", metavar="PATH", help="file with the key; - is standard input")

    def handle(self, *args: Any, **given: Any) -> None:
        from orgadmin.accounts.people import user_prepare
        from orgadmin.connections.forms import ConnectForm
        from orgadmin.connections.refusals import Refused
        from orgadmin.connections.services import organization_connect, sign_in_link

        email = _address(given["owner"])
        form = ConnectForm(
            {
                "name": given["name"],
                "slug": given["slug"],
                "base_url": given["base_url"],
                "management_key": _key(given["key_file"]),
            }
        )
        if not form.is_valid():
            raise CommandError(_problems(form.errors))
        owner, is_new = user_prepare(email=email)
        try:
            organization = organization_connect(actor=owner, draft=form.draft())
        except Refused as refused:
            if is_new:
                owner.delete()
            option = f"{_option(refused.field)}: " if refused.field else ""
            raise CommandError(f"{option}{refused.message}") from None
        self.stdout.write(
            f"Connected: {organization.name}, {settings.PUBLIC_URL}/o/{organization.slug}/keys/"
        )
        self.stdout.write(f"Key: {organization.key_label}")
        if is_new:
            self.stdout.write(f"{email} is new here and has no password yet.")
            self.stdout.write(f"Sign in: {sign_in_link(email=email)}")


def _address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise CommandError(f"--owner: “{text}” is not an e-mail address.") from None
    return text.lower()


def _key(key_file: str | None) -> str:
    try:
        if key_file == "-":
            return sys.stdin.readline().strip()
        if key_file:
            return Path(key_file).read_text(encoding="utf-8").strip()
        from_environment = secret(KEY_VARIABLE, "")
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--key-file: {key_file} cannot be read ({type(error).__name__}).") from None
    if from_environment:
        return from_environment
    return getpass.getpass("Management key: ").strip() if sys.stdin.isatty() else sys.stdin.readline().strip()


def _problems(errors: Any) -> str:
    return "\n".join(f"{_option(field)}: {' '.join(messages)}" for field, messages in errors.items())


def _option(field: str) -> str:
    return "management key" if field == "management_key" else f"--{field.replace('_', '-')}"

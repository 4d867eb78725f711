"""``manage.py demo_seed``: connect the demo's organization to the running sandbox, then greet its owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from dashboard.management.commands import owner_link
from orgadmin.connections.services import demo_password_file, demo_prepare
from orgadmin.sandbox.app import Options
from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.seed.keys import inference_key
from orgadmin.sandbox.server import management_key


class Command(owner_link.Command):
    help = "Connect the demo organization to the sandbox (once), and print a one-time sign-in link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", metavar="URL", help="first wait until this /readyz answers 200")
        parser.add_argument("--seed", type=int, default=Options().seed, help="the sandbox's seed")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        file = demo_password_file()
        if file is not None:
            self.stdout.write(f"Password when asked again: {_seen_from_here(file)}")
        mails = getattr(settings, "EMAIL_FILE_PATH", None)
        if mails:
            self.stdout.write(f"Mails: {_seen_from_here(Path(mails))}")

    def owner(self, options: dict[str, Any]) -> str:
        key = management_key(options["seed"])
        return demo_prepare(
            base_url=settings.OPENROUTER_BASE_URL,
            management_key=key,
            inference_key=inference_key(options["seed"]),
            workspace_uid=uuid_text("workspace", options["seed"], 0),
        )


def _seen_from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path

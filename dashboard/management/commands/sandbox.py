"""`manage.py sandbox`: the OpenRouter stand-in on a port of this machine."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orgadmin.sandbox.seed.population import Options
from orgadmin.sandbox.server import management_key, serve
from orgadmin.sandbox.state.budgets import PLANS


class Command(BaseCommand):
    help = "Serve a stateful twin of the OpenRouter API, for demonstrations and development."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8787, help="port to listen on (default: %(default)s)")
        parser.add_argument(
            "--seed", type=int, default=7, help="which account is made (default: %(default)s)"
        )
        parser.add_argument("--keys", type=int, default=120, help="API keys (default: %(default)s)")
        parser.add_argument("--members", type=int, default=25, help="people (default: %(default)s)")
        parser.add_argument("--workspaces", type=int, default=6, help="workspaces (default: %(default)s)")
        parser.add_argument("--days", type=int, default=90, help="days of history (default: %(default)s)")
        parser.add_argument("--guardrails", type=int, default=12, help="guardrails (default: %(default)s)")
        parser.add_argument(
            "--credentials", type=int, default=9, help="BYOK credentials (default: %(default)s)"
        )
        parser.add_argument("--state", type=Path, help="keep every change in this file")
        parser.add_argument("--personal", action="store_true", help="an account that is not an organization")
        parser.add_argument(
            "--models", type=int, default=Options.models, help="models at least (default: %(default)s)"
        )
        parser.add_argument(
            "--budgets", choices=PLANS, default=Options.budgets, help="what the plan has of workspace budgets"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        names = (
            *("seed", "keys", "members", "workspaces", "days", "guardrails", "state", "personal"),
            *("budgets", "models", "credentials"),
        )
        options = Options(**{name: given[name] for name in names})
        self.stdout.write(f"Base URL: http://{given['host']}:{given['port']}/api/v1")
        self.stdout.write(
            f"Management key (of the sandbox, worth nothing elsewhere): {management_key(options.seed)}"
        )
        self.stdout.flush()
        try:
            serve(options, host=given["host"], port=given["port"])
        except ValueError as problem:
            raise CommandError(str(problem)) from problem

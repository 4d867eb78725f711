#!/usr/bin/env python3
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys

try:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from environs import EnvError
except ModuleNotFoundError:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.exit(f"{sys.executable} lacks this project's packages. Use {here}/.venv/bin/python manage.py.")


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    if arguments[1:2] == ["sandbox"]:
        start_sandbox(arguments)
        return
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, EnvError) as error:
        # Something to set, not a fault of the code: the words are enough.
        if "--traceback" in arguments:
            raise
        sys.exit(str(error))


def start_sandbox(arguments: list[str]) -> None:
    """It knows no Django: it needs neither the settings nor the secrets they ask for."""
    from dashboard.management.commands.sandbox import Command

    settings.configure()
    Command().run_from_argv(arguments)


if __name__ == "__main__":
    main(sys.argv)

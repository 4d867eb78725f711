#!/usr/bin/env python3
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys
from importlib import import_module

try:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from environs import EnvError
except ModuleNotFoundError:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.exit(f"{sys.executable} lacks this project's packages. Use {here}/.venv/bin/python manage.py.")

# The supervisor makes the secrets that the settings ask for, and the sandbox knows no Django.
WITHOUT_SETTINGS = {"demo", "up", "sandbox"}


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    if WITHOUT_SETTINGS.intersection(arguments[1:2]):
        start_without_settings(arguments)
        return
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, EnvError) as error:
        # Something to set, not a fault of the code: the words are enough.
        if "--traceback" in arguments:
            raise
        sys.exit(str(error))


def start_without_settings(arguments: list[str]) -> None:
    settings.configure()
    import_module(f"dashboard.management.commands.{arguments[1]}").Command().run_from_argv(arguments)


if __name__ == "__main__":
    main(sys.argv)

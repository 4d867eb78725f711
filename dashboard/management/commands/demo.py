"""``manage.py demo``: the same as ``make demo``, for who has the packages installed."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management import BaseCommand


class Command(BaseCommand):
    help = "Start everything with the sandbox in place of OpenRouter. Ctrl-C stops it."
    requires_system_checks: list[str] = []
    kind = "demo"

    def handle(self, *args: Any, **options: Any) -> None:
        # The supervisor is small and must not carry Django along, so it takes this process over.
        os.execv(sys.executable, [sys.executable, "-m", "dashboard.supervisor", self.kind])  # noqa: S606

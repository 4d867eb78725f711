"""``manage.py up``: the same as ``make up``, for who has the packages installed."""

from __future__ import annotations

from dashboard.management.commands import demo


class Command(demo.Command):
    help = "Start everything against the real OpenRouter, configured by .env. Ctrl-C stops it."
    kind = "up"

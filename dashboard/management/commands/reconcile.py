"""``manage.py reconcile``: OpenRouter's total of each day beside ours; status 1 where they differ for no
known reason."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.management import BaseCommand, CommandError

if TYPE_CHECKING:
    from orgadmin.accounts.models import Organization
    from orgadmin.usage.reconciliation import Reconciled

HEADINGS = ("day", "from", "openrouter", "held here", "difference", "explanation")


class Command(BaseCommand):
    help = (
        "Print OpenRouter's total of each day beside the sum of what is held here, newest first. Ends with "
        "status 1 when a day differs by more than 0.1 % and nothing explains it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="default: every organization")
        parser.add_argument("--since", metavar="DAY", type=_day, help="first day, such as 2026-03-01")
        parser.add_argument("--until", metavar="DAY", type=_day, help="last day")

    def handle(self, *args: Any, **given: Any) -> None:
        flagged = sum(
            self._print(organization, given["since"], given["until"])
            for organization in _organizations(given["organization"])
        )
        if flagged:
            self.stderr.write(f"{flagged} without an explanation, more than 0.1 % from OpenRouter's total.")
            sys.exit(1)

    def _print(self, organization: Organization, since: date | None, until: date | None) -> int:
        """The table of one organization; how many of its days are flagged."""
        from dashboard.formats import exact_money
        from orgadmin.usage.reconciliation import reconciled

        days = reconciled(organization, since, until)
        self.stdout.write(f"{organization.name} ({organization.slug})")
        rows = [
            (
                day.day.isoformat(),
                day.source or "-",
                exact_money(day.upstream),
                exact_money(day.ours),
                exact_money(day.difference),
                _words(day),
            )
            for day in days
        ]
        widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
        for row in (HEADINGS, *rows):
            self.stdout.write(_line(row, widths))
        compared = [day for day in days if day.upstream is not None]
        differing = sum(day.differs for day in compared)
        self.stdout.write(f"{len(compared)} days compared, {differing} differ.\n")
        return sum(day.is_flagged for day in days)


def _words(day: Reconciled) -> str:
    """What is known of a difference, or that nothing is."""
    if day.is_flagged:
        return f"UNEXPLAINED: {day.hint}" if day.hint else "UNEXPLAINED"
    return day.explanation or day.reason


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """Money to the right, words to the left."""
    cells = [
        cell.rjust(width) if 2 <= at <= 4 else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is not a day such as 2026-03-01") from None


def _organizations(slug: str | None) -> list[Organization]:
    from orgadmin.accounts.models import Organization

    found = Organization.objects.defer("management_key").order_by("slug")
    chosen = list(found.filter(slug=slug) if slug else found)
    if slug and not chosen:
        raise CommandError(f"There is no organization “{slug}”.")
    return chosen

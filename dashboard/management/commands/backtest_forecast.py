"""``manage.py backtest_forecast``: how good the forecast of a month has been, against the naive run rate."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

# Nothing that could be judged is neither better nor worse.
NOTHING_TO_JUDGE = 2


class Command(BaseCommand):
    help = (
        "Take every day of the past months for today, forecast the month's end, and print how far off that "
        "was beside the naive run rate (spent so far / days so far x days of the month). Ends with 1 when "
        "the forecast is not better, and with 2 when there is too little history to tell."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", default="", help="only this one (default: all)")

    def handle(self, *args: Any, **given: Any) -> None:
        from orgadmin.accounts.models import Organization
        from orgadmin.usage.backtest import BEFORE, backtest
        from orgadmin.usage.outlook import behind

        found = Organization.objects.order_by("slug")
        if given["organization"]:
            found = found.filter(slug=given["organization"])
            if not found:
                raise CommandError(f"There is no organization “{given['organization']}”.")
        self.stdout.write(_LINE.format(*_HEADINGS))
        scores = []
        for organization in found:
            past = behind(organization, days=MOST_DAYS)
            score = backtest(past.outlook().values, past.first)
            if score is None:
                wanted = f"a whole month is needed, with {BEFORE} days before it"
                self.stdout.write(f"{organization.slug:<20} too little history: {wanted}")
                continue
            scores.append(score)
            self.stdout.write(
                _LINE.format(
                    organization.slug,
                    score.months,
                    len(score.tries),
                    f"{score.error:.1%}",
                    f"{score.naive_error:.1%}",
                    f"{score.coverage:.0%}",
                    f"{score.width:.0%}",
                    "better" if score.is_better else "NOT BETTER",
                )
            )
        if not scores:
            raise CommandError("There is nothing to judge yet.", returncode=NOTHING_TO_JUDGE)
        if not all(score.is_better for score in scores):
            raise CommandError("The forecast is not better than the naive run rate.")


# Two years and a bit: enough months to mean something, and done in seconds.
MOST_DAYS = 800
_HEADINGS = ("organization", "months", "days", "error", "naive", "in interval", "width", "")
_LINE = "{:<20} {:>6} {:>6} {:>8} {:>8} {:>12} {:>7}  {}"

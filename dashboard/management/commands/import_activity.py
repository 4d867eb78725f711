"""``manage.py import_activity``: use from a CSV file, of days that OpenRouter has forgotten."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management import BaseCommand, CommandError

if TYPE_CHECKING:
    from orgadmin.accounts.models import Organization
    from orgadmin.usage.importfile import Layout
    from orgadmin.usage.importing import Imported
    from orgadmin.usage.importrows import FileRow

LISTED_DAYS = 20


class Command(BaseCommand):
    help = (
        "Take over use from a CSV file: one that the Spend page wrote, or any other once its columns are "
        "named with --map. Days that OpenRouter told us of are never changed; a day is imported whole or not "
        "at all; the same file twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV in UTF-8 with a heading")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="THEIRS=OURS",
            help="a column by our name",
        )
        parser.add_argument(
            "--date-format",
            default="",
            metavar="FORMAT",
            help="how days are written: %%d.%%m.%%Y",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **given: Any) -> None:
        from orgadmin.usage.importfile import BadFile
        from orgadmin.usage.importing import usage_import

        organization, path = _organization(given["organization"]), given["file"]
        try:
            layout, rows = _read(path, _renamed(given["map"]), given["date_format"])
        except BadFile as bad:
            raise CommandError(f"Nothing was imported.\n{bad}") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from None
        self._say_layout(layout)
        is_dry = given["dry_run"]
        done = usage_import(organization=organization, rows=rows, name=path.name, is_dry=is_dry)
        self._say(done, is_dry=is_dry)
        if done.refused:
            days = f"{len(done.refused)} {'day' if len(done.refused) == 1 else 'days'}"
            raise CommandError(f"{days} refused; the others are {'fine' if is_dry else 'imported'}.")

    def _say_layout(self, layout: Layout) -> None:
        self.stdout.write(f"Columns understood: {', '.join(layout.places)}.")
        if layout.unused:
            self.stdout.write(f"Columns left out: {', '.join(layout.unused)}.")

    def _say(self, done: Imported, *, is_dry: bool) -> None:
        days = sorted(done.days)
        span = f" ({days[0]} to {days[-1]}, {len(days)} days)" if days else ""
        verb = "would be imported" if is_dry else "imported"
        self.stdout.write(f"{done.rows} rows: {done.written} {verb}{span}, {done.already} there already.")
        for what, count in sorted(done.unknown.items()):
            self.stdout.write(_UNKNOWN[what].format(count=count))
        for refusal in done.refused[:LISTED_DAYS]:
            lines = ", ".join(map(str, refusal.lines))
            self.stdout.write(f"Refused {refusal.day}: {refusal.why} (line {lines}).")
        if len(done.refused) > LISTED_DAYS:
            self.stdout.write(f"… and {len(done.refused) - LISTED_DAYS} more days.")


_UNKNOWN = {
    "key": "{count} rows name a key that is not known here: they count as use of an unknown key.",
    "member": "{count} rows name a member who is not known here: they count as nobody's.",
    "workspace": "{count} rows name a workspace that is not known here: they count as of an unknown one.",
}


def _read(path: Path, renamed: dict[str, str], date_format: str) -> tuple[Layout, Iterable[FileRow]]:
    """Everything that can be wrong with the file shows before anything is written. Then the rows come day by
    day: from the file itself where it has them in that order, as our own has. Raises BadFile and OSError."""
    from orgadmin.usage.importfile import rows

    with path.open(encoding="utf-8-sig", newline="") as file:
        layout, found = rows(file, renamed, date_format)
        is_sorted, last = True, None
        for row in found:
            is_sorted, last = is_sorted and (last is None or last <= row.day), row.day
    again = _again(path, renamed, date_format)
    return layout, again if is_sorted else sorted(again, key=lambda row: row.day)


def _again(path: Path, renamed: dict[str, str], date_format: str) -> Iterable[FileRow]:
    from orgadmin.usage.importfile import rows

    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from rows(file, renamed, date_format)[1]


def _renamed(pairs: list[str]) -> dict[str, str]:
    renamed = {}
    for pair in pairs:
        theirs, equals, ours = pair.rpartition("=")
        if not equals or not theirs.strip() or not ours.strip():
            raise CommandError(f"--map: “{pair}” is not THEIRS=OURS.")
        renamed[theirs.strip()] = ours.strip()
    return renamed


def _organization(slug: str) -> Organization:
    from orgadmin.accounts.models import Organization

    found = Organization.objects.defer("management_key").filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no organization “{slug}”.")
    return found

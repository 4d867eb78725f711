"""Files that cannot be taken over: told where and why, and nothing is half written."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orgadmin.accounts.models import Organization
from orgadmin.usage.models import (
    DaySum,
    UsageDay,
)
from orgadmin.usage.spans import Span
from orgadmin.usage.store import replace_facts
from tests.usage.conftest import NOON
from tests.usage.test_import import HEADING, Bring, bring, row
from tests.usage.upstream import assert_rolled_up

pytestmark = pytest.mark.django_db
__all__ = ["bring"]
TODAY = NOON.date()
EVERYTHING = Span(date(2020, 1, 1), TODAY)


# --- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "The file is empty"),
        ("a,b\n1,2\n", "No column is the day"),
        ("day,requests\n2024-02-29,2\n", "No column is the model"),
        ("day,model\n2024-02-29,m\n", "No column is a number"),
        ("day,day,model,requests\n", "More than one column is “day”"),
        ("day,model,requests\n2024-02-29,m\n", "line 2: has 2 cells where the heading has 3"),
        ("day,model,requests\n2024-02-30,m,1\n", "line 2: day: “2024-02-30” is not a day"),
        ("day,model,requests\n20240229,m,1\n", "line 2: day: “20240229” is not a day"),
        ("day,model,requests\n2024-02-29,,1\n", "line 2: names no model"),
        ("day,model,requests\n2024-02-29,m,1.5\n", "line 2: requests: “1.5” is not a whole number"),
        ("day,model,requests\n2024-02-29,m,1e30\n", "line 2: requests: “1e30” is not a whole number"),
        ("day,model,usage_usd\n2024-02-29,m,NaN\n", "line 2: usage_usd: “NaN” is not a number"),
        ("day,model,usage_usd\n2024-02-29,m,$5\n", "line 2: usage_usd: “$5” is not a number"),
        ("day,model,usage_usd\n2024-02-29,m,1e400\n", "line 2: usage_usd: “1e400” is more than a line"),
        ('day,model,usage_usd\n2024-02-29,"m,1\n', "this is no CSV in UTF-8"),
    ],
)
def test_a_file_that_is_wrong_is_told_where_and_nothing_is_imported(
    synced: Organization, bring: Bring, content: str, words: str
) -> None:
    _, problem = bring(content)
    assert problem.startswith("Nothing was imported.")
    assert words in problem
    assert not UsageDay.objects.exists()
    assert not DaySum.objects.exists()


def test_every_wrong_line_is_told_but_not_thousands_of_them(synced: Organization, bring: Bring) -> None:
    lines = [row(requests="many") for _ in range(500)]
    _, problem = bring([HEADING, row(), *lines, row(day="x")])
    assert "line 3: requests: “many” is not a number." in problem
    assert "line 22: " in problem
    assert "line 23: " not in problem
    assert "… and 481 more." in problem
    assert not UsageDay.objects.exists()


def test_bytes_that_are_no_text(synced: Organization, tmp_path: Path) -> None:
    path = tmp_path / "use.csv"
    path.write_bytes(b"day,model,requests\n2024-02-29,m,1\n2024-02-29,\xff\xfe,1\n")
    with pytest.raises(CommandError, match="no CSV in UTF-8"):
        call_command("import_activity", str(path), "--organization", "acme", stdout=StringIO())
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_activity", str(tmp_path / "none.csv"), "--organization", "acme")
    with pytest.raises(CommandError, match="no organization “nobody”"):
        call_command("import_activity", str(path), "--organization", "nobody")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("Date=day", "There is no column “Date” in the file."),
        ("model=colour", "“colour” is no column of ours."),
        ("model", "is not THEIRS=OURS"),
        ("=day", "is not THEIRS=OURS"),
    ],
)
def test_a_mapping_that_is_wrong(synced: Organization, bring: Bring, mapping: str, words: str) -> None:
    assert words in bring([HEADING, row()], "--map", mapping)[1]


def test_a_byte_order_mark_and_windows_lines_are_no_trouble(synced: Organization, bring: Bring) -> None:
    assert bring("\ufeff" + "\r\n".join([HEADING, row(), ""]))[1] == ""
    assert UsageDay.objects.count() == 1


def test_cut_off_between_two_days_it_is_simply_read_again(
    synced: Organization, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2024, 2, day) for day in range(1, 6)]
    lines = [HEADING, *(row(day=day) for day in days)]

    class Killed(BaseException):
        pass

    replace_day = replace_facts

    def dying(**given: Any) -> int:
        if given["scopes"][0].since == days[3]:
            replace_day(**given)
            raise Killed
        return replace_day(**given)

    monkeypatch.setattr("orgadmin.usage.importing.replace_facts", dying)
    with pytest.raises(Killed):
        bring(lines)
    assert DaySum.objects.count() == UsageDay.objects.count() == 3
    assert_rolled_up(synced)
    monkeypatch.setattr("orgadmin.usage.importing.replace_facts", replace_day)
    said, problem = bring(lines)
    assert problem == ""
    assert "2 imported" in said
    assert "3 there already" in said
    assert UsageDay.objects.count() == 5

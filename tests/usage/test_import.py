"""Use from a file: what is taken over, what is refused, and what is said of it."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dashboard.spend.csv import stream
from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.usage.columns import COLUMNS
from orgadmin.usage.history import gap
from orgadmin.usage.models import (
    NO_KEY,
    UNKNOWN_KEY,
    DaySum,
    HistoryPart,
    Source,
    UsageDay,
    UsageModel,
    UsageProvider,
    UsageRollup,
)
from orgadmin.usage.reading import Question
from orgadmin.usage.reconciliation import reconciled
from orgadmin.usage.spans import Span
from orgadmin.usage.store import Scope, replace_facts
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.upstream import ago, assert_rolled_up

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
OLD = date(2024, 2, 29)
EVERYTHING = Span(date(2020, 1, 1), TODAY)


@pytest.fixture
def bring(synced: Organization, tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Run the command over these lines; what it said, and its last words when it failed."""

    def run(content: str | Iterable[str], *arguments: str, slug: str = "acme") -> tuple[str, str]:
        path = tmp_path / "use.csv"
        path.write_text(content if isinstance(content, str) else "\n".join(content), encoding="utf-8")
        out = StringIO()
        try:
            call_command("import_activity", str(path), "--organization", slug, *arguments, stdout=out)
        except CommandError as error:
            return out.getvalue(), str(error)
        return out.getvalue(), ""

    return run


Bring = Callable[..., tuple[str, str]]


def row(**given: Any) -> str:
    """A line of our own export."""
    values = {
        "day": OLD,
        "source": "activity",
        "key_hash": "unknown",
        "model": "acme/one",
        "model_permaslug": "acme/one-2024",
        "provider": "Acme",
        "endpoint_id": "e-1",
        "requests": 3,
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "usage_usd": "1.250000001",
        "byok_usage_usd": "0.5",
        **given,
    }
    out = StringIO()
    csv.writer(out).writerow([values.get(name, "") for name in COLUMNS])
    return out.getvalue().strip()


HEADING = ",".join(COLUMNS)


def export(organization: Organization) -> str:
    response: Any = stream(organization, Question(organization.pk, EVERYTHING))
    return b"".join(response.streaming_content).decode()


# --- our own export --------------------------------------------------------------------------------


def test_what_was_exported_comes_back_row_for_row(synced: Organization, pulled: Pull, bring: Bring) -> None:
    pulled("activity")
    model = UsageModel.objects.all()[0]
    replace_facts(
        organization_id=synced.pk,
        scopes=[Scope(UNKNOWN_KEY, ago(TODAY, 2), ago(TODAY, 2))],
        facts=[(ago(TODAY, 2), UNKNOWN_KEY, 0, 0, model.pk, 0, 0, 1, 0, 0, 0, 0, -5, 7)],
    )
    text, before = export(synced), held(synced.pk)
    UsageDay.objects.all().delete()
    UsageRollup.objects.all().delete()
    DaySum.objects.all().delete()
    # Its connection is gone, else OpenRouter would still tell of these days.
    Organization.objects.update(status=Organization.Status.DISCONNECTED)
    said, problem = bring(text)
    assert problem == ""
    assert held(synced.pk) == before
    assert f"{sum(before.values())} imported" in said
    assert set(DaySum.objects.values_list("source", "upstream")) == {(Source.IMPORT, None)}
    assert_rolled_up(synced)
    again = export(synced)
    assert again.replace(",import,", ",activity,") == text

    said, problem = bring(text)
    assert problem == ""
    assert f"0 imported, {sum(before.values())} there already" in said
    assert held(synced.pk) == before


def test_days_that_we_hold_and_that_agree_are_there_already(
    synced: Organization, pulled: Pull, bring: Bring
) -> None:
    pulled("activity")
    before = held(synced.pk)
    said, problem = bring(export(synced))
    assert problem == ""
    assert f"0 imported, {sum(before.values())} there already" in said
    assert held(synced.pk) == before
    assert set(DaySum.objects.values_list("source", flat=True)) == {Source.ACTIVITY}
    assert not Entry.objects.filter(action="day.import").exists()


def test_a_day_of_which_one_row_disagrees_is_refused_whole_and_the_others_are_not(
    synced: Organization, pulled: Pull, bring: Bring
) -> None:
    pulled("activity")
    before = held(synced.pk)
    lines = export(synced).splitlines()
    first, *rest = lines[1].split(",")
    tampered = [lines[0], ",".join([first, *rest[:-2], "999", rest[-1]]), *lines[2:], row()]
    # The line at the end belongs to a day long gone: a file need not be in order.
    said, problem = bring(tampered)
    assert "1 day refused; the others are imported." in problem
    assert f"Refused {first}: 1 of " in said
    assert "rows disagree with OpenRouter's activity (line 2)" in said
    after = held(synced.pk)
    assert after - before == held_on(synced, OLD)
    assert before - after == {}
    assert DaySum.objects.get(day=OLD).source == Source.IMPORT


def held_on(organization: Organization, day: date) -> Any:
    return type(held())({fact: count for fact, count in held(organization.pk).items() if fact[0] == day})


# --- one day ---------------------------------------------------------------------------------------


def test_a_day_long_gone_is_taken_over_with_everything_it_names(synced: Organization, bring: Bring) -> None:
    key = Key.objects.exclude(owner=None).exclude(workspace=None)[0]
    assert key.owner is not None
    other = Workspace.objects.exclude(uid=key.workspace_uid)[0]
    said, problem = bring(
        [
            HEADING,
            row(key_hash=key.hash, member_id=key.owner.uid, workspace_id=other.uid),
            row(key_hash="none", requests=0, usage_usd="-0.25", byok_usage_usd=""),
            row(),
        ]
    )
    assert problem == ""
    assert "3 rows: 3 imported (2024-02-29 to 2024-02-29, 1 days), 0 there already." in said
    facts = {fact.key_id: fact for fact in UsageDay.objects.filter(day=OLD)}
    assert set(facts) == {key.pk, NO_KEY, UNKNOWN_KEY}
    mine = facts[key.pk]
    assert (mine.member_id, mine.workspace_id) == (key.owner_id, other.pk)
    assert (mine.usage, mine.byok_usage, mine.requests) == (Decimal("1.250000001"), Decimal("0.5"), 3)
    assert facts[NO_KEY].usage == Decimal("-0.25")
    assert UsageModel.objects.get(pk=mine.model_id).permaslug == "acme/one-2024"
    assert UsageProvider.objects.get(pk=mine.provider_id).name == "Acme"
    entry = Entry.objects.get(action="day.import")
    assert (entry.target_name, entry.actor_name) == ("use.csv", "This dashboard")
    assert entry.after == {"rows": 3, "first_day": "2024-02-29", "last_day": "2024-02-29"}
    (day,) = reconciled(synced, OLD, OLD)
    assert (day.source, day.upstream, day.is_flagged) == (Source.IMPORT, None, False)
    assert_rolled_up(synced)


def test_names_nobody_knows_become_unknown_and_are_counted(synced: Organization, bring: Bring) -> None:
    said, problem = bring(
        [
            HEADING,
            row(key_hash="f" * 64, member_id="user_gone", workspace="Nowhere"),
            row(key_hash="e" * 64, member="Nobody At All", endpoint_id="e-2"),
        ]
    )
    assert problem == ""
    assert "2 rows name a key that is not known here" in said
    assert "2 rows name a member who is not known here" in said
    assert "1 rows name a workspace that is not known here" in said
    assert set(UsageDay.objects.values_list("key_id", "member_id", "workspace_id")) == {(UNKNOWN_KEY, 0, 0)}


def test_an_import_that_is_corrected_replaces_the_day(synced: Organization, bring: Bring) -> None:
    bring([HEADING, row(), row(endpoint_id="e-2")])
    said, problem = bring([HEADING, row(usage_usd="2")])
    assert problem == ""
    assert "1 imported" in said
    assert UsageDay.objects.get().usage == 2
    assert_rolled_up(synced)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (TODAY, "the day is not over"),
        (date(2031, 1, 1), "the day is not over"),
        (ago(TODAY, 1), "activity still tells of it"),
        (ago(TODAY, 30), "activity still tells of it"),
    ],
)
def test_days_that_are_openrouters_to_tell_are_refused(
    synced: Organization, bring: Bring, day: date, words: str
) -> None:
    said, problem = bring([HEADING, row(day=day)])
    assert "1 day refused" in problem
    assert f"Refused {day}: " in said
    assert words in said
    assert not UsageDay.objects.exists()
    assert not DaySum.objects.exists()


def test_a_day_whose_history_is_being_fetched_is_refused_and_a_taken_one_is_not_fetched(
    synced: Organization, pulled: Pull, bring: Bring
) -> None:
    day = ago(TODAY, 100)
    part = HistoryPart.objects.create(
        organization=synced, key_id=1, since=ago(TODAY, 364), until=ago(TODAY, 31)
    )
    said, problem = bring([HEADING, row(day=day)])
    assert "1 day refused" in problem
    assert "history is being fetched" in said
    part.delete()
    assert bring([HEADING, row(day=day)])[1] == ""
    pulled("activity")
    assert gap(synced) == (ago(TODAY, 99), ago(TODAY, 31))
    pulled("history")
    pulled("history")
    assert gap(synced) is None
    assert set(DaySum.objects.filter(source=Source.IMPORT).values_list("day", flat=True)) == {day}
    assert UsageDay.objects.filter(day=day).count() == 1


def test_organizations_do_not_meet(synced: Organization, bring: Bring) -> None:
    Organization.objects.create(
        name="Beta", slug="beta", base_url=synced.base_url, key_hash=hashlib.sha256(b"b").hexdigest()
    )
    key = Key.objects.all()[0]
    said, problem = bring([HEADING, row(key_hash=key.hash)], slug="beta")
    assert problem == ""
    assert "1 rows name a key that is not known here" in said
    assert not UsageDay.objects.filter(organization_id=synced.pk).exists()


# --- any other file --------------------------------------------------------------------------------


def test_any_other_file_once_its_columns_are_named(synced: Organization, bring: Bring) -> None:
    key = Key.objects.exclude(owner=None).exclude(workspace=None).order_by("-usage_monthly")[0]
    assert Key.objects.filter(name=key.name).count() == 1
    file = [
        "Date,Team key,Model,Cost (USD),Calls,Comment",
        f'29.02.2024,"{key.name}",acme/two,0.75,4,fine',
        "",
        "01.03.2024,a key of old,acme/two,1e-3,,",
    ]
    mapping = [
        "--map", "Date=day", "--map", "Team key=key_name", "--map", "Model=model",
        "--map", "Cost (USD)=usage_usd", "--map", "Calls=requests", "--date-format", "%d.%m.%Y",
    ]  # fmt: skip
    said, problem = bring(file, *mapping, "--dry-run")
    assert problem == ""
    assert "Columns understood: day, key_name, model, usage_usd, requests." in said
    assert "Columns left out: Comment." in said
    assert "2 rows: 2 would be imported (2024-02-29 to 2024-03-01, 2 days), 0 there already." in said
    assert not UsageDay.objects.exists()
    assert not DaySum.objects.exists()
    assert not UsageModel.objects.filter(permaslug="acme/two").exists()
    assert not Entry.objects.filter(action="day.import").exists()

    said, problem = bring(file, *mapping)
    assert problem == ""
    first, second = UsageDay.objects.order_by("day")
    # Whose the key is and where, nobody said: as it is now.
    assert (first.key_id, first.member_id, first.workspace_id) == (key.pk, key.owner_id, key.workspace_id)
    assert (first.usage, first.requests, first.provider_id, first.endpoint_id) == (Decimal("0.75"), 4, 0, 0)
    assert (second.key_id, second.usage, second.requests) == (UNKNOWN_KEY, Decimal("0.001"), 0)
    assert bring(file, *mapping)[0].count("0 imported, 2 there already") == 1


def test_a_name_that_two_keys_have_says_nothing(synced: Organization, bring: Bring) -> None:
    first, second = Key.objects.order_by("pk")[:2]
    Key.objects.filter(pk=second.pk).update(name=first.name)
    said, _ = bring(["day,key_name,model,requests", f'2024-02-29,"{first.name}",m,1'])
    assert "1 rows name a key that is not known here" in said


def test_members_and_workspaces_are_found_by_their_names_too(synced: Organization, bring: Bring) -> None:
    member, workspace = Member.objects.exclude(email="")[0], Workspace.objects.all()[0]
    _, problem = bring(
        [
            "day,member,workspace,model,requests",
            f"2024-02-29,{member.email.upper()},{workspace.slug},m,1",
        ]
    )
    assert problem == ""
    fact = UsageDay.objects.get()
    assert (fact.key_id, fact.member_id, fact.workspace_id) == (UNKNOWN_KEY, member.pk, workspace.pk)


def test_what_a_spreadsheet_would_calculate_comes_back_as_it_was(synced: Organization, bring: Bring) -> None:
    key = Key.objects.all()[0]
    Key.objects.filter(pk=key.pk).update(name="=SUM(A1)")
    _, problem = bring(["day,key_name,model,requests", "2024-02-29,'=SUM(A1),'@cf/model,1"])
    assert problem == ""
    fact = UsageDay.objects.get()
    assert fact.key_id == key.pk
    assert UsageModel.objects.filter(permaslug="@cf/model").exists()

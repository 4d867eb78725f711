"""The audit log's filters, on the page and in the export."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Outcome
from orgadmin.audit.services import Target
from tests.auditlog.acting import LOG, act, csv_of, text_of
from tests.conftest import SignIn


@pytest.fixture
def busy_log(organization: Organization, admin: User, owner: User) -> Organization:
    """A week of acts by several people and from outside."""
    key, other = Target("key", "ab" * 32, "batch-etl"), Target("key", "cd" * 32, "support-bot")
    monday = datetime(2026, 11, 16, 23, 30, tzinfo=UTC)
    with time_machine.travel(monday, tick=False):
        act(organization, admin, "key.disable", target=key)
    with time_machine.travel(monday + timedelta(hours=1), tick=False):
        act(organization, owner, "key.update", target=other, outcome=Outcome.FAILED, message="No.")
        audit.note(
            actor=owner,
            organization=organization,
            action="person.invite",
            target=Target("invitation", "1", "nina@house.test"),
        )
    with time_machine.travel(monday + timedelta(days=2), tick=False):
        audit.outside_entry(
            organization=organization,
            action="key.delete",
            target=other,
            before={"name": "support-bot"},
            after=None,
        ).save()
        act(
            organization,
            None,
            "workspace.update",
            target=Target("workspace", "w-1", "Research"),
            outcome=None,
        )
        act(organization, admin, "key.create", target=Target("key", "", "brand-new"), outcome=Outcome.UNKNOWN)
    return organization


def shown(sign_in: SignIn, user: User, query: str) -> list[str]:
    """The actions of the rows that a query shows, oldest first."""
    response = sign_in(user).get(f"{LOG}csv/?{query}")
    rows = list(csv.DictReader(io.StringIO(csv_of(response))))
    page = text_of(sign_in(user).get(f"{LOG}?{query}"))
    assert f"of {len(rows)} change" in page or not rows
    return [row["action"] for row in reversed(rows)]


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("actor=person", ["key.disable", "key.update", "person.invite", "key.create"]),
        ("actor=outside", ["key.delete"]),
        ("actor=system", ["workspace.update"]),
        ("actor=adam", ["key.disable", "key.create"]),
        ("noun=invitation", ["person.invite"]),
        ("noun=key&action=delete", ["key.delete"]),
        ("action=key.update", ["key.update"]),
        ("action=update", ["key.update", "workspace.update"]),
        ("target=SUPPORT", ["key.update", "key.delete"]),
        ("target=abab", ["key.disable"]),
        ("outcome=ok", ["key.disable", "person.invite", "key.delete"]),
        ("outcome=failed", ["key.update"]),
        ("outcome=unknown", ["key.create"]),
        ("outcome=lost", ["workspace.update"]),
        ("outcome=started", []),
        ("since=2026-11-17", ["key.update", "person.invite", "key.delete", "workspace.update", "key.create"]),
        ("until=2026-11-16", ["key.disable"]),
        ("since=2026-11-17&until=2026-11-17", ["key.update", "person.invite"]),
        ("since=2026-11-17&actor=person&outcome=failed&target=support", ["key.update"]),
    ],
)
def test_filters(
    busy_log: Organization, viewer: User, sign_in: SignIn, query: str, actions: list[str]
) -> None:
    assert shown(sign_in, viewer, query) == actions


def test_a_person_is_chosen_by_number(
    busy_log: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    assert shown(sign_in, viewer, f"actor={admin.pk}") == ["key.disable", "key.create"]
    page = text_of(sign_in(viewer).get(f"{LOG}?actor={admin.pk}"))
    assert f'<option value="{admin.pk}" selected>Adam</option>' in page


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday&until=2026-13-45&outcome=maybe&page=-1",
        "since=0001-01-01&until=9999-12-31",
        "actor=99999999999999999999999999&target=%00%00&noun=%F0%9F%94%91&page=1e9",
        "action=" + "x" * 5000,
        "target=%25%27%22--",
    ],
)
def test_nonsense_in_the_address_opens_a_log_all_the_same(
    busy_log: Organization, viewer: User, sign_in: SignIn, query: str
) -> None:
    assert sign_in(viewer).get(f"{LOG}?{query}").status_code == 200
    assert sign_in(viewer).get(f"{LOG}csv/?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=garbage", "shown without it: the first day “garbage”."),
        ("until=2026-13-45", "shown without it: the last day “2026-13-45”."),
        ("outcome=<b>", "shown without it: the outcome “&lt;b&gt;”."),
        ("since=2026-11-18&until=2026-11-16", "its first day is after its last, so nothing matches."),
    ],
)
def test_a_filter_that_makes_no_sense_is_told(
    busy_log: Organization, viewer: User, sign_in: SignIn, query: str, words: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        page = text_of(sign_in(viewer).get(f"{LOG}?{query}", headers=headers))
        assert "This filter was not understood" in page
        assert words in page
    assert "Clear filters" in text_of(sign_in(viewer).get(f"{LOG}?{query}"))


def test_filters_that_make_sense_are_not_commented(
    busy_log: Organization, viewer: User, sign_in: SignIn
) -> None:
    page = text_of(sign_in(viewer).get(f"{LOG}?since=2026-11-16&until=2026-11-16&outcome=ok"))
    assert "not understood" not in page


def test_nothing_matches(busy_log: Organization, viewer: User, sign_in: SignIn) -> None:
    page = text_of(sign_in(viewer).get(f"{LOG}?target=nobody"))
    assert "No change matches" in page
    assert f'href="{LOG}"' in page


def test_htmx_gets_the_list_alone(busy_log: Organization, viewer: User, sign_in: SignIn) -> None:
    page = text_of(sign_in(viewer).get(f"{LOG}?noun=key", headers={"HX-Request": "true"}))
    assert "<html" not in page
    assert 'id="acts"' in page

"""The filtered keys as CSV."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.pages import spreadsheet_safe
from tests.conftest import SignIn
from tests.keys.conftest import add_keys, shown, text_of

CSV = "/o/acme/keys/csv/"
LIST = "/o/acme/keys/"


def lines(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    return list(csv.DictReader(StringIO(text_of(response), newline="")))


def test_it_holds_every_key_with_everything_the_page_shows(
    desk: Client, synced: Organization, key: Key
) -> None:
    rows = lines(desk.get(CSV))
    assert len(rows) == 40
    row = next(row for row in rows if row["hash"] == key.hash)
    assert key.owner is not None
    assert key.workspace is not None
    assert (row["name"], row["label"]) == (key.name, key.label)
    assert (row["workspace"], row["owner"]) == (key.workspace.name, str(key.owner))
    assert (row["owner_email"], row["state"]) == (key.owner.email, key.state)
    assert row["usage_monthly_usd"] == f"{key.usage_monthly:f}"
    assert row["created_at"].endswith("Z")


@pytest.mark.parametrize(
    "asked",
    [{"q": "prod"}, {"state": "disabled"}, {"state": "gone"}, {"workspace": "default", "limit": "without"}],
)
def test_it_holds_what_the_list_shows(desk: Client, synced: Organization, asked: dict[str, str]) -> None:
    assert {row["hash"] for row in lines(desk.get(CSV, asked))} == set(shown(desk.get(LIST, asked)))


def test_it_has_no_pages(desk: Client, synced: Organization) -> None:
    add_keys(synced, 1100)
    assert len(lines(desk.get(CSV, {"page": "2"}))) == 1140


def test_it_is_streamed_as_a_file(desk: Client, synced: Organization) -> None:
    response: Any = desk.get(CSV)
    assert response.streaming
    pieces = iter(response.streaming_content)
    assert next(pieces).startswith(b"name,label,hash,")
    assert next(pieces).count(b"\r\n") == 1
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="keys-acme-')


def test_no_name_becomes_a_formula(desk: Client, synced: Organization) -> None:
    assert Key.objects.filter(name="=SUM(team)").exists()
    names = [row["name"] for row in lines(desk.get(CSV))]
    assert "'=SUM(team)" in names
    assert not [name for name in names if name[:1] in tuple("=+-@\t\r\n")]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-2+3", "-cmd|' /C calc'!A0", "＝1+1", "＠A1"]
)
def test_what_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert spreadsheet_safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1.50", "-0", "12.5", "prod-api", "a=b", ""])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert spreadsheet_safe(text) == text


def test_a_member_gets_their_own_keys_only(member: User, sign_in: SignIn) -> None:
    desk = sign_in(member)
    rows = lines(desk.get(CSV))
    assert rows
    assert {row["owner_email"].lower() for row in rows} == {member.email}

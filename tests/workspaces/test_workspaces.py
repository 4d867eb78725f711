"""The workspaces: what each holds and costs, and one of them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.services import Target, outside_entry
from orgadmin.inventory.models import Key, Workspace
from orgadmin.usage.clock import today
from orgadmin.usage.models import Dimension, month_of
from orgadmin.usage.openday import spent_this_month
from orgadmin.usage.reading import Question, groups
from orgadmin.usage.spans import Span
from tests.conftest import SignIn, person
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
LIST = "/o/acme/workspaces/"


@pytest.fixture
def reader(synced: Organization, viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)


def page_of(browser: Client, address: str = LIST) -> str:
    response: Any = browser.get(address)
    assert response.status_code == 200, address
    text: str = response.content.decode()
    return text


def names(browser: Client, query: str = "") -> list[str]:
    """The workspaces in the order of the list, from the CSV of it."""
    answer: Any = browser.get(f"{LIST}csv/{query}")
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    return [row["name"] for row in rows]


def one(organization: Organization) -> Workspace:
    """The workspace with most keys."""
    rows = Workspace.objects.filter(organization=organization, gone_at=None)
    return max(rows, key=lambda row: row.keys.filter(gone_at=None).count())


def test_the_list_says_what_each_holds(reader: Client, synced: Organization) -> None:
    page = page_of(reader)
    workspace = one(synced)
    keys = Key.objects.filter(workspace=workspace, gone_at=None)
    assert workspace.name in page
    assert f'<td class="end when-wide">{keys.count()}</td>' in page
    owners = keys.exclude(owner=None).values("owner").distinct().count()
    assert f'<td class="end when-wide">{owners}</td>' in page
    assert "Workspaces" in page


def test_its_spend_is_that_of_the_month_and_today(reader: Client, synced: Organization, pulled: Pull) -> None:
    for kind in ("activity", "today"):
        pulled(kind)
    workspace = one(synced)
    month = groups(
        Question(synced.pk, Span(month_of(today()), today() - timedelta(days=1))), Dimension.WORKSPACE
    )
    spent = spent_this_month(synced, Dimension.WORKSPACE)
    assert spent is not None
    assert spent[workspace.pk] > month[workspace.pk].total > 0, "today is missing"
    shown = f"${spent[workspace.pk]:,.2f}"
    assert shown in page_of(reader)
    assert shown in page_of(reader, f"{LIST}{workspace.uid}/")


def test_it_is_searched_and_sorted(reader: Client, synced: Organization) -> None:
    rows = list(Workspace.objects.filter(organization=synced, gone_at=None))
    assert len(rows) > 2
    assert names(reader) == sorted((row.name for row in rows), key=str.casefold)
    by_keys = names(reader, "?sort=-keys")
    assert by_keys[0] == one(synced).name
    assert set(by_keys) == {row.name for row in rows}
    assert names(reader, f"?q={rows[0].slug}") == [
        row.name for row in rows if rows[0].slug in row.slug or rows[0].slug in row.name
    ]
    assert "No workspace matches" in page_of(reader, f"{LIST}?q=nothing-is-called-this")
    assert names(reader, "?sort=nonsense&gone=nonsense") == names(reader)


def test_deleted_ones_are_there_on_request(reader: Client, synced: Organization) -> None:
    workspace = one(synced)
    Workspace.objects.filter(pk=workspace.pk).update(gone_at=timezone.now())
    assert workspace.name not in names(reader)
    assert names(reader, "?gone=1") == [workspace.name]
    page = page_of(reader, f"{LIST}{workspace.uid}/")
    assert "no longer exists at OpenRouter" in page
    assert "Month-end forecast" not in page


def test_a_cell_of_the_csv_is_no_formula(reader: Client, synced: Organization) -> None:
    Workspace.objects.filter(pk=one(synced).pk).update(name="=1+1")
    assert "'=1+1" in names(reader)


def test_one_shows_settings_forecast_history_and_its_spend_by_address(
    reader: Client, synced: Organization, pulled: Pull
) -> None:
    pulled("activity")
    workspace = one(synced)
    workspace.default_text_model = "author/model"
    workspace.extra = {"colour": "blue"}
    workspace.save()
    target = Target(type="workspace", id=workspace.uid, name=workspace.name)
    outside_entry(
        organization=synced,
        action="workspace.update",
        target=target,
        before={"name": "Old name"},
        after={"name": workspace.name},
    ).save()
    page = page_of(reader, f"{LIST}{workspace.uid}/")
    for text in ("author/model", "colour", "blue", "Old name", "Month-end forecast", "between $"):
        assert text in page, text
    panel = f"/o/acme/spend/panel/?workspace={workspace.slug}"
    assert panel in page
    assert "Spend of 30 days" in page_of(reader, panel)


def test_before_anything_was_spent_it_says_so(reader: Client, synced: Organization) -> None:
    page = page_of(reader, f"{LIST}{one(synced).uid}/")
    assert "nothing was pulled yet" in page
    assert "$0.00" not in page
    assert "$0.00" not in page_of(reader)


def test_a_slug_given_again_leads_to_the_workspace_that_is_there(
    reader: Client, synced: Organization, pulled: Pull
) -> None:
    pulled("activity")
    workspace = one(synced)
    Workspace.objects.create(
        organization=synced, uid="old", name="Old", slug=workspace.slug, gone_at=timezone.now()
    )
    spent = page_of(reader, f"/o/acme/spend/panel/?workspace={workspace.slug}")
    assert "Nothing was spent" not in spent
    assert "Nothing was spent" in page_of(reader, "/o/acme/spend/panel/?workspace=old")
    assert "panel/?workspace=old" in page_of(reader, f"{LIST}old/")


def test_another_organizations_is_not_there(reader: Client, synced: Organization) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1")
    Workspace.objects.create(organization=other, uid="theirs", name="Theirs", slug="theirs")
    assert reader.get(f"{LIST}theirs/").status_code == 404
    assert "Theirs" not in page_of(reader)


def test_before_the_first_sync_the_list_says_so(organization: Organization, sign_in: SignIn) -> None:
    browser = sign_in(person("vic@house.test", organization, "viewer"))
    assert "See the sync" in page_of(browser)


def test_it_asks_as_often_for_many_as_for_few(reader: Client, synced: Organization) -> None:
    with CaptureQueriesContext(connection) as few:
        page_of(reader)
    Workspace.objects.bulk_create(
        Workspace(organization=synced, uid=f"w{n}", name=f"W {n}", slug=f"w-{n}") for n in range(70)
    )
    with CaptureQueriesContext(connection) as many:
        assert "1–50 of" in page_of(reader)
    assert len(many) == len(few)

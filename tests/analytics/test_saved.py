"""Saved queries: by role, and in the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dashboard.analytics import saving
from orgadmin.accounts.models import Organization, Role, User
from orgadmin.audit.models import Entry
from orgadmin.usage.models import SavedQuery
from tests.analytics.asking import HTMX, PAGE, run, text_of
from tests.conftest import SignIn, person

QUESTION = "metric=total_usage&by=model&every=none&range=31d"
FORM = {"name": "Models of the month", "question": QUESTION}


@pytest.fixture
def keeper(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


@pytest.fixture
def saved(keeper: Client) -> SavedQuery:
    assert keeper.post(f"{PAGE}saved/new/", FORM).status_code == 302
    return SavedQuery.objects.get()


def test_it_is_saved_listed_and_opened(keeper: Client, saved: SavedQuery, admin: User) -> None:
    assert saved.created_by == admin
    page = text_of(keeper.get(f"{PAGE}saved/"))
    address = f"{PAGE}?{QUESTION}&run=1".replace("&", "&amp;")
    assert f'<a class="name" href="{address}">Models of the month</a>' in page
    assert address in text_of(keeper.get(PAGE))
    entry = Entry.objects.get(action="saved_query.create")
    assert (entry.actor, entry.target_name) == (admin, "Models of the month")
    log = text_of(keeper.get("/o/acme/audit-log/"))
    assert "Save query" in log


def test_the_sheet_carries_the_question(keeper: Client) -> None:
    run(keeper, metric="total_usage")
    sheet = text_of(keeper.get(f"{PAGE}saved/new/?{QUESTION}", headers=HTMX))
    assert "Total spend by Model, last 31 days" in sheet
    assert QUESTION.replace("&", "&amp;") in sheet


def test_a_name_is_taken_once_in_an_organization(keeper: Client, saved: SavedQuery) -> None:
    again = keeper.post(f"{PAGE}saved/new/", FORM, headers=HTMX)
    assert again.status_code == 400
    assert "Another saved query is called “Models of the month”" in text_of(again)
    other = SavedQuery.objects.create(organization=saved.organization, name="Other")
    renamed = keeper.post(f"{PAGE}saved/{other.pk}/rename/", {"name": saved.name}, headers=HTMX)
    assert renamed.status_code == 400
    assert Entry.objects.filter(target_type="saved_query").count() == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "", "question": QUESTION}, "Give the query a name."),
        ({"name": "x" * 101, "question": QUESTION}, "at most 100 characters"),
        ({"name": "a\u202eb", "question": QUESTION}, "cannot be seen"),
        ({"name": "Nothing", "question": ""}, "no question to save"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(keeper: Client, form: dict[str, str], words: str) -> None:
    response = keeper.post(f"{PAGE}saved/new/", form, headers=HTMX)
    assert response.status_code == 400
    assert words in text_of(response)
    assert not SavedQuery.objects.exists()


def test_there_are_not_more_than_anybody_reads(
    keeper: Client, saved: SavedQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MOST", 1)
    response = keeper.post(f"{PAGE}saved/new/", {**FORM, "name": "One more"}, headers=HTMX)
    assert "as many as there can be" in text_of(response)


def test_it_is_renamed(keeper: Client, saved: SavedQuery) -> None:
    assert saved.name in text_of(keeper.get(f"{PAGE}saved/{saved.pk}/rename/", headers=HTMX))
    assert keeper.post(f"{PAGE}saved/{saved.pk}/rename/", {"name": "Monthly models"}).status_code == 302
    saved.refresh_from_db()
    assert saved.name == "Monthly models"
    entry = Entry.objects.get(action="saved_query.rename")
    assert (entry.before, entry.after) == ({"name": "Models of the month"}, {"name": "Monthly models"})
    keeper.post(f"{PAGE}saved/{saved.pk}/rename/", {"name": "Monthly models"})
    assert Entry.objects.filter(action="saved_query.rename").count() == 1


def test_it_is_deleted_after_a_question(keeper: Client, saved: SavedQuery) -> None:
    assert "disappears for everybody" in text_of(keeper.get(f"{PAGE}saved/{saved.pk}/delete/", headers=HTMX))
    assert SavedQuery.objects.exists()
    assert keeper.post(f"{PAGE}saved/{saved.pk}/delete/").status_code == 302
    assert not SavedQuery.objects.exists()
    before = Entry.objects.get(action="saved_query.delete").before
    assert before is not None
    assert before["address"] == QUESTION


def test_viewers_read_and_change_nothing(saved: SavedQuery, viewer: User, sign_in: SignIn) -> None:
    browser = sign_in(viewer)
    page = text_of(browser.get(f"{PAGE}saved/"))
    assert saved.name in page
    assert "Rename" not in page
    assert "answer-save" not in run(browser, metric="total_usage")
    for path in ("new/", f"{saved.pk}/rename/", f"{saved.pk}/delete/"):
        assert browser.post(f"{PAGE}saved/{path}", FORM).status_code == 403
    assert SavedQuery.objects.get().name == FORM["name"]


def test_owners_and_administrators_save(owner: User, synced: Organization, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    assert "answer-save" in run(browser, metric="total_usage")
    assert browser.post(f"{PAGE}saved/new/", FORM).status_code == 302


def test_another_organizations_query_is_not_found(saved: SavedQuery, sign_in: SignIn) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url="https://x.test/api/v1")
    browser = sign_in(person("bob@beta.test", other, Role.OWNER))
    for path in ("rename/", "delete/"):
        assert browser.post(f"/o/beta/analytics/saved/{saved.pk}/{path}", FORM).status_code == 404
    assert saved.name not in text_of(browser.get("/o/beta/analytics/saved/"))


def test_a_row_that_holds_nonsense_still_opens(keeper: Client, saved: SavedQuery) -> None:
    shapes: list[Any] = [[], "x", {"metric": "total_usage"}, {"metric": [1, None]}]
    for nonsense in shapes:
        SavedQuery.objects.filter(pk=saved.pk).update(question=nonsense)
        assert keeper.get(f"{PAGE}saved/").status_code == 200
        assert keeper.get(PAGE).status_code == 200

"""What changed in the catalog lately, of all models."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.catalog.models import CatalogChange, CatalogModel
from orgadmin.usage.models import UsageModel
from tests.catalog.shelf import SLUG, stock
from tests.conftest import SignIn
from tests.usage.conftest import Pull

pytestmark = pytest.mark.django_db
PAGE = "/o/acme/models/changes/"


@pytest.fixture
def reader(synced: Organization, viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)


def text(browser: Client, query: str = "") -> str:
    response: Any = browser.get(f"{PAGE}{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_nothing_has_changed_yet(reader: Client) -> None:
    assert "Nothing has changed" in text(reader)


def test_changes_are_listed_and_filtered(reader: Client, synced: Organization) -> None:
    stock(synced)
    CatalogChange.objects.create(organization=synced, slug="house/two", tag="alpha", what="vanished")
    page = text(reader)
    assert "1–6 of 6 changes" in page
    assert f"/o/acme/models/{SLUG}/" in page
    assert "$1.00 per million tokens" in page
    assert "1–2 of 2 changes" in text(reader, "?what=price")
    assert "1–1 of 1 change" in text(reader, "?about=providers")
    assert "1–5 of 5 changes" in text(reader, "?about=models")
    assert "1–1 of 1 change" in text(reader, "?q=house+two")
    assert "No change matches" in text(reader, "?q=nobody")
    assert "1–6 of 6 changes" in text(reader, "?what=nonsense&page=x")


def test_only_what_is_used_here(
    reader: Client, synced: Organization, pulled: Pull, member: User, sign_in: SignIn
) -> None:
    pulled("catalog")
    pulled("activity")
    used = UsageModel.objects.values_list("permaslug", flat=True)
    model = CatalogModel.objects.filter(permaslug__in=used)[0]
    idle = CatalogModel.objects.exclude(permaslug__in=used)[0]
    for one in (model, idle):
        CatalogChange.objects.create(organization=synced, slug=one.slug, what="vanished")
    page = text(reader, "?used=yes")
    assert "1–1 of 1 change" in page
    assert f"/models/{model.slug}/" in page
    # Who does not read everything learns nothing of use.
    assert "1–2 of 2 changes" in text(sign_in(member), "?used=yes")


def test_queries_do_not_grow(reader: Client, synced: Organization) -> None:
    stock(synced)
    counts = []
    for number in (1, 60):
        for _ in range(number):
            CatalogChange.objects.create(organization=synced, slug="house/two", what="vanished")
        with CaptureQueriesContext(connection) as queries:
            text(reader)
        counts.append(len(queries))
    # Three of them are the session, the user and the memberships.
    assert counts[0] == counts[1] <= 6


def test_another_organization_sees_its_own(reader: Client, synced: Organization) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url=synced.base_url)
    stock(other)
    assert "Nothing has changed" in text(reader)
    assert reader.get(f"/o/acme/models/{SLUG}/").status_code == 404

"""Are we all right? The first page tells it from what was pulled, in few queries."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.summary import refresh_summary
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import Dimension, month_of
from orgadmin.usage.openday import hours
from orgadmin.usage.reading import Question, groups, total
from orgadmin.usage.spans import Span
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
PAGE = "/o/acme/"


@pytest.fixture
def reader(synced: Organization, viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)


def page_of(browser: Client) -> str:
    response: Any = browser.get(PAGE)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def test_its_figures_are_those_of_the_spend_page(reader: Client, synced: Organization, pulled: Pull) -> None:
    for kind in ("credits", "activity", "today"):
        pulled(kind)
    page = page_of(reader)
    yesterday = today() - timedelta(days=1)
    week = total(Question(synced.pk, Span(yesterday - timedelta(days=6), yesterday))).total
    month = total(Question(synced.pk, Span(month_of(today()), yesterday))).total
    by_hour = hours(synced.pk, Dimension.TOTAL, midnight(today()))
    now = sum((amounts.total for _, _, amounts in by_hour), Decimal(0))
    for amount in (week, now, month + now):
        assert f"${amount:,.2f}" in page
    keys = groups(Question(synced.pk, Span(yesterday - timedelta(days=29), yesterday)), Dimension.KEY)
    largest = Key.objects.get(pk=max((part for part in keys if part > 0), key=lambda part: keys[part].total))
    assert largest.name in page
    assert "Month-end forecast" in page
    assert "Needs attention" in page


def test_before_anything_was_pulled_it_says_so(
    organization: Organization, viewer: User, sign_in: SignIn
) -> None:
    page = page_of(sign_in(viewer))
    assert "Nothing was used yet" in page
    assert "not asked for yet" in page
    assert "nothing was pulled yet" in page


def test_what_needs_somebody_is_named_and_leads_there(reader: Client, synced: Organization) -> None:
    keys = list(Key.objects.filter(organization=synced, gone_at=None).order_by("pk"))
    Key.objects.update(disabled=True)
    near, spent = keys[0], keys[1]
    soon = timezone.now() + timedelta(days=3, hours=1)
    Key.objects.filter(pk=near.pk).update(disabled=False, expires_at=soon, limit=None)
    Key.objects.filter(pk=spent.pk).update(
        disabled=False, expires_at=None, limit=Decimal(5), limit_remaining=Decimal(0)
    )
    SyncRun.objects.create(
        organization=synced, kind="activity", state=SyncRun.State.FAILED, error="OpenRouter is on fire."
    )
    refresh_summary(synced)
    page = page_of(reader)
    assert "3 d" in page
    assert f"/o/acme/keys/{near.hash}/rotate/" in page
    assert f"/o/acme/keys/{spent.hash}/" in page
    assert "has reached its limit and refuses requests" in page
    assert "OpenRouter is on fire." in page


def test_a_change_made_outside_is_told(
    reader: Client, synced: Organization, sandbox: RunningSandbox, pulled: Pull
) -> None:
    assert "made outside this dashboard" not in page_of(reader)
    key = Key.objects.filter(organization=synced).first()
    assert key is not None
    sandbox.sandbox.outside.update_key(key.hash, name="renamed elsewhere")
    pulled("keys")
    assert "1 change" in page_of(reader)


def test_nothing_to_do_is_said_too(reader: Client, synced: Organization) -> None:
    Key.objects.update(disabled=True)
    refresh_summary(synced)
    assert "Nothing needs you" in page_of(reader)


def test_a_member_does_not_see_it(synced: Organization, member: User, sign_in: SignIn) -> None:
    assert sign_in(member).get(PAGE).status_code == 403


def test_the_queries_are_few(reader: Client, synced: Organization, pulled: Pull) -> None:
    for kind in ("credits", "activity", "today", "history"):
        pulled(kind)
    with CaptureQueriesContext(connection) as queries:
        page_of(reader)
    assert len(queries) <= 75


def test_a_key_page_loads_what_the_key_spent(
    reader: Client, synced: Organization, pulled: Pull, member: User, sign_in: SignIn
) -> None:
    pulled("activity")
    key = Key.objects.filter(organization=synced).order_by("-usage_monthly").first()
    assert key is not None
    address = f"/o/acme/spend/panel/?key={key.hash}"
    assert f'hx-get="{address}"' in reader.get(f"/o/acme/keys/{key.hash}/").content.decode()
    part = reader.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "More about this spend" in part
    assert "<html" not in part
    others = Key.objects.filter(organization=synced).exclude(owner__email__iexact=member.email)
    mine = sign_in(member)
    foreign = others.first()
    assert foreign is not None
    assert mine.get(f"/o/acme/spend/panel/?key={foreign.hash}").status_code == 404
    assert reader.get("/o/acme/spend/panel/?key=nonsense").status_code == 404

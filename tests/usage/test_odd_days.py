"""Days that are out of the ordinary: one that everything happened on, a model that is no more, odd prices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.usage.models import DaySum, Dimension, Source, UsageDay, UsageModel, UsageRollup
from orgadmin.usage.store import Scope, replace_facts
from tests.conftest import SignIn
from tests.spend.test_spend_page import headline, page_of, rows_of
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import fact
from tests.usage.upstream import Upstream, ago

pytestmark = pytest.mark.django_db
YESTERDAY = NOON.date() - timedelta(days=1)


def held(organization: Organization, facts: list[Any]) -> None:
    """The facts, as if activity had told them yesterday."""
    keys = sorted({one[1] for one in facts})
    scopes = [Scope(key, YESTERDAY, YESTERDAY) for key in keys]
    replace_facts(organization_id=organization.pk, scopes=scopes, facts=facts)
    DaySum.objects.update_or_create(
        organization=organization, day=YESTERDAY, defaults={"source": Source.ACTIVITY}
    )


def test_a_crowded_day_is_read_like_any_other(
    synced: Organization, clock: Any, viewer: User, sign_in: SignIn
) -> None:
    """The same questions, and the same number of them, for forty facts and for twenty thousand."""
    model = UsageModel.objects.create(permaslug="house/one-20260101", slug="house/one")
    keys = list(Key.objects.filter(organization=synced).values_list("pk", flat=True))
    browser = sign_in(viewer)
    counts = []
    for each in (1, 500):
        held(
            synced,
            [
                fact(YESTERDAY, key=key, model=model.pk + at, nano=10**9 // each)
                for key in keys
                for at in range(each)
            ],
        )
        with CaptureQueriesContext(connection) as queries:
            pages = [
                page_of(browser, f"?since={YESTERDAY}&until={YESTERDAY}&group={group}&{more}")
                for group, more in (("model", ""), ("key", ""), ("provider", "model=house/one-20260101"))
            ]
        counts.append(len(queries))
        assert headline(pages[0]) == headline(pages[1]) == f"${len(keys):,}.00"
        assert len(rows_of(pages[0])) <= 51
    assert UsageDay.objects.filter(organization_id=synced.pk).count() == 500 * len(keys)
    assert counts[0] == counts[1]


def test_a_model_that_is_no_more_keeps_its_name_and_what_it_cost(
    synced: Organization,
    pulled: Pull,
    clock: time_machine.Traveller,
    upstream: Upstream,
    viewer: User,
    sign_in: SignIn,
) -> None:
    pulled("activity")
    today = NOON.date()
    since, until = ago(today, 30), ago(today, 1)
    query = f"?since={since}&until={until}"
    before = rows_of(page_of(sign_in(viewer), query))

    # Beyond what activity remembers: no answer mentions these days, or a model of them alone, any more.
    clock.shift(timedelta(days=45))
    pulled("activity")

    assert rows_of(page_of(sign_in(viewer), query)) == before
    upstream.running.sandbox.clear_requests()
    known = set(UsageModel.objects.values_list("permaslug", flat=True))
    assert known >= {row["model_permaslug"] for row in upstream.rows()}


def test_a_model_that_is_known_by_its_permaslug_alone_is_called_that(
    synced: Organization, clock: Any, viewer: User, sign_in: SignIn
) -> None:
    model = UsageModel.objects.create(permaslug="house/forgotten-20240101")
    key = Key.objects.filter(organization=synced).first()
    assert key is not None
    held(synced, [fact(YESTERDAY, key=key.pk, model=model.pk, nano=2 * 10**9)])
    assert rows_of(page_of(sign_in(viewer), "?range=7d")) == [("house/forgotten-20240101", "$2.00")]


def test_a_router_without_a_price_costs_what_was_billed(
    synced: Organization, clock: Any, viewer: User, sign_in: SignIn
) -> None:
    """Routers publish prices of -1 (FACTS 1.9): what use cost is what OpenRouter billed, never a product."""
    router = UsageModel.objects.create(permaslug="openrouter/auto", slug="openrouter/auto")
    free = UsageModel.objects.create(permaslug="house/free", slug="house/free")
    key = Key.objects.filter(organization=synced).first()
    assert key is not None
    held(
        synced,
        [
            fact(YESTERDAY, key=key.pk, model=router.pk, nano=3 * 10**9, tokens=2_000_000),
            fact(YESTERDAY, key=key.pk, model=free.pk, requests=9),
        ],
    )
    page = page_of(sign_in(viewer), "?range=7d")
    assert rows_of(page) == [("openrouter/auto", "$3.00"), ("house/free", "$0.00")]
    assert "$1.00" in page
    assert "-$" not in page
    assert "No tokens were counted" in page
    total = UsageRollup.objects.filter(organization_id=synced.pk, dimension=Dimension.TOTAL, start=YESTERDAY)
    assert total.get(grain=0).usage == Decimal(3)

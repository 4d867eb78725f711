"""A limit that would stop working keys at once is not set for many of them unasked."""

from __future__ import annotations

from decimal import Decimal

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.jobs.models import Job
from orgadmin.keys.bulk import blocked_by
from orgadmin.keys.forms import OWN_WINDOW
from tests.conftest import SignIn

START = "/o/acme/keys/bulk/start/"


def test_it_counts_working_keys_that_have_spent_the_limit(synced: Organization) -> None:
    keys = Key.objects.filter(organization=synced)
    Key.objects.update(usage=1, byok_usage=4, usage_daily=0, limit_remaining=None, disabled=False)
    Key.objects.update(include_byok_in_limit=False)
    some = list(keys.values_list("pk", flat=True)[:3])
    keys.filter(pk=some[0]).update(usage=5)
    keys.filter(pk=some[1]).update(include_byok_in_limit=True)
    keys.filter(pk=some[2]).update(usage=9, disabled=True)

    assert blocked_by(keys, limit=Decimal(5), limit_reset=None) == 2
    assert blocked_by(keys, limit=Decimal("5.01"), limit_reset=None) == 0
    assert blocked_by(keys, limit=Decimal(5), limit_reset="daily") == 0
    assert blocked_by(keys, limit=None, limit_reset=None) == 0
    assert blocked_by(keys, limit=Decimal(5), limit_reset=None, counts_byok=True) == keys.count() - 1
    assert blocked_by(keys, limit=Decimal(5), limit_reset=None, counts_byok=False) == 1


def test_it_counts_each_in_the_window_it_has(synced: Organization) -> None:
    keys = Key.objects.filter(organization=synced)
    Key.objects.update(usage=9, usage_daily=5, byok_usage=0, byok_usage_daily=0, limit_remaining=None)
    Key.objects.update(disabled=False, limit_reset="daily")
    keys.filter(pk=keys[0].pk).update(limit_reset=None)

    assert blocked_by(keys, limit=Decimal(6), limit_reset=OWN_WINDOW) == 1
    assert blocked_by(keys, limit=Decimal(5), limit_reset=OWN_WINDOW) == keys.count()


def test_it_asks_before_it_stops_working_keys(synced: Organization, admin: User, sign_in: SignIn) -> None:
    Key.objects.update(usage=50, limit=None, limit_remaining=None, disabled=False)
    client = sign_in(admin)
    chosen = list(Key.objects.values_list("hash", flat=True)[:2])
    form = {"action": "limit", "selected": chosen, "limit": "10", "limit_reset": "lifetime"}

    asked = client.post(START, form)

    assert asked.status_code == 400
    assert "2 of these keys have spent this much already" in asked.content.decode()
    assert not Job.objects.exists()

    assert client.post(START, {**form, "blocks_anyway": "on"}).status_code == 302
    assert Job.objects.get().total == 2

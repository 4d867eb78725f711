"""Most tests begin with a mirror that was filled in one go: nobody can tell it from one that was pulled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.utils import timezone

from orgadmin.accounts.models import Organization, RateSlot
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.nouns import NOUNS
from tests.conftest import Bells, Sync
from tests.mirror import fill
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def as_new(sandbox: RunningSandbox) -> None:
    pass


def lived_in(sandbox: RunningSandbox) -> None:
    """A key without an owner, one switched off, one in another workspace, one with an odd name."""
    outside = sandbox.sandbox.outside
    keys = sandbox.sandbox.every_key()
    owner = next(key["creator_user_id"] for key in keys if key["creator_user_id"])
    outside.remove_member(owner)
    outside.update_key(keys[0]["hash"], disabled=True)
    outside.update_key(keys[1]["hash"], name="Ärger\u202e &amp; Söhne", limit=0.1)
    sandbox.sandbox.advance(timedelta(hours=30))


@pytest.mark.parametrize("state", [as_new, lived_in])
def test_a_filled_mirror_is_a_pulled_one(
    organization: Organization,
    sandbox: RunningSandbox,
    sync: Sync,
    bells: Bells,
    state: Callable[[RunningSandbox], None],
) -> None:
    state(sandbox)
    with time_machine.travel(timezone.now(), tick=False):
        sandbox.sandbox.clear_requests()
        sync()
        pulled = picture(sandbox, bells)
        for noun in reversed(list(NOUNS.values())):
            noun.model._default_manager.all().delete()
        SyncRun.objects.all().delete()
        RateSlot.objects.all().delete()
        Organization.objects.update(capabilities={}, summary={})
        bells.pulls.clear()
        sandbox.sandbox.clear_requests()

        bells.pulls += [run.pk for run in fill(organization, sandbox.sandbox)]

        assert picture(sandbox, bells) == pulled
    assert Key.objects.count() == 40
    assert SyncRun.objects.count() == len(NOUNS)


def picture(sandbox: RunningSandbox, bells: Bells) -> dict[str, Any]:
    """Every row of every table, what rang, and what the sandbox was asked; numbers of rows by their rank."""
    rank = {
        model: {row.pk: place for place, row in enumerate(model._default_manager.order_by("pk"))}
        for model in apps.get_models()
    }
    tables = {
        model._meta.label: [
            {
                field.attname: rank[field.related_model].get(value) if field.related_model else value
                for field in model._meta.concrete_fields
                if (value := getattr(row, field.attname)) is not None and field.attname != "id"
            }
            for row in model._default_manager.order_by("pk")
        ]
        for model in apps.get_models()
    }
    calls = [(call.endpoint, call.query, call.status) for call in sandbox.sandbox.requests().last]
    return {"tables": tables, "bells": [rank[SyncRun][pk] for pk in bells.pulls], "calls": calls}

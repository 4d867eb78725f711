"""Who serves each model: one call a model, in rounds that a kill does not lose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.catalog import endpoints
from orgadmin.catalog.models import CatalogChange, CatalogEndpoint, CatalogModel, CatalogState
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import request_pull, run_pull, sweep
from orgadmin.openrouter.model_endpoints import of_model
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull

pytestmark = pytest.mark.django_db
GPT = "openai/gpt-5.2"


def alive() -> int:
    return CatalogModel.objects.filter(gone_at=None).count()


def test_every_model_is_asked_for_once(pulled: Pull, sandbox: RunningSandbox) -> None:
    pulled("catalog")
    run = pulled("endpoints")
    assert run.calls == run.seen == alive()
    assert not CatalogModel.objects.filter(endpoints_at=None).exists()
    endpoint = CatalogEndpoint.objects.get(model__slug=GPT, tag="openai")
    assert (endpoint.provider, endpoint.is_zdr) == ("openai", False)
    assert CatalogEndpoint.objects.filter(provider="").count() == 0
    assert CatalogEndpoint.objects.filter(provider="novita").exists()
    # The list of what keeps no data has no variants.
    free = CatalogEndpoint.objects.filter(model__slug__endswith=":free")
    assert set(free.values_list("is_zdr", flat=True)) == {None}
    assert not CatalogChange.objects.exists()


def test_a_new_price_at_a_provider_is_history(
    pulled: Pull, sandbox: RunningSandbox, clock: time_machine.Traveller
) -> None:
    pulled("catalog")
    pulled("endpoints")
    sandbox.sandbox.outside.change_model(GPT, completion="0.00002")
    clock.shift(timedelta(days=1))
    pulled("endpoints")
    rows = CatalogChange.objects.filter(slug=GPT, tag="openai")
    assert [(row.field, row.after) for row in rows] == [("completion", "0.00002")]


def test_a_killed_worker_loses_nothing_and_asks_nothing_twice(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("catalog")
    asked = 0

    def killed(client: Any, *, model_id: str) -> Any:
        nonlocal asked
        asked += 1
        if asked > 20:
            raise KeyboardInterrupt
        return of_model(client, model_id=model_id)

    monkeypatch.setattr(endpoints, "of_model", killed)
    run = request_pull(organization=synced, kind="endpoints")
    with pytest.raises(KeyboardInterrupt):
        run_pull(run_id=run.pk)
    assert CatalogModel.objects.exclude(endpoints_at=None).count() == 20
    monkeypatch.setattr(endpoints, "of_model", of_model)
    sandbox.sandbox.clear_requests()
    run_pull(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.seen) == (SyncRun.State.OK, alive() - 20)
    assert not CatalogModel.objects.filter(endpoints_at=None).exists()
    assert sum(sandbox.sandbox.requests().counts.values()) == alive() - 20


def test_a_long_round_is_cut_into_slices_that_the_clock_goes_on_with(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("catalog")
    monkeypatch.setattr(endpoints, "SLICE_SECONDS", -1.0)
    assert pulled("endpoints").seen == 1
    due = endpoints.due(synced, timezone.now())
    assert due is not None
    assert due < timezone.now()
    sweep()
    assert SyncRun.objects.filter(kind="endpoints", state=SyncRun.State.QUEUED).exists()
    monkeypatch.setattr(endpoints, "SLICE_SECONDS", 600.0)
    assert pulled("endpoints").seen == alive() - 1
    due = endpoints.due(synced, timezone.now())
    assert due is not None
    assert due > timezone.now()


def test_a_new_model_is_asked_for_soon_and_alone(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.change_model(GPT, listed=False)
    pulled("catalog")
    pulled("endpoints")
    sandbox.sandbox.outside.change_model(GPT, listed=True)
    pulled("catalog")
    assert pulled("endpoints").calls == 1
    assert CatalogEndpoint.objects.filter(model__slug=GPT).exists()


def test_one_model_that_openrouter_does_not_tell_of_leaves_the_others_alone(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox
) -> None:
    pulled("catalog")
    sandbox.sandbox.fault(kind="status", path=f"/models/{GPT}/endpoints", status=403)
    run = pulled("endpoints")
    assert run.seen == alive()
    assert run.error == f"OpenRouter did not tell the endpoints of 1 of the models, such as {GPT}."
    assert CatalogModel.objects.get(endpoints_at=None).slug == GPT
    synced.refresh_from_db()
    assert synced.status == Organization.Status.CONNECTED


def test_refusals_in_a_row_end_the_run_and_not_the_connection(
    synced: Organization, pulled: Pull, pull: Pull, sandbox: RunningSandbox
) -> None:
    pulled("catalog")
    sandbox.sandbox.fault(kind="status", path="/models/*/endpoints", status=403, times=4)
    assert pull("endpoints").state == SyncRun.State.FAILED
    synced.refresh_from_db()
    assert synced.status == Organization.Status.CONNECTED
    pulled("endpoints")
    assert not CatalogModel.objects.filter(endpoints_at=None).exists()


def test_a_refused_key_breaks_the_connection(
    synced: Organization, pulled: Pull, pull: Pull, sandbox: RunningSandbox
) -> None:
    pulled("catalog")
    sandbox.sandbox.fault(kind="status", path="/models/*/endpoints", status=401)
    assert pull("endpoints").state == SyncRun.State.FAILED
    synced.refresh_from_db()
    assert synced.status == Organization.Status.BROKEN


def test_who_left_a_model_is_gone_and_a_vanished_model_has_nobody(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox
) -> None:
    pulled("catalog")
    pulled("endpoints")
    model = CatalogModel.objects.get(slug=GPT)
    CatalogEndpoint.objects.create(
        organization=synced, model=model, tag="house", permaslug=model.permaslug, provider_name="House"
    )
    CatalogState.objects.update(round_at=timezone.now() + timedelta(seconds=1))
    CatalogModel.objects.exclude(slug=GPT).update(endpoints_asked_at=timezone.now() + timedelta(hours=1))
    pulled("endpoints")
    assert CatalogEndpoint.objects.get(tag="house").gone_at is not None
    assert CatalogChange.objects.filter(slug=GPT, tag="house", what="vanished").exists()
    sandbox.sandbox.outside.change_model(GPT, listed=False)
    pulled("catalog")
    assert not CatalogEndpoint.objects.filter(model=model, gone_at=None).exists()


def test_a_404_says_nothing_of_who_serves_a_model(
    synced: Organization, pulled: Pull, pull: Pull, sandbox: RunningSandbox
) -> None:
    pulled("catalog")
    pulled("endpoints")
    before = CatalogEndpoint.objects.filter(gone_at=None).count()
    CatalogState.objects.update(round_at=timezone.now() + timedelta(seconds=1))
    sandbox.sandbox.fault(kind="status", path="/models/*/endpoints", status=404, times=4)
    assert pull("endpoints").state == SyncRun.State.FAILED
    assert CatalogEndpoint.objects.filter(gone_at=None).count() == before


def test_what_is_younger_than_the_list_of_zdr_is_not_judged_by_it(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox, clock: time_machine.Traveller
) -> None:
    pulled("catalog")
    pulled("endpoints")
    rows = CatalogEndpoint.objects.filter(model__slug=GPT, tag="openai")
    assert rows.values_list("is_zdr", flat=True).get() is False
    rows.delete()
    CatalogState.objects.update(zdr_at=timezone.now() - timedelta(hours=7))
    CatalogModel.objects.filter(slug=GPT).update(endpoints_asked_at=None)
    pulled("endpoints")
    assert rows.values_list("is_zdr", flat=True).get() is None
    pulled("catalog")
    assert rows.values_list("is_zdr", flat=True).get() is False


def test_an_alias_is_not_judged_by_a_list_that_does_not_name_it(pulled: Pull) -> None:
    pulled("catalog")
    pulled("endpoints")
    aliases = CatalogEndpoint.objects.filter(model__slug__startswith="~")
    assert aliases.exists()
    assert False not in set(aliases.values_list("is_zdr", flat=True))

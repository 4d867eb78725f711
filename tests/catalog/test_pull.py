"""The catalog as it is pulled: what is kept, what becomes history, and what a refusal means."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.catalog.models import (
    CatalogChange,
    CatalogEndpoint,
    CatalogModel,
    CatalogProvider,
    CatalogState,
)
from orgadmin.inventory.models import SyncRun
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull

pytestmark = pytest.mark.django_db
GPT = "openai/gpt-5.2"


def history(slug: str = GPT) -> list[tuple[str, str, str, str]]:
    rows = CatalogChange.objects.filter(slug=slug, tag="").order_by("id")
    return [(row.what, row.field, row.before, row.after) for row in rows]


def test_the_whole_catalog_in_a_handful_of_calls(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull
) -> None:
    sandbox.sandbox.clear_requests()
    run = pulled("catalog")
    assert sandbox.sandbox.requests().counts == {
        "GET /providers": 1,
        "GET /models": 1,
        "GET /endpoints/zdr": 1,
    }
    assert run.calls == 3
    assert run.seen == CatalogModel.objects.count() > 100
    model = CatalogModel.objects.get(slug=GPT)
    assert model.prompt is not None
    assert Decimal(model.prices["prompt"]) == model.prompt
    assert model.permaslug.startswith(GPT)
    free = CatalogModel.objects.filter(slug__endswith=":free")[0]
    assert free.listed_as == f"{free.permaslug}:free"
    assert (free.prompt, free.completion) == (0, 0)
    router = CatalogModel.objects.get(slug="openrouter/auto")
    assert (router.prompt, router.prices["prompt"]) == (None, "varies")
    assert CatalogProvider.objects.get(slug="novita").name == "NovitaAI"
    assert CatalogState.objects.get().zdr
    # The first pull fills an empty table, and nothing of it is an act of anybody.
    assert not CatalogChange.objects.exists()
    assert not Entry.objects.filter(action__startswith="catalog").exists()


def test_a_second_pull_writes_nothing(pulled: Pull) -> None:
    pulled("catalog")
    run = pulled("catalog")
    assert (run.added, run.changed, run.gone) == (0, 0, 0)
    assert not CatalogChange.objects.exists()


def test_a_new_price_and_a_new_end_are_history(pulled: Pull, sandbox: RunningSandbox) -> None:
    pulled("catalog")
    before = CatalogModel.objects.get(slug=GPT).prices["prompt"]
    sandbox.sandbox.outside.change_model(GPT, prompt="0.0000090", ends="2027-01-31")
    pulled("catalog")
    assert history() == [("price", "prompt", before, "0.000009"), ("expiry", "", "", "2027-01-31")]
    model = CatalogModel.objects.get(slug=GPT)
    assert (model.prompt, model.expires_on) == (Decimal("0.000009"), date(2027, 1, 31))


def test_another_spelling_of_a_price_is_no_change(pulled: Pull, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.change_model(GPT, prompt="0.0000010")
    pulled("catalog")
    sandbox.sandbox.outside.change_model(GPT, prompt="0.000001000")
    assert pulled("catalog").changed == 0
    assert history() == []


def test_a_vanished_model_keeps_its_row_and_may_come_back(pulled: Pull, sandbox: RunningSandbox) -> None:
    pulled("catalog")
    sandbox.sandbox.outside.change_model(GPT, listed=False)
    assert pulled("catalog").gone == 1
    assert CatalogModel.objects.get(slug=GPT).gone_at is not None
    sandbox.sandbox.outside.change_model(GPT, listed=True)
    pulled("catalog")
    assert CatalogModel.objects.get(slug=GPT).gone_at is None
    assert history() == [("vanished", "", "", ""), ("appeared", "", "", "")]


@pytest.mark.parametrize("status", [403, 404])
def test_who_may_not_read_the_list_of_zdr_knows_nothing_of_it(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox, status: int
) -> None:
    pulled("catalog")
    pulled("endpoints")
    assert set(CatalogEndpoint.objects.values_list("is_zdr", flat=True)) == {True, False, None}
    sandbox.sandbox.fault(kind="status", path="/endpoints/zdr", status=status, times=1)
    pulled("catalog")
    assert CatalogState.objects.get().zdr is None
    assert set(CatalogEndpoint.objects.values_list("is_zdr", flat=True)) == {None}
    synced.refresh_from_db()
    assert synced.status == Organization.Status.CONNECTED
    pulled("catalog")
    assert set(CatalogEndpoint.objects.values_list("is_zdr", flat=True)) == {True, False, None}


def test_a_refused_list_of_models_does_not_break_the_connection(
    synced: Organization, pull: Pull, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", path="/models", status=403, times=1)
    assert pull("catalog").state == SyncRun.State.FAILED
    synced.refresh_from_db()
    assert synced.status == Organization.Status.CONNECTED


def test_an_empty_list_is_not_believed(
    pull: Pull, pulled: Pull, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("catalog")
    monkeypatch.setattr("orgadmin.openrouter.models.walk", lambda client: iter([()]))
    run = pull("catalog")
    assert run.state == SyncRun.State.FAILED
    assert "came back empty" in run.error
    assert not CatalogModel.objects.exclude(gone_at=None).exists()

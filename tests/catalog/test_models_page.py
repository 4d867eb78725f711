"""The page of models: what is offered, at which price, who serves it, and what guardrails make of it."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel, CatalogProvider
from orgadmin.inventory.models import Guardrail
from orgadmin.usage.models import UsageModel, UsageRollup
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull

pytestmark = pytest.mark.django_db
PAGE = "/o/acme/models/"
GPT = "openai/gpt-5.2"


@pytest.fixture
def reader(synced: Organization, viewer: User, pulled: Pull, sign_in: SignIn) -> Client:
    pulled("catalog")
    pulled("endpoints")
    return sign_in(viewer)


def text(browser: Client, query: str = "", status: int = 200) -> str:
    response: Any = browser.get(f"{PAGE}{query}")
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def slugs(browser: Client, query: str = "") -> list[str]:
    """The models of the first page, in their order."""
    return re.findall(r'<span class="sub mono">([^<]+)</span>', text(browser, query))


def lines(browser: Client, query: str = "") -> list[dict[str, str]]:
    response: Any = browser.get(f"{PAGE}csv/{query}")
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_the_list_says_what_a_model_costs_and_who_serves_it(reader: Client) -> None:
    CatalogModel.objects.filter(slug=GPT).update(prompt=Decimal("0.00000125"), completion=Decimal("0.00001"))
    page = text(reader, f"?q={GPT}")
    assert "$1.25" in page
    assert "$10.00" in page
    assert "OpenAI" in page
    sold = CatalogModel.objects.filter(gone_at=None).count()
    assert f"1–50 of {sold} models" in text(reader)


def test_filters_narrow_the_list(reader: Client, synced: Organization) -> None:
    def filtered(query: str) -> set[str]:
        return {line["slug"] for line in lines(reader, query)}

    everything = filtered("")
    assert len(everything) == CatalogModel.objects.filter(gone_at=None).count()
    azure = CatalogEndpoint.objects.filter(provider="azure").values_list("model__slug", flat=True)
    assert filtered("?provider=azure") == set(azure)
    assert GPT in filtered("?takes=image")
    assert all("image" in line["output_modalities"] for line in lines(reader, "?gives=image"))
    assert all(slug.endswith(":free") for slug in filtered("?price=free&q=:free"))
    assert filtered("?price=varies") >= {"openrouter/auto"}
    assert filtered("?zdr=all") < filtered("?zdr=some") < everything
    assert filtered("?zdr=some") | filtered("?zdr=none") | filtered("?zdr=unknown") == everything
    ends = CatalogModel.objects.exclude(expires_on=None).filter(gone_at=None).values_list("slug", flat=True)
    assert filtered("?state=expiring") == set(ends)
    Guardrail.objects.create(organization=synced, uid="g", name="Azure only", allowed_providers=["azure"])
    allowed = filtered("?guardrail=g")
    assert set(azure) <= allowed < everything
    assert filtered("?guardrail=nobody") == set()
    assert filtered("?zdr=nonsense&sort=nonsense&price=%00") == everything
    assert "No model matches" in text(reader, "?q=nothing-is-called-so")


def test_models_are_sorted_and_what_is_not_known_comes_last(reader: Client) -> None:
    prices = [line["prompt_usd_per_token"] for line in lines(reader, "?sort=-prompt")]
    known = [Decimal(price) for price in prices if price]
    assert known == sorted(known, reverse=True)
    assert prices[len(known) :] == [""] * (len(prices) - len(known))
    contexts = [
        int(line["context_tokens"]) for line in lines(reader, "?sort=context") if line["context_tokens"]
    ]
    assert contexts == sorted(contexts)
    assert slugs(reader, "?sort=-name") != slugs(reader)


def test_what_was_spent_here_stands_there_once(reader: Client, pulled: Pull) -> None:
    pulled("activity")
    used = lines(reader, "?used=yes&sort=-spend")
    assert used
    spend = [Decimal(line["spend_30d_usd"]) for line in used]
    assert spend == sorted(spend, reverse=True)
    rollups = UsageRollup.objects.filter(dimension=2, grain=0)
    whole = sum((row.usage + row.byok_usage for row in rollups), Decimal(0))
    assert sum(spend) <= whole
    assert {line["slug"] for line in used}.isdisjoint({line["slug"] for line in lines(reader, "?used=no")})


def test_one_model_whole(reader: Client, synced: Organization, pulled: Pull) -> None:
    pulled("activity")
    page = text(reader, f"{GPT}/")
    for endpoint in CatalogEndpoint.objects.filter(model__slug=GPT):
        assert endpoint.tag in page
    assert "Nothing has changed" in page
    assert "No guardrail" in page or "What guardrails make of" in page
    model = CatalogModel.objects.get(slug=GPT)
    if UsageModel.objects.filter(permaslug=model.permaslug).exists():
        assert f"/spend/panel/?model={model.permaslug}" in page.replace("%2F", "/")
    # By the name that never changes as well, which activity and guardrails use.
    assert model.name in text(reader, f"{model.permaslug}/")
    text(reader, "openai/nothing-like-it/", status=404)


def test_the_history_says_what_changed(
    reader: Client, pulled: Pull, sandbox: RunningSandbox, clock: time_machine.Traveller
) -> None:
    CatalogModel.objects.filter(slug=GPT).update(
        prices={**CatalogModel.objects.get(slug=GPT).prices, "prompt": "0.000001"}
    )
    sandbox.sandbox.outside.change_model(GPT, prompt="0.000002", ends="2027-01-31")
    clock.shift(timedelta(days=1))
    pulled("catalog")
    page = text(reader, f"{GPT}/")
    assert "Price: Prompt" in page
    assert "$1.00 per million tokens" in page
    assert "$2.00 per million tokens" in page
    assert "no end" in page
    assert "OpenRouter may remove this model from 31 Jan 2027 on." in page
    assert "ends 31 Jan 2027" in text(reader, f"?q={GPT}")
    sandbox.sandbox.outside.change_model(GPT, listed=False)
    pulled("catalog")
    assert "OpenRouter no longer offers this model" in text(reader, f"{GPT}/")
    assert GPT in slugs(reader, "?state=gone")
    assert GPT not in slugs(reader, f"?q={GPT}")


def test_guardrails_say_whether_they_allow_it(reader: Client, synced: Organization) -> None:
    Guardrail.objects.all().delete()
    model = CatalogModel.objects.get(slug=GPT)
    Guardrail.objects.create(organization=synced, uid="a", name="Open")
    Guardrail.objects.create(
        organization=synced, uid="b", name="Closed", ignored_models=[model.listed_as], workspace_uid="x"
    )
    Guardrail.objects.create(organization=synced, uid="c", name="Keeping nothing", enforce_zdr_openai=True)
    CatalogEndpoint.objects.filter(model=model).update(is_zdr=None)
    page = text(reader, f"{GPT}/")
    closed, unknown, allowed = (page.index(name) for name in (">Closed<", ">Keeping nothing<", ">Open<"))
    assert closed < unknown < allowed
    assert "is among the ignored models" in page
    assert "cannot be known" in page


def test_a_member_sees_the_catalog_and_nothing_of_others(
    reader: Client, member: User, sign_in: SignIn, synced: Organization, pulled: Pull
) -> None:
    pulled("activity")
    Guardrail.objects.create(organization=synced, uid="b", name="Closed rules", ignored_models=["x/y"])
    browser = sign_in(member)
    page = text(browser)
    assert "Spend, 30 d" not in page
    assert "Closed rules" not in page
    assert "spend_30d_usd" not in lines(browser)[0]
    assert len(lines(browser, "?used=yes&guardrail=b&sort=-spend")) == len(lines(browser))
    assert "Closed rules" not in text(browser, f"{GPT}/")


def test_before_the_first_sync(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    assert "The catalog was not synced yet" in text(sign_in(viewer))


def test_while_endpoints_are_still_asked_for(
    synced: Organization, viewer: User, sign_in: SignIn, pulled: Pull
) -> None:
    pulled("catalog")
    browser = sign_in(viewer)
    assert "still being asked for" in text(browser)
    assert "Not asked for yet" in text(browser, f"{GPT}/")


def test_queries_do_not_grow(reader: Client, synced: Organization, pulled: Pull) -> None:
    pulled("activity")

    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as found:
            text(reader, query)
        return len(found)

    addresses = ("", f"{GPT}/")
    before = [queries(one) for one in addresses]
    for number in range(40):
        Guardrail.objects.create(organization=synced, uid=str(number), name=f"G {number}")
    CatalogModel.objects.bulk_create(
        CatalogModel(
            organization=synced, slug=f"h/{n}", permaslug=f"h/{n}", listed_as=f"h/{n}", name=f"H {n}"
        )
        for n in range(300)
    )
    assert [queries(one) for one in addresses] == before
    # Three of them are the session, the user and the memberships.
    assert max(before) <= 11, before


def test_no_page_asks_openrouter(reader: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()
    text(reader)
    text(reader, f"{GPT}/")
    assert sandbox.sandbox.requests().total == 0


def test_odd_prices_are_shown_as_they_are(reader: Client) -> None:
    CatalogModel.objects.filter(slug=GPT).update(
        prices={
            "prompt": "0.000001",
            "completion": "varies",
            "discount": "0.25",
            "novel_thing": "0.5",
            "overrides": [
                {"min_prompt_tokens": "200000", "prompt": "0.000002"},
                {"utc_start": "2200", "utc_end": "600", "utc_days": ["mon"], "completion": "0"},
            ],
        }
    )
    page = text(reader, f"{GPT}/")
    assert "above 200,000 prompt tokens: Prompt $2.00 per million tokens" in page
    assert "from 22:00 to 06:00 UTC on mon: Completion free" in page
    assert "Novel thing" in page
    assert "25.0" in page


def test_a_description_is_shown_without_its_markup(reader: Client) -> None:
    CatalogModel.objects.filter(slug=GPT).update(
        description="# Big\n\nIt is **good** at [code](https://x.example) <b>always</b>.\n- `fast`"
    )
    page = text(reader, f"{GPT}/")
    assert "<p>Big</p><p>It is good at code &lt;b&gt;always&lt;/b&gt;.</p><p>- fast</p>" in page
    CatalogModel.objects.filter(slug=GPT).update(description="word " * 900)
    assert "word …" in text(reader, f"{GPT}/")


def test_a_provider_says_where_it_is_and_nothing_dangerous_is_a_link(reader: Client) -> None:
    CatalogProvider.objects.filter(slug="openai").update(
        datacenters=["DE", "US"],
        privacy_policy_url="javascript:alert(1)",
        status_page_url="https://s.example",
    )
    page = text(reader, f"{GPT}/")
    assert "in DE, US" in page
    assert 'href="https://s.example"' in page
    assert "javascript:alert" not in page


def test_a_guardrail_rules_an_alias_by_what_it_stands_for(reader: Client, synced: Organization) -> None:
    Guardrail.objects.all().delete()
    alias = CatalogModel.objects.exclude(alias_of="")[0]
    target = CatalogModel.objects.get(slug=alias.alias_of)
    Guardrail.objects.create(organization=synced, uid="g", name="One", allowed_models=[target.listed_as])
    assert {line["slug"] for line in lines(reader, "?guardrail=g")} == {alias.slug, target.slug}
    assert "is not among the allowed models" not in text(reader, f"{alias.slug}/")

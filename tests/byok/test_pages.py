"""The list, one credential, the coverage map, and the CSV."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.byok.coverage import gaps_of_guardrails, gaps_of_keys, gaps_of_workspaces, side_by_side
from orgadmin.byok.known import Known
from orgadmin.inventory.models import (
    Credential,
    Guardrail,
    Key,
    KeyAssignment,
    Workspace,
    WorkspaceBudgets,
)
from tests.byok.conftest import at
from tests.conftest import SignIn, Sync
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def links(response: Any) -> list[str]:
    """The credentials of the list in its order."""
    return re.findall(r'class="name" href="/o/acme/byok/([^/]+)/"', response.content.decode())


def names(response: Any) -> list[str]:
    rows = {row.uid: str(row) for row in Credential.objects.all()}
    return [rows[uid] for uid in links(response)]


def test_the_list_is_in_the_order_openrouter_tries_them(desk: Client, synced: Organization) -> None:
    openai = Credential.objects.filter(provider="openai").order_by("is_fallback", "sort_order")
    page = desk.get(at(), {"provider": "openai"})
    assert links(page) == [row.uid for row in openai]
    text = text_of(page)
    between = text.index("paid from credits, has failed")
    assert text.index("OpenAI, second account") < between < text.index("OpenAI, when all else fails")


def test_each_is_there_once_with_its_restrictions_and_its_state(desk: Client, synced: Organization) -> None:
    page = desk.get(at())
    assert sorted(links(page)) == sorted(row.uid for row in Credential.objects.all())
    text = text_of(page)
    for words in (
        "all workspaces",
        "only 2 models",
        "only 3 keys",
        "only 2 members",
        "disabled",
        "never credits",
    ):
        assert words in text, words


def test_the_list_can_be_narrowed(desk: Client, synced: Organization) -> None:
    everywhere = Credential.objects.get(workspace_uid=None)
    place = Workspace.objects.exclude(uid=synced.default_workspace_uid)[0]
    here = set(links(desk.get(at(), {"workspace": place.slug})))
    assert everywhere.uid in here, "one of all workspaces serves this one too"
    wanted = {row.uid for row in Credential.objects.filter(workspace_uid=place.uid)}
    assert here == wanted | {everywhere.uid}
    assert names(desk.get(at(), {"state": "disabled"})) == ["Bedrock trial"]
    assert names(desk.get(at(), {"q": "all else"})) == ["OpenAI, when all else fails"]
    assert "No credential matches" in text_of(desk.get(at(), {"q": "nothing-is-called-this"}))


def test_the_last_change_is_shown_with_who_made_it(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    desk.post(at(credential.uid, "disable"))
    assert "Adam" in text_of(desk.get(at(), {"q": str(credential)}))


def test_a_page_names_who_may_use_it(desk: Client, synced: Organization) -> None:
    row = Credential.objects.filter(allowed_api_key_hashes__isnull=False, provider="anthropic")[0]
    key = Key.objects.get(hash=(row.allowed_api_key_hashes or [])[0])
    page = desk.get(at(row.uid))
    assert f"/o/acme/keys/{key.hash}/" in page.content.decode()
    assert key.name in text_of(page)


def test_what_nobody_knows_is_shown_as_it_is(
    desk: Client, synced: Organization, credential: Credential
) -> None:
    Credential.objects.filter(pk=credential.pk).update(
        provider="brand-new",
        workspace_uid="elsewhere",
        extra={"novelty": "unheard of"},
        declared_region="mars",
    )
    text = text_of(desk.get(at(credential.uid)))
    for words in ("brand-new", "unheard of", "mars"):
        assert words in text
    assert "mars" in desk.get(at(credential.uid, "edit")).content.decode()


def test_the_csv_holds_what_is_filtered_and_no_formula(desk: Client, credential: Credential) -> None:
    Credential.objects.filter(pk=credential.pk).update(name="=HYPERLINK(1)")
    response: Any = desk.get(at("csv"), {"provider": "openai"})
    rows = list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))
    assert [row["order"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["name"] == "'=HYPERLINK(1)"


def test_a_list_takes_few_queries_whatever_its_length(
    desk: Client, synced: Organization, django_assert_max_num_queries: Any
) -> None:
    Credential.objects.bulk_create(
        Credential(organization=synced, uid=f"u{number}", provider=f"p{number % 9}") for number in range(200)
    )
    desk.get(at())
    with django_assert_max_num_queries(11):
        desk.get(at())


# --- coverage ---


def test_spend_stands_side_by_side(synced: Organization, sync: Sync) -> None:
    sync("activity")
    span, sides = side_by_side(Known(synced))
    assert span.days == 30
    from orgadmin.usage.models import Dimension
    from orgadmin.usage.reading import Question, groups

    all_of_it = groups(Question(synced.pk, span), Dimension.PROVIDER).values()
    assert sum(side.byok for side in sides) == sum(one.byok_usage for one in all_of_it)
    assert sum(side.credits for side in sides) == sum(one.usage for one in all_of_it)
    assert any(side.byok for side in sides)
    assert {"openai", "anthropic", "mistral"} <= {side.slug for side in sides if side.credentials}
    assert [side.total for side in sides] == sorted((side.total for side in sides), reverse=True)


def test_a_key_whose_limit_leaves_byok_out_says_what_escapes(synced: Organization) -> None:
    Key.objects.update(limit=None)
    first, second, third = Key.objects.filter(gone_at=None)[:3]
    for key, reset, counts in ((first, "daily", False), (second, None, False), (third, "daily", True)):
        Key.objects.filter(pk=key.pk).update(
            limit=Decimal(5), limit_reset=reset, include_byok_in_limit=counts,
            byok_usage_daily=Decimal("1.25"), byok_usage=Decimal("7.5"),
        )  # fmt: skip
    gaps = gaps_of_keys(synced, 50)
    assert [(gap.uid, gap.escaped) for gap in gaps.shown] == [
        (second.hash, Decimal("7.5")),
        (first.hash, Decimal("1.25")),
    ]
    assert (gaps.number, gaps.escaping) == (2, 2)


def test_a_window_that_the_keys_were_not_asked_in_is_not_told(synced: Organization) -> None:
    Key.objects.update(limit=None, byok_usage=0)
    key = Key.objects.filter(gone_at=None)[0]
    Key.objects.filter(pk=key.pk).update(
        limit=5, limit_reset="daily", include_byok_in_limit=False, byok_usage_daily=3, byok_usage=3
    )
    Guardrail.objects.update(limit_usd=5, reset_interval="daily", include_byok_in_budgets=False)
    assert gaps_of_keys(synced, 50).escaping == 1
    yesterday = timezone.now() - timedelta(days=1)
    synced.summary = {**synced.summary, "asked_at": yesterday.isoformat()}
    gaps = gaps_of_keys(synced, 50)
    assert (gaps.number, gaps.escaping) == (1, 0)
    assert {gap.escaped for gap in gaps_of_guardrails(synced, 50).shown} == {None}


def test_the_budget_of_a_guardrail_lets_escape_what_all_its_holders_spend(synced: Organization) -> None:
    Guardrail.objects.update(limit_usd=None)
    KeyAssignment.objects.all().delete()
    Key.objects.update(byok_usage=0, byok_usage_monthly=0)
    guardrail = Guardrail.objects.filter(workspace_uid__isnull=False)[0]
    Guardrail.objects.filter(pk=guardrail.pk).update(
        limit_usd=Decimal(10), reset_interval="monthly", include_byok_in_budgets=False
    )
    one, other = Key.objects.filter(gone_at=None, owner=None)[:2] or Key.objects.filter(gone_at=None)[:2]
    for key in (one, other):
        Key.objects.filter(pk=key.pk).update(byok_usage=3, byok_usage_monthly=3)
        KeyAssignment.objects.create(
            organization=synced, key_hash=key.hash, uid=key.hash[:60], guardrail_uid=guardrail.uid
        )
    found = next(gap for gap in gaps_of_guardrails(synced, 50).shown if gap.uid == guardrail.uid)
    assert (found.escaped, found.limit, found.interval) == (Decimal(6), Decimal(10), "monthly")
    Guardrail.objects.filter(pk=guardrail.pk).update(include_byok_in_budgets=True)
    assert gaps_of_guardrails(synced, 50).number == 0


def test_a_budget_of_a_workspace_is_a_gap_unless_it_counts_byok(synced: Organization, sync: Sync) -> None:
    sync("activity")
    blind = {row.workspace_uid for row in WorkspaceBudgets.objects.all()}
    blind &= set(Workspace.objects.exclude(include_byok_in_budgets=True).values_list("uid", flat=True))
    assert blind
    assert {gap.uid for gap in gaps_of_workspaces(synced, 50).shown} == blind
    Workspace.objects.update(include_byok_in_budgets=True)
    assert gaps_of_workspaces(synced, 50).number == 0


def test_the_map_is_a_page(desk: Client, synced: Organization, sync: Sync) -> None:
    sync("activity")
    Key.objects.filter(gone_at=None).update(
        limit=5, include_byok_in_limit=False, byok_usage=2, limit_reset=None
    )
    text = text_of(desk.get(at("coverage")))
    assert "Keys whose limit does not count BYOK" in text
    assert "$2.00" in text


def test_all_gaps_are_in_the_csv(desk: Client, synced: Organization, sync: Sync) -> None:
    sync("activity")
    blind = {"limit": 5, "include_byok_in_limit": False, "byok_usage": 2, "limit_reset": None}
    Key.objects.filter(gone_at=None).update(**blind)
    response: Any = desk.get(at("coverage", "csv"))
    rows = list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))
    keys = [row for row in rows if row["kind"] == "key"]
    assert len(keys) == Key.objects.filter(gone_at=None).count()
    assert {(row["interval"], Decimal(row["escaped_usd"])) for row in keys} == {("lifetime", Decimal(2))}
    assert {"workspace"} <= {row["kind"] for row in rows}


def test_before_anything_was_pulled_the_pages_say_so(
    organization: Organization, admin: User, sign_in: SignIn
) -> None:
    browser = sign_in(admin)
    assert "synced" in text_of(browser.get(at())).casefold()
    assert browser.get(at("coverage")).status_code == 200

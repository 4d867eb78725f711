"""The page and its form: what it offers, what it remembers, and that it asks nothing while it is drawn."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key, Member, Workspace
from tests.analytics.asking import HTMX, PAGE, calls, query, run, text_of
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox


def form(browser: Client, **params: object) -> str:
    """The form as its fragment brings it."""
    return text_of(browser.get(f"{PAGE}builder/?{query(**params)}", headers=HTMX))


def options(page: str, menu: str) -> list[tuple[str, bool]]:
    """Values of a menu, and whether they are off."""
    (found,) = re.findall(rf'<select[^>]* name="{menu}".*?</select>', page)
    return [
        (value, "disabled" in rest) for value, rest in re.findall(r'<option value="([^"]*)"([^>]*)>', found)
    ]


def test_the_page_asks_openrouter_nothing_and_its_fragment_does(
    desk: Client, sandbox: RunningSandbox
) -> None:
    page = text_of(desk.get(PAGE))
    assert sandbox.sandbox.requests().total == 0
    assert 'hx-get="/o/acme/analytics/builder/?" hx-trigger="load"' in page
    assert "<noscript>" in page

    assert "Total spend" in form(desk)
    assert calls(sandbox, "/analytics/meta") == 1
    # Now it is known, for an hour and for everybody, and the page has its form at once.
    assert "Broken down by" in text_of(desk.get(PAGE))
    assert sandbox.sandbox.requests().total == 1


def test_an_address_with_run_fetches_its_answer_by_itself(desk: Client, sandbox: RunningSandbox) -> None:
    address = f"{PAGE}?{query(metric='total_usage', range='31d', run=1)}"
    page = text_of(desk.get(address))
    assert "run/?metric=total_usage&amp;range=31d" in page
    assert sandbox.sandbox.requests().total == 0

    run(desk, metric="total_usage", range="31d")
    before = sandbox.sandbox.requests().total
    assert "asked now" in text_of(desk.get(address))
    assert sandbox.sandbox.requests().total == before


def test_without_javascript_everything_is_a_page(desk: Client) -> None:
    built = text_of(desk.get(f"{PAGE}builder/?metric=total_usage&add=1"))
    assert "<!DOCTYPE html>" in built
    assert 'aria-label="Filter 1"' in built
    answer = text_of(desk.get(f"{PAGE}run/?metric=total_usage"))
    assert "<!DOCTYPE html>" in answer
    assert "Total of 7 rows" in answer
    assert 'formaction="/o/acme/analytics/builder/"' in answer


def test_the_form_shows_the_question_of_the_address(desk: Client) -> None:
    page = form(
        desk,
        metric=["total_usage", "cache_hit_rate"],
        by=["user", "model"],
        every="week",
        range="90d",
        sort="total_usage",
        dir="asc",
        limit=5,
        f0="model",
        op0="neq",
        v0="openai/gpt-4o",
    )
    assert 'value="total_usage" checked' in page
    assert 'value="cache_hit_rate" checked' in page
    assert 'Metrics: <strong id="question-metrics">Total spend, Cache hit rate' in page
    for chosen in ("user", "model", "week", "90d", "asc", "neq"):
        assert f'<option value="{chosen}" selected>' in page
    assert 'name="limit" min="1" max="10000" value="5"' in page
    assert 'value="openai/gpt-4o"' in page


def test_what_is_kept_for_31_days_shortens_the_ranges_and_says_so(desk: Client) -> None:
    page = form(desk, metric=["total_usage", "p90_latency"], by="provider")
    assert "OpenRouter keeps “P90 latency” and “Provider” for 31 days only." in page
    off = {value for value, is_off in options(page, "range") if is_off}
    assert off == {"90d", "12m"}
    assert not any(is_off for _, is_off in options(form(desk, metric="total_usage"), "range"))


def test_minutes_are_for_three_hours(desk: Client) -> None:
    page = form(desk, metric="total_usage", every="minute", range="1h")
    assert "by the minute for at most 3 hours" in page
    assert [value for value, is_off in options(page, "range") if not is_off] == ["1h", "3h", "custom"]


def test_values_with_ids_are_picked_by_name(desk: Client, synced: Organization) -> None:
    key = Key.objects.filter(organization=synced, gone_at=None).order_by("-usage_monthly")[0]
    member, workspace = Member.objects.all()[0], Workspace.objects.all()[0]
    page = form(desk, metric="total_usage", f0="api_key_id", op0="in", f1="user", f2="workspace", f3="model")
    assert f'<option value="{key.hash}">' in page
    assert f'<option value="{member.uid}">{member}</option>' in page
    assert f'<option value="{workspace.uid}">{workspace.name}</option>' in page
    assert re.search(r'<select id="question-v0" name="v0"[^>]* multiple', page)
    assert re.search(r'<input type="text" id="question-v3" name="v3"', page)


def test_keys_are_searched_and_the_chosen_one_stays(desk: Client, synced: Organization) -> None:
    chosen, other = Key.objects.filter(organization=synced, gone_at=None).exclude(name="").order_by("id")[:2]
    Key.objects.filter(pk=other.pk).update(name="needle", search_text="needle")
    page = form(desk, metric="total_usage", f0="api_key_id", v0=chosen.hash, q0="needle")
    assert f'<option value="{chosen.hash}" selected>' in page
    assert f'<option value="{other.hash}">needle</option>' in page
    assert len(re.findall(r'<option value="[0-9a-f]{64}"', page)) == 2


def test_keys_of_one_name_are_told_apart_and_gone_ones_not_offered(
    desk: Client, synced: Organization
) -> None:
    one, two, gone = Key.objects.filter(organization=synced, gone_at=None).order_by("id")[:3]
    Key.objects.filter(pk__in=[one.pk, two.pk]).update(name="twin")
    Key.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
    page = form(desk, metric="total_usage", f0="api_key_id")
    assert f"twin ({one.hash[:8]}…)" in page
    assert f"twin ({two.hash[:8]}…)" in page
    assert gone.hash not in page


def test_filters_are_added_and_removed(desk: Client) -> None:
    page = form(desk, metric="total_usage", f0="model", v0="a", f1="variant", v1="free", drop=0, add=1)
    assert 'aria-label="Filter 2"' in page
    assert 'aria-label="Filter 3"' not in form(desk, metric="total_usage", f0="model", f1="", add=0)
    assert 'value="free"' in page


def test_a_changed_choice_answers_with_what_depends_on_it(desk: Client) -> None:
    headers = {**HTMX, "HX-Target": "question-parts"}
    page = text_of(desk.get(f"{PAGE}builder/?metric=p99_latency", headers=headers))
    assert 'id="question-metrics" hx-swap-oob="true">P99 latency' in page
    assert 'id="question-parts"' in page
    assert "<form" not in page


def test_ready_made_questions_stand_above_the_form(desk: Client) -> None:
    page = form(desk)
    for name in (
        "Spend trend",
        "Top models by spend",
        "p90 latency by provider",
        "Cache hit rate by model",
        "Why answers ended",
        "Guardrail hits",
    ):
        assert f">{name}</a>" in page


def test_what_openrouter_invents_tomorrow_is_shown(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="unknown_enum", path="/analytics/meta")
    page = form(desk, metric="total_usage", f0="model", op0="in", v0="a,b")
    assert "<legend>Other</legend>" in page
    answer = run(desk, metric=["total_usage", "request_count"], f0="model", op0="neq", v0="x")
    # A format nobody knows is a plain number, and nobody knows whether it may be summed.
    assert "Total of" not in answer
    assert "$" not in answer


def test_choices_that_are_not_offered_are_kept_and_explained(desk: Client) -> None:
    page = form(desk, metric="joules", by="planet", every="century", f0="mood", op0="like", v0="good")
    assert "Not offered any more" in page
    for text in ("joules", "planet", "century", "mood", "like"):
        assert f'value="{text}"' in page
    answer = run(desk, metric="joules", by="planet", every="century", f0="mood", op0="like", v0="good")
    for text in ("“joules”", "“planet”", "“century”", "“mood”"):
        assert text in answer


@pytest.mark.parametrize("path", ["", "builder/", "run/?metric=total_usage", "saved/"])
def test_members_see_nothing_of_it(member: User, sign_in: SignIn, path: str) -> None:
    assert sign_in(member).get(PAGE + path).status_code == 403

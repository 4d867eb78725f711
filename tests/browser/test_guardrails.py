"""A guardrail from its creation to the people who hold it, as an administrator does it; and the policy."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, MemberAssignment
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn, Sync
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(open_page: OpenPage, synced: Organization, admin: User, sign_in: SignIn, live_server: Any) -> Page:
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def test_a_guardrail_is_made_given_to_twenty_members_and_seen_on_one(
    page: Page, sandbox: RunningSandbox, sync: Sync
) -> None:
    for number in range(20):
        sandbox.sandbox.outside.add_member(email=f"intern.{number}@acme.example")
    sync("members")
    page.goto("/o/acme/guardrails/create/")
    page.get_by_role("textbox", name="Name", exact=True).fill("For the interns")
    page.get_by_role("button", name="Create guardrail").click()
    expect(page.get_by_role("heading", name="For the interns", level=1)).to_be_visible()

    page.goto("/o/acme/members/")
    boxes = page.locator("input[name=selected]")
    for at in range(20):
        boxes.nth(at).check()
    expect(page.get_by_text("20 selected")).to_be_visible()
    page.get_by_role("button", name="Assign guardrail…").click()
    sheet = page.locator("#dialog")
    made = Guardrail.objects.get(name="For the interns")
    sheet.locator("#assign-guardrail").select_option(made.uid)
    sheet.get_by_role("button", name="See what it would mean").click()
    # The preview: who is newly covered, who is moved.
    expect(sheet.get_by_text("newly covered").first).to_be_visible()
    sheet.get_by_role("button", name="Assign to 20 members").click()
    expect(sheet.get_by_text("20 members now hold For the interns.")).to_be_visible()
    held = MemberAssignment.objects.filter(guardrail_uid=made.uid, gone_at=None)
    assert held.count() == 20

    page.goto(f"/o/acme/members/{held[0].user_id}/")
    expect(page.get_by_role("link", name="For the interns").first).to_be_visible()


def test_the_effective_policy_answers_for_a_key_and_a_model(
    page: Page, synced: Organization, sync: Sync
) -> None:
    sync("catalog")
    model = CatalogModel.objects.filter(gone_at=None).exclude(slug__contains=":").order_by("pk")[5]
    key = Key.objects.filter(gone_at=None).exclude(workspace=None).order_by("pk")[0]
    guardrail = Guardrail.objects.create(
        organization=synced,
        uid="11111111-1111-4111-8111-111111111111",
        name="No 4o",
        workspace_uid=key.workspace_uid,
        ignored_models=[model.permaslug],
    )
    KeyAssignment.objects.update_or_create(
        organization=synced,
        key_hash=key.hash,
        defaults={"uid": "a", "guardrail_uid": guardrail.uid, "gone_at": None},
    )
    page.goto(f"/o/acme/policy/?key={key.hash}")
    page.get_by_role("searchbox", name="Model").fill(model.slug)
    page.keyboard.press("Enter")
    reasons = page.locator(".reasons")
    expect(reasons).to_contain_text("No 4o")
    expect(page.get_by_text("Refused", exact=True).first).to_be_visible()

    # And once nothing speaks against it.
    Guardrail.objects.filter(pk=guardrail.pk).update(ignored_models=None)
    page.reload()
    expect(reasons.get_by_text("No 4o")).to_have_count(0)


@pytest.fixture
def editor(page: Page) -> Locator:
    """The editor of a new guardrail, its custom filters open."""
    page.goto("/o/acme/guardrails/create/")
    page.locator("summary", has_text="Custom filters").click()
    return page.locator("[data-patterns]")


def fill(editor: Locator, row: int, pattern: str, action: str, label: str = "") -> None:
    one = editor.get_by_role("group", name=f"Filter {row}")
    one.get_by_label("Pattern").fill(pattern)
    one.get_by_label("Action").select_option(action)
    one.get_by_label("Label").fill(label)


def test_patterns_are_tried_on_a_text_in_the_browser(page: Page, editor: Locator) -> None:
    asked: list[str] = []
    fill(editor, 1, r"\d{4}", "redact", "[NUMBER]")
    page.on("request", lambda request: asked.append(request.post_data or ""))
    text, verdict = editor.get_by_label("Try them on a text"), editor.locator("[data-verdict]")
    text.fill("call 1234 or <b>5678</b>")
    expect(verdict).to_contain_text("Filter 1 “[NUMBER]” finds something 2 times and redacts it.")
    expect(verdict.locator("pre")).to_have_text("call [NUMBER] or <b>[NUMBER]</b>")

    editor.get_by_role("button", name="Add a pattern").click()
    expect(editor.get_by_role("group", name="Filter 2").get_by_label("Pattern")).to_be_focused()
    fill(editor, 2, "call", "block")
    expect(verdict).to_contain_text("The request would be blocked by filter 2: to block wins over to redact.")
    expect(verdict.locator("mark").first).to_have_text("call")

    fill(editor, 2, "(", "block")
    expect(verdict).to_contain_text("Filter 2 is no pattern that JavaScript knows")
    editor.get_by_role("group", name="Filter 2").get_by_role("button", name="Remove").click()
    expect(verdict).not_to_contain_text("Filter 2")
    text.fill("nothing here")
    expect(verdict).to_contain_text("Nothing is found")
    assert not any("1234" in body for body in asked)


def test_a_pattern_that_never_ends_is_stopped(page: Page, editor: Locator) -> None:
    fill(editor, 1, "(a+)+$", "block")
    editor.get_by_role("button", name="Add a pattern").click()
    fill(editor, 2, "b", "redact")
    editor.get_by_label("Try them on a text").fill("a" * 60 + "b")
    verdict = editor.locator("[data-verdict]")
    expect(verdict).to_contain_text("Filter 1: stopped after 200 ms: this pattern may be too slow.")
    expect(verdict).to_contain_text("Filter 2 finds something once")


def test_models_are_picked_by_keyboard_and_stay(page: Page, sync: Sync) -> None:
    sync("catalog")
    page.goto("/o/acme/guardrails/create/")
    page.locator("summary", has_text="Models and providers").click()
    picker = page.locator("[data-picker=allowed_models]")
    box = picker.get_by_role("textbox")
    box.fill("openai/gpt")
    first = picker.locator("[data-suggestions] input").first
    expect(first).to_be_visible()
    value = first.get_attribute("value")
    first.focus()
    page.keyboard.press("Space")
    chips = picker.locator("[data-chips]")
    expect(chips.locator(f"input[value='{value}']")).to_be_checked()
    expect(box).to_be_focused()
    box.fill("somebody/new")
    page.keyboard.press("Enter")
    expect(chips.locator("input[value='somebody/new']")).to_be_checked()
    expect(box).to_have_value("")
    expect(page).to_have_url(re.compile("create"))
    chips.locator("input[value='somebody/new']").focus()
    page.keyboard.press("Space")
    expect(chips.locator("input")).to_have_count(1)

"""A guardrail from its creation to the people who hold it, as an administrator does it; and the policy."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

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

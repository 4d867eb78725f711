"""What only a browser shows: dialogs, a link shown once, a question in between, and what axe finds."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from orgadmin.accounts.invitations import invite
from orgadmin.accounts.models import Invitation, Membership, Organization, Role, User
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.accounts.sessions import SessionStore
from orgadmin.accounts.sign_in_links import sign_in_link
from tests.browser.axe import inaccessible
from tests.browser.conftest import NARROW, WIDE, OpenPage
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True)]
PEOPLE = "/o/acme/settings/people/"


@pytest.fixture
def signed_in(open_page: OpenPage, owner: User, live_server: Any, settings: Any) -> Page:
    """The owner, in through a link."""
    settings.PUBLIC_URL = live_server.url
    return open_page(sign_in_link(email=owner.email))


@pytest.mark.axe
@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_axe_finds_nothing_and_nothing_hangs_over(
    open_page: OpenPage,
    owner: User,
    admin: User,
    organization: Organization,
    live_server: Any,
    settings: Any,
    viewport: dict[str, int],
) -> None:
    settings.PUBLIC_URL = live_server.url
    made = invite(actor=owner, organization=organization, email="", role=Role.VIEWER)
    page = open_page(f"/invite/{made.token}/", viewport=viewport)
    assert inaccessible(page) == []
    page.goto(sign_in_link(email=owner.email))
    for path in (
        "/o/acme/settings/",
        PEOPLE,
        f"{PEOPLE}invite/",
        "/o/acme/settings/rekey/",
        "/organizations/new/",
    ):
        page.goto(path)
        assert inaccessible(page) == [], path
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path


def test_a_link_is_shown_once(signed_in: Page) -> None:
    signed_in.goto(PEOPLE)
    signed_in.get_by_role("link", name="Invite somebody").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Show a link once").check()
    dialog.get_by_role("button", name="Invite").click()
    link = dialog.locator("#invitation-link").input_value()
    assert "/invite/" in link
    dialog.get_by_role("link", name="I have copied it").click()
    expect(signed_in.get_by_role("cell", name="Whoever holds the link", exact=True)).to_be_visible()
    assert link not in signed_in.content()
    assert Invitation.objects.get().is_open


def test_errors_come_into_the_dialog_and_the_key_does_not(signed_in: Page) -> None:
    signed_in.goto("/o/acme/settings/")
    signed_in.get_by_role("link", name="Replace key").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Base URL").fill("nonsense")
    dialog.get_by_label("Management key").fill("sk-or-v1-not-to-be-seen-again")
    dialog.get_by_role("button", name="Replace key").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The key was not replaced")
    expect(dialog.get_by_label("Base URL")).to_have_value("nonsense")
    expect(dialog.get_by_label("Management key")).to_have_value("")


def _age_proofs() -> None:
    """Sixteen minutes pass for every session."""
    for row in Session.objects.all():
        kept = SessionStore(row.session_key)
        kept[PROOF_KEY] -= 16 * 60
        kept.save()


def test_a_stale_proof_is_asked_for_in_a_dialog_and_the_act_goes_on(signed_in: Page, viewer: User) -> None:
    signed_in.goto(PEOPLE)
    _age_proofs()
    signed_in.get_by_label("Role of Vera", exact=True).select_option("admin")
    signed_in.get_by_role("button", name="Save the role of Vera").click()
    dialog = signed_in.get_by_role("dialog", name="Is it still you?")
    dialog.get_by_label("Your password").fill("wrong")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog).to_contain_text("That is not your password.")
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Confirm").click()
    expect(signed_in.locator("#toasts")).to_contain_text("Vera is now admin.")
    assert Membership.objects.get(user=viewer).role == Role.ADMIN


def test_people_are_changed_without_scripts(
    open_page: OpenPage, owner: User, viewer: User, live_server: Any, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    page = open_page(sign_in_link(email=owner.email), java_script_enabled=False)
    page.goto(PEOPLE)
    page.get_by_label("Role of Vera", exact=True).select_option("member")
    page.get_by_role("button", name="Save the role of Vera").click()
    expect(page.get_by_text("Vera is now member.")).to_be_visible()
    page.get_by_role("link", name="Remove Vera").click()
    page.get_by_role("button", name="Remove person").click()
    expect(page.get_by_text("Vera was removed.")).to_be_visible()
    assert not Membership.objects.filter(user=viewer).exists()

"""The keys pages as an administrator uses them: with the mouse, and with the keyboard alone."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.accounts.sessions import SessionStore
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from orgadmin.keys.models import Rotation
from tests.browser.conftest import NARROW, OpenPage
from tests.conftest import Bells, SignIn

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = "/o/acme/keys/"


@pytest.fixture
def admin_page(open_page: OpenPage, admin: User, synced: Organization, sign_in: SignIn, live_server) -> Page:
    """An administrator's browser on a synced organization."""
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def signed_in_page(open_page: OpenPage, sign_in: SignIn, user: User, url: str, **options) -> Page:
    page = open_page(**options)
    cookie = sign_in(user).cookies["dashboard_session"]
    page.context.add_cookies([{"name": "dashboard_session", "value": cookie.value, "url": url}])
    return page


def test_a_key_is_created_and_its_secret_shown_once(admin_page: Page, sandbox) -> None:
    page = admin_page
    page.goto(KEYS)
    page.get_by_role("link", name="Create key").click()
    page.locator("#id_name").fill("checkout service")
    page.locator("#id_limit").fill("12.50")
    page.locator("#id_limit_reset").select_option("monthly")
    page.locator("#dialog").get_by_role("button", name="Create key").click()

    secret = page.locator("[data-secret-value]")
    expect(secret).to_have_value(re.compile(r"^sk-or-v1-[0-9a-f]{64}$"))
    raw = secret.input_value()
    page.get_by_role("link", name="I have stored it").click()

    expect(page.get_by_role("heading", name="checkout service")).to_be_visible()
    assert raw not in page.content()
    key = Key.objects.get(name="checkout service")
    assert (str(key.limit), key.limit_reset) == ("12.50", "monthly")
    page.go_back()
    assert raw not in page.content()


def test_search_follows_the_typing_and_the_address(admin_page: Page) -> None:
    page = admin_page
    wanted = Key.objects.filter(gone_at=None).order_by("-sort_name").first()
    assert wanted is not None
    page.goto(KEYS)
    page.get_by_role("searchbox", name="Search name, label, hash, owner").fill(wanted.hash[:12])

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"q={wanted.hash[:12]}"))
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_selected_keys_are_disabled_by_a_job(admin_page: Page, bells: Bells) -> None:
    page = admin_page
    page.goto(KEYS + "?state=active")
    boxes = page.locator("[data-pick]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Disable").click()
    page.locator("#dialog").get_by_role("button", name="Disable 2 keys").click()
    page.wait_for_url(re.compile("/sync/jobs/"))

    bells.work()

    expect(page.get_by_text("2 done")).to_be_visible()
    assert Entry.objects.filter(action="key.disable", outcome="ok").count() == 2


def test_everything_that_matches_is_given_a_limit(admin_page: Page, bells: Bells) -> None:
    page = admin_page
    number = Key.objects.filter(gone_at=None, limit=None).count()
    page.goto(KEYS + "?limit=without")
    page.locator("[data-pick-page]").check()
    page.locator("[data-pick-all]").check()
    page.get_by_role("button", name="Set limit…").click()
    page.locator("#id_limit").fill("100000")
    page.locator("#dialog").get_by_role("button", name=re.compile(f"Set limit of {number} keys")).click()
    page.wait_for_url(re.compile("/sync/jobs/"))

    bells.work()

    expect(page.get_by_text(f"{number} done")).to_be_visible()
    assert not Key.objects.filter(gone_at=None, limit=None).exists()


def test_two_administrators_edit_the_same_key(
    admin_page: Page, owner: User, sign_in: SignIn, synced_key
) -> None:
    page = admin_page
    page.goto(f"{KEYS}{synced_key.hash}/")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("#dialog")).to_be_visible()
    other = sign_in(owner)
    seen = {"name": synced_key.name, "limit": None, "limit_reset": None, "include_byok_in_limit": False}
    answer = other.post(
        f"{KEYS}{synced_key.hash}/edit/",
        {"name": synced_key.name, "limit": "5000", "limit_reset": "", "seen": json.dumps(seen)},
    )
    assert answer.status_code == 302

    page.locator("#id_limit").fill("9000")
    page.locator("#dialog").get_by_role("button", name="Save key").click()

    expect(page.get_by_text("Somebody else changed this key")).to_be_visible()
    page.get_by_role("button", name="Overwrite with mine").click()
    expect(page.get_by_text("Key saved.")).to_be_visible()
    synced_key.refresh_from_db()
    assert str(synced_key.limit) == "9000.00"


@pytest.fixture
def synced_key(admin_page: Page, organization: Organization, sandbox) -> Key:
    """A key without a limit that counts no BYOK."""
    key = Key.objects.filter(
        gone_at=None, limit=None, disabled=False, expires_at=None, include_byok_in_limit=False
    ).first()
    assert key is not None
    return key


def test_a_rotation_leads_to_its_page_and_is_retired(admin_page: Page, synced_key: Key) -> None:
    page = admin_page
    page.goto(f"{KEYS}{synced_key.hash}/")
    page.get_by_role("link", name="Rotate").click()
    page.locator("#dialog").get_by_role("button", name="Create successor").click()
    page.get_by_role("link", name="I have stored it").click()

    expect(page.get_by_role("heading", name=f"Rotation of “{synced_key.name}”")).to_be_visible()
    tick = page.get_by_label(re.compile("Retire it although"))
    if tick.count():
        tick.check()
    page.get_by_role("button", name="Retire old key").click()
    expect(page.get_by_text("is disabled. Delete it when nothing misses it.")).to_be_visible()
    assert Rotation.objects.get().retired_at is not None


def test_a_key_is_deleted_after_its_name_was_typed(admin_page: Page, synced_key: Key) -> None:
    page = admin_page
    page.goto(f"{KEYS}{synced_key.hash}/")
    page.get_by_role("link", name="Delete…").click()
    page.locator("#dialog").get_by_role("button", name="Delete key").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label(re.compile("^Type")).fill(synced_key.name)
    page.locator("#dialog").get_by_role("button", name="Delete key").click()

    expect(page.get_by_text(f"Key “{synced_key.name}” deleted.")).to_be_visible()
    synced_key.refresh_from_db()
    assert synced_key.gone_at is not None


def test_a_key_is_created_with_the_keyboard_alone(admin_page: Page) -> None:
    page = admin_page
    page.goto(KEYS)
    page.get_by_role("link", name="Create key").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#id_name")).to_be_focused()
    page.keyboard.type("typed only")
    page.keyboard.press("Enter")
    expect(page.locator("[data-secret-value]")).to_be_visible()
    assert Key.objects.filter(name="typed only").count() == 1


def test_an_old_proof_is_asked_for_again_and_the_form_survives(admin_page: Page, admin: User) -> None:
    page = admin_page
    page.goto(KEYS)
    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        session["proved_at"] = 0
        session.save()
    page.get_by_role("link", name="Create key").click()
    page.locator("#id_name").fill("after lunch")
    page.locator("#dialog").get_by_role("button", name="Create key").click()

    page.locator("#dialog").get_by_label("Your password").fill("correct-horse-battery")
    page.keyboard.press("Enter")

    expect(page.locator("[data-secret-value]")).to_be_visible()
    assert Key.objects.filter(name="after lunch").count() == 1
    assert get_user_model().objects.filter(pk=admin.pk).exists()


def test_it_works_without_javascript(
    open_page: OpenPage, admin: User, synced: Organization, sign_in: SignIn, live_server
) -> None:
    page = signed_in_page(
        open_page, sign_in, admin, live_server.url, java_script_enabled=False, viewport=NARROW
    )
    page.goto(KEYS + "create/")
    page.locator("#id_name").fill("plain old form")
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("[data-secret-value]")).to_be_visible()
    page.goto(KEYS + "?q=plain+old")
    expect(page.get_by_role("link", name="plain old form")).to_be_visible()


def create(page: Page, name: str) -> None:
    page.goto(KEYS)
    page.get_by_role("link", name="Create key").click()
    page.locator("#id_name").fill(name)
    page.locator("#dialog").get_by_role("button", name="Create key").click()


def test_a_lost_create_is_explained_where_it_was_asked(
    admin_page: Page, sandbox, problems: list[str]
) -> None:
    sandbox.sandbox.fault(method="POST", path="/keys", kind="drop_after")
    create(admin_page, "lost one")

    expect(admin_page.locator("#dialog")).to_contain_text("secret is lost")
    expect(admin_page.locator("#dialog").get_by_role("link", name="Delete it…")).to_be_visible()
    problems.clear()


def test_a_refused_create_can_be_sent_again(admin_page: Page, sandbox, problems: list[str]) -> None:
    sandbox.sandbox.fault(method="POST", path="/keys", kind="status", status=403, message="Not today.")
    create(admin_page, "second try")
    expect(admin_page.locator("#dialog")).to_contain_text("Not today.")
    problems.clear()

    admin_page.locator("#dialog").get_by_role("button", name="Create key").click()

    expect(admin_page.locator("[data-secret-value]")).to_be_visible()
    assert Key.objects.filter(name="second try").count() == 1


def test_a_page_kept_for_the_back_button_keeps_no_secret(admin_page: Page) -> None:
    create(admin_page, "kept page")
    secret = admin_page.locator("[data-secret-value]")
    expect(secret).to_be_visible()
    raw = secret.input_value()

    admin_page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")

    assert raw not in admin_page.content()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_disabling_is_undone_from_its_message(
    open_page: OpenPage, admin: User, synced: Organization, sign_in: SignIn, live_server, scripts: bool
) -> None:
    key = Key.objects.filter(disabled=False, gone_at=None, expires_at=None)[0]
    page = signed_in_page(open_page, sign_in, admin, live_server.url, java_script_enabled=scripts)
    if scripts:
        page.clock.install()
    page.goto(f"{KEYS}{key.hash}/")
    page.get_by_role("button", name="Disable key").click()
    expect(page.locator("#toasts")).to_contain_text("Key disabled.")
    if scripts:
        # It waits for whoever comes by keyboard.
        expect(page.locator(".toast")).to_have_attribute("data-watched", "")
        page.clock.fast_forward(60_000)
    undo = page.locator("#toasts").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Key enabled.")
    expect(page.get_by_role("button", name="Disable key")).to_be_visible()
    key.refresh_from_db()
    assert not key.disabled

"""What a list says first where the screen is narrow, without being scrolled sideways."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.services import Target
from orgadmin.inventory.models import Key, Member
from orgadmin.keys.models import Rotation
from tests.auditlog.acting import act
from tests.browser.conftest import NARROW, OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn
from tests.syncs.test_job_page import start, work

__all__ = ["work"]  # an autouse fixture

pytestmark = pytest.mark.django_db(transaction=True)
TABLET = {"width": 800, "height": 900}
LINE = 20


@pytest.fixture
def at(open_page: OpenPage, admin: User, synced: Organization, sign_in: SignIn, live_server: Any) -> Any:
    """``at(viewport, path)``: an administrator's page."""

    def open_at(viewport: Any, path: str) -> Page:
        page = signed_in_page(open_page, sign_in, admin, live_server.url, viewport=viewport)
        page.goto(f"/o/acme/{path}")
        return page

    return open_at


def is_in_sight(page: Page, found: Locator) -> bool:
    box = found.bounding_box()
    assert box is not None
    assert page.viewport_size is not None
    return box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]


def lines(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["height"] / LINE


@pytest.fixture
def log(synced: Organization, admin: User) -> None:
    for name in ("checkout-assistant-production-eu-west", "x" * 60):
        act(synced, admin, action="key.delete", target=Target("key", name[:8], name), before={"limit": "1"})


@pytest.mark.parametrize("viewport", [NARROW, TABLET])
def test_the_log_says_what_and_to_what(at: Any, log: None, viewport: dict[str, int]) -> None:
    page = at(viewport, "audit-log/")
    what = page.locator("#acts tbody a.name").first
    target = page.locator("#acts tbody td.capped", has_text="xxx")

    assert is_in_sight(page, what)
    assert lines(what) <= 2
    assert is_in_sight(page, target)
    assert lines(target) <= 8


def test_the_log_says_who_and_when_below_it_on_a_phone(at: Any, log: None, admin: User) -> None:
    page = at(NARROW, "audit-log/")
    row = page.locator("#acts tbody tr").first

    expect(row.locator("td", has=page.locator("a.name"))).to_contain_text(str(admin))
    expect(page.get_by_role("columnheader", name="Who")).to_be_hidden()


def test_the_keys_say_their_state(at: Any, synced: Organization) -> None:
    Member.objects.filter(organization=synced).update(first_name="Maximiliana", last_name="Featherstonehaugh")
    page = at(NARROW, "keys/")
    row = page.locator("#list tbody tr").first

    assert is_in_sight(page, row.locator(".badge"))
    expect(page.get_by_role("columnheader", name="Owner")).to_be_hidden()


def test_the_items_of_a_job_say_their_names(at: Any, synced: Organization, admin: User) -> None:
    job = start(synced, admin)
    job.items.update(target_name="a-very-long-key-name-that-somebody-generated-from-a-terraform-module")
    page = at(NARROW, f"sync/jobs/{job.pk}/")

    assert lines(page.locator("#items tbody .name").first) <= 2.1


@pytest.mark.parametrize("width", [390, 640, 1024])
@pytest.mark.parametrize("state", ["failed", "broken"])
def test_the_top_bar_holds_what_it_says(at: Any, synced: Organization, width: int, state: str) -> None:
    if state == "broken":
        synced.status = Organization.Status.BROKEN
    else:
        synced.summary["sync_state"] = "failed"
    synced.save()
    page = at({"width": width, "height": 800}, "keys/")

    words = page.locator("#freshness .fresh-short" if width < 640 else "#freshness .fresh-label")
    expect(words).to_be_visible()
    line = page.locator("#freshness .fresh").bounding_box()
    menu = page.locator("#workspace-menu").bounding_box()
    assert line is not None
    assert menu is not None
    assert line["x"] + line["width"] <= menu["x"]
    assert is_in_sight(page, page.locator("#user-menu"))
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_rotation_says_the_successors_name_to_its_end(at: Any, synced: Organization, admin: User) -> None:
    old, new = Key.objects.filter(organization=synced, gone_at=None)[:2]
    Key.objects.filter(pk=new.pk).update(name="checkout-assistant-production-eu-west (rotated)")
    Rotation.objects.create(organization=synced, old=old, new=new, started_by=admin)
    page = at(NARROW, "keys/rotations/")
    successor = page.locator("#list tbody td", has_text="checkout-assistant")

    assert is_in_sight(page, successor)
    assert lines(successor) <= 6


def test_the_log_begins_where_other_lists_do(at: Any, log: None) -> None:
    page = at(NARROW, "audit-log/")
    text = page.locator("#acts tbody a.name").first.bounding_box()
    count = page.locator("#acts .list-bar [data-count]").bounding_box()

    assert text is not None
    assert count is not None
    assert text["x"] == pytest.approx(count["x"], abs=1)

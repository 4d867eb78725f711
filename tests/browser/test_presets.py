"""From a lent key to a preset, a new version of it and back, as an owner does it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Preset
from tests.browser.axe import inaccessible
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import Bells, SignIn
from tests.lending import lend
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db(transaction=True)
BODY = """{
  "model": "openai/gpt-5.2",
  "temperature": 0.2,
  "stream": true,
  "messages": [{"role": "system", "content": "Be kind.\\nBe brief."}]
}"""


@pytest.fixture
def page(open_page: OpenPage, synced: Organization, owner: User, sign_in: SignIn, live_server: Any) -> Page:
    return signed_in_page(open_page, sign_in, owner, live_server.url)


def test_from_no_key_to_a_preset_and_back_to_its_first_version(
    page: Page, sandbox: RunningSandbox, bells: Bells
) -> None:
    page.goto("/o/acme/presets/")
    page.get_by_role("link", name="Add an inference key").click()
    page.get_by_role("link", name="Add inference key").click()
    sheet = page.locator("#dialog")
    sheet.get_by_label("Inference key", exact=True).fill(sandbox.sandbox.inference_key)
    sheet.get_by_role("button", name="Add key").click()
    expect(page.get_by_role("table", name="Inference keys of")).to_contain_text("In use")
    assert sandbox.sandbox.inference_key not in page.content()
    bells.work()

    page.get_by_role("navigation").get_by_role("link", name="Presets").click()
    expect(page.get_by_role("table", name="Presets")).to_contain_text("support-bot")
    page.get_by_role("link", name="Create preset").click()
    page.get_by_label("Slug").fill("greeter")
    page.get_by_label("Request body").fill(BODY)
    preview = page.locator("#preview")
    expect(preview).to_contain_text("@preset/greeter is new")
    expect(preview.get_by_role("row", name="stream")).to_contain_text("dropped")
    expect(preview.get_by_role("row", name="messages")).to_contain_text("system prompt")
    # What is typed keeps the focus while the preview is replaced.
    expect(page.get_by_label("Request body")).to_be_focused()
    assert inaccessible(page) == []
    preview.get_by_label("I know that it is live at once").check()
    preview.get_by_role("button", name="Create preset").click()
    expect(page.get_by_role("heading", name="greeter", level=1)).to_be_visible()
    expect(page.get_by_text("Version 1 of greeter is live.")).to_be_visible()

    page.get_by_role("link", name="New version").click()
    body = page.get_by_label("Request body")
    body.fill(body.input_value().replace("Be brief.", "Be precise."))
    expect(preview).to_contain_text("this makes version 2, live at once")
    expect(preview.locator("ins")).to_contain_text(["Be precise."])
    preview.get_by_label("I know that it is live at once").check()
    preview.get_by_role("button", name="Make version 2 live").click()
    expect(page.get_by_text("Version 2 of greeter is live.")).to_be_visible()

    page.get_by_role("link", name="Compare versions").click()
    expect(page.get_by_role("heading", name="From version 1 to version 2")).to_be_visible()
    page.get_by_label("Before").select_option("2")
    expect(page.get_by_text("They say the same.")).to_be_visible()
    page.get_by_role("link", name="greeter").click()
    page.get_by_role("link", name="Version 1", exact=True).click()
    page.get_by_role("link", name="Restore this version").click()
    expect(sheet.locator("del")).to_contain_text(["Be precise."])
    assert inaccessible(page) == []
    sheet.get_by_role("button", name="Make it live again").click()
    expect(page.get_by_text("Version 3 of greeter is live.")).to_be_visible()
    assert Preset.objects.get(slug="greeter").live_version == 3


def test_somebody_elses_version_is_shown_before_anything_is_sent(
    page: Page, synced: Organization, sandbox: RunningSandbox
) -> None:
    lend(synced, sandbox.sandbox)
    pull(synced)
    preset = Preset.objects.get(slug="support-bot")
    page.goto(f"/o/acme/presets/{preset.uid}/edit/")
    page.get_by_label("Request body").press("End")
    page.get_by_role("button", name="Check").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("It says the same as what is live.")
    sandbox.sandbox.outside.create_preset_version("support-bot", config={"model": "house/theirs"})
    preview.get_by_label("I know that it is live at once").check()
    preview.get_by_role("button", name="Make version 4 live").click()
    expect(preview).to_contain_text("Somebody else made another version live in the meantime.")
    expect(preview).to_contain_text("house/theirs")
    expect(preview.get_by_role("button", name="Make version 5 live")).to_be_visible()
    # Long values scroll in their own box.
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

"""``make screenshots``: the README's pictures, taken from the running product after some work was done in it.

Starts the demo on free ports with a data folder of its own, does what an administrator would do, and writes
``docs/images/*.png``. Needs Debian's chromium, or another one that CHROMIUM names.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.bench.serving import free_port
from tests.browser.conftest import CHROMIUM, FLAGS

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDE: ViewportSize = {"width": 1440, "height": 810}
# A picture is for looking at, not for measuring: a README must load quickly.
MOST_BYTES = 200_000
PATIENCE_MS = 30_000
# One of the sandbox's: it has an owner, a limit and some use.
SHOWN_KEY = "search-rerank-dev"


@contextmanager
def running_demo(data: str, sandbox_port: int) -> Iterator[str]:
    """The demo as ``make demo`` starts it; gives its one-time sign-in link."""
    env = {**os.environ, "DATA_DIR": data, "PORT": str(free_port()), "SANDBOX_PORT": str(sandbox_port)}
    supervisor = subprocess.Popen(
        (sys.executable, "-m", "dashboard.supervisor", "demo"),
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _link(supervisor)
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(timeout=60)


def _link(supervisor: subprocess.Popen[str]) -> str:
    said = []
    for line in supervisor.stdout or ():
        said.append(line)
        if found := re.search(r"Sign in: (\S+)", line):
            return found[1]
    raise RuntimeError("The demo did not start:\n" + "".join(said))


class Photographer:
    """One signed-in browser window in one theme."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self._base = base

    def open(self, path: str) -> None:
        self.page.goto(self._base + path)

    def theme(self, name: str) -> None:
        self.page.context.add_cookies([{"name": "theme", "value": name, "url": self._base}])

    def shoot(self, name: str) -> None:
        """Write the picture of what the window shows. RuntimeError when it is too heavy for a README."""
        self.page.wait_for_load_state("networkidle")
        target = IMAGES / f"{name}.png"
        self.page.screenshot(path=target, animations="disabled")
        size = target.stat().st_size
        if size > MOST_BYTES:
            raise RuntimeError(f"{target.name} has {size:,} bytes, more than {MOST_BYTES:,}.")
        sys.stdout.write(f"  {target.relative_to(ROOT)}  {size / 1000:.0f} kB\n")


# --- an administrator's morning ----------------------------------------------------------------------


def wait_for_keys(camera: Photographer) -> None:
    """The first sync fills the list by itself."""
    camera.open("/o/acme/keys/")
    expect(camera.page.locator("tbody tr")).to_have_count(50, timeout=PATIENCE_MS)


def create_key(camera: Photographer) -> None:
    page = camera.page
    camera.open("/o/acme/keys/?sort=-month")
    page.get_by_role("link", name="Create key").click()
    page.locator("#id_name").fill("invoice-extractor-eu")
    page.locator("#id_limit").fill("150")
    page.locator("#id_limit_reset").select_option("monthly")
    page.locator("#dialog").get_by_role("button", name="Create key").click()
    expect(page.locator("[data-secret-value]")).to_be_visible()
    page.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_role("heading", name="invoice-extractor-eu")).to_be_visible()


def edit_key(camera: Photographer) -> None:
    page = camera.page
    camera.open(f"/o/acme/keys/?q={SHOWN_KEY}")
    page.get_by_role("link", name=SHOWN_KEY, exact=True).click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.locator("#id_limit").fill("250")
    page.locator("#dialog").get_by_role("button", name="Save key").click()
    expect(page.get_by_text("Key saved.")).to_be_visible()
    # Once more, without the toast.
    page.reload()
    camera.shoot("key")


def rotate_key(camera: Photographer) -> None:
    page = camera.page
    page.get_by_role("link", name="Rotate").click()
    page.locator("#dialog").get_by_role("button", name="Create successor").click()
    expect(page.locator("[data-secret-value]")).to_be_visible()
    page.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    camera.shoot("rotation")


def disable_idle_keys(camera: Photographer) -> None:
    page = camera.page
    camera.open("/o/acme/keys/?state=active&idle=30&sort=used")
    page.locator("[data-pick-page]").check()
    page.get_by_role("button", name="Disable").click()
    page.locator("#dialog").get_by_role("button", name=re.compile(r"Disable \d+ keys")).click()
    page.wait_for_url(re.compile("/sync/jobs/"))
    expect(page.locator("#job").get_by_text("Done", exact=True)).to_be_visible()
    camera.shoot("job")


def change_elsewhere(camera: Photographer, doors: str) -> None:
    """Somebody uses another tool; the next sync finds out."""
    page = camera.page
    camera.open("/o/acme/keys/?q=agent-runner")
    key_hash = page.locator("[data-pick]").first.get_attribute("value")
    changes = [
        {"update_key": {"hash": key_hash, "limit": 75, "limit_reset": "weekly"}},
        {"create_key": {"name": "weekend experiment", "limit": 5}},
    ]
    requests.post(f"{doors}/outside", json=changes, timeout=10).raise_for_status()
    camera.open("/o/acme/sync/")
    page.get_by_role("button", name="Sync everything").click()
    expect(page.locator("#nouns").get_by_text("Syncing…").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#nouns").get_by_text("Syncing…")).to_have_count(0, timeout=PATIENCE_MS)
    camera.open("/o/acme/audit-log/")
    camera.shoot("audit-log")


def watch(camera: Photographer) -> None:
    """What is watched, once activity and the hours of today are there."""
    camera.open("/o/acme/sync/")
    for kind in ("credits", "activity", "today"):
        row = camera.page.locator("#nouns tr", has=camera.page.locator(f"#sync-{kind}"))
        expect(row.get_by_text("Done")).to_be_visible(timeout=PATIENCE_MS)
    camera.open("/o/acme/spend/?range=30d")
    camera.shoot("spend")
    for theme in ("light", "dark"):
        camera.theme(theme)
        camera.open("/o/acme/")
        camera.shoot(f"overview-{theme}")
    camera.theme("light")


def lists(camera: Photographer) -> None:
    camera.open("/o/acme/keys/?sort=-month")
    camera.shoot("keys")


def main() -> int:
    if not CHROMIUM or not Path(CHROMIUM).exists():
        sys.stderr.write("No chromium found: install Debian's package `chromium`, or set CHROMIUM to one.\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    sandbox_port = free_port()
    with (
        tempfile.TemporaryDirectory(prefix="dashboard-pictures-") as data,
        sync_playwright() as playwright,
        running_demo(data, sandbox_port) as link,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
        page.set_default_timeout(PATIENCE_MS)
        camera = Photographer(page, re.sub(r"^(https?://[^/]+)/.*", r"\1", link))
        page.goto(link)
        take_all(camera, f"http://127.0.0.1:{sandbox_port}/_sandbox")
        browser.close()
    return 0


def take_all(camera: Photographer, doors: str) -> None:
    camera.theme("light")
    wait_for_keys(camera)
    create_key(camera)
    edit_key(camera)
    rotate_key(camera)
    disable_idle_keys(camera)
    change_elsewhere(camera, doors)
    lists(camera)
    watch(camera)


if __name__ == "__main__":
    sys.exit(main())

"""Every page of an organization, in both themes, wide and narrow: axe finds nothing, nothing hangs over."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Credential, Key, Preset, WorkspaceBudgets
from orgadmin.jobs.models import Job
from orgadmin.keys.models import Rotation
from orgadmin.usage.clock import last_complete_day
from tests.analytics.daily import record
from tests.browser.axe import THEMES, inaccessible
from tests.browser.conftest import NARROW, WIDE, OpenPage
from tests.browser.test_keys import signed_in_page
from tests.catalog.shelf import SLUG, stock
from tests.conftest import Bells, SignIn
from tests.credits.balances import read
from tests.guardrails import posts
from tests.lending import lend
from tests.observability import posts as destination_posts
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
PRESET_PAGES = ("", "edit/", "versions/1/", "versions/1/restore/", "compare/?old=1&new=3")
WORKSPACE_PAGES = ("", "edit/", "delete/", "budgets/", "budgets/monthly/raise/", "members/", "members/add/")


@pytest.mark.axe
@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_axe_finds_nothing_and_nothing_hangs_over(
    open_page: OpenPage,
    admin: User,
    synced: Organization,
    sign_in: SignIn,
    bells: Bells,
    sandbox: RunningSandbox,
    live_server: Any,
    viewport: dict[str, int],
) -> None:
    key, other = (
        Key.objects.filter(gone_at=None, disabled=False).exclude(limit=None).order_by("sort_name")[:2]
    )
    live_through(sign_in(admin), key, other, bells, sandbox)
    page = signed_in_page(open_page, sign_in, admin, live_server.url, viewport=viewport)
    # Colours are the same on a narrow page.
    themes = THEMES if viewport == WIDE else THEMES[-1:]
    for path in paths(key):
        page.goto(f"/o/acme/{path}")
        assert inaccessible(page, themes) == [], path
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), (path, theme)


def live_through(client: Any, key: Key, other: Key, bells: Bells, sandbox: RunningSandbox) -> None:
    """A rotation, a job, a change, a purchase and a lent key, so that no page is empty."""
    now = datetime.now(UTC)
    stock(key.organization)
    read(key.organization, until=now, span=timedelta(days=5), every=HOUR, purchases={26 * HOUR: "40"})
    for days in (0, 1, 4, 150):
        day = last_complete_day() - timedelta(days=days)
        record(key.organization, day, "Azure", request_count=3, p50_latency=f"{300 + days}.5")
        for label in ("", "https://an-application-with-a-long-address.example/and/a/path/in/it"):
            record(key.organization, day, label, by="app", request_count=12 - days)
    lend(key.organization, sandbox.sandbox)
    pull(key.organization)
    token = str(uuid.uuid4())
    wanted = {"name": "successor", "workspace": key.workspace_uid, "form_token": token}
    assert client.post(f"/o/acme/keys/{key.hash}/rotate/", wanted).status_code == 201
    client.post("/o/acme/keys/bulk/start/", {"action": "disable", "selected": other.hash})
    bells.work()


def paths(key: Key) -> list[str]:
    rotation, job, entry = Rotation.objects.get(), Job.objects.get(), Entry.objects.latest("pk")
    credential = Credential.objects.filter(allowed_api_key_hashes__isnull=False)[0]
    destination = destination_posts.destination(key.organization, "datadog")
    stranger = destination_posts.stranger(key.organization)
    preset = Preset.objects.get(slug="support-bot")
    one, budgets = f"keys/{key.hash}", WorkspaceBudgets.objects.exclude(monthly=None)[0]
    return [
        "keys/",
        "keys/?q=nothing-is-called-this",
        "keys/?state=gone",
        "keys/create/",
        "keys/rotations/",
        f"keys/rotations/{rotation.pk}/",
        *(f"{one}/{part}" for part in ("", "edit/", "delete/", "rotate/")),
        "workspaces/",
        "guardrails/",
        "guardrails/create/",
        *(f"guardrails/{posts.guardrail(key.organization).uid}/{part}" for part in ("", "edit/", "delete/")),
        f"guardrails/assign/?kind=keys&selected={key.hash}",
        "observability/",
        "observability/?q=nothing-is-called-this",
        "observability/create/",
        f"observability/create/?workspace={key.workspace_uid}&type=s3",
        *(f"observability/{destination.uid}/{part}" for part in ("", "edit/", "delete/")),
        f"observability/{stranger.uid}/",
        f"observability/{stranger.uid}/edit/",
        f"policy/?key={key.hash}&model=openai/gpt-4o",
        "budgets/",
        "budgets/?q=nothing-is-called-this",
        f"{one}/raise/?back=budgets",
        "workspaces/create/",
        *(f"workspaces/{budgets.workspace_uid}/{part}" for part in WORKSPACE_PAGES),
        "members/",
        "presets/",
        "presets/?q=nothing-is-called-this",
        "presets/create/",
        *(f"presets/{preset.uid}/{part}" for part in PRESET_PAGES),
        "settings/",
        *(f"members/{key.owner.uid}/{part}" for part in ("", "leaving/") if key.owner),
        "byok/",
        "byok/?q=nothing-is-called-this",
        "byok/coverage/",
        "byok/add/",
        *(f"byok/{credential.uid}/{part}" for part in ("", "edit/", "rotate/", "disable/", "delete/")),
        "audit-log/",
        f"audit-log/{entry.pk}/",
        "sync/",
        "sync/jobs/",
        f"sync/jobs/{job.pk}/",
        "analytics/builder/",
        "analytics/run/?metric=total_usage&metric=p90_latency&by=provider&f0=api_key_id&op0=in&f1=model",
        "analytics/run/?metric=total_usage&by=user&every=none&limit=3",
        "analytics/run/?metric=total_usage&metric=p90_latency&by=provider&range=90d",
        "analytics/daily/",
        "analytics/daily/?by=provider&metric=p50_latency",
        "analytics/daily/?by=app&metric=request_count&range=all",
        "analytics/daily/?since=2021-01-01&until=2021-02-01",
        "analytics/saved/",
        "analytics/saved/new/?metric=total_usage",
        "search/?q=a",
        "credits/",
        "models/",
        "models/?q=nothing-is-called-this",
        f"models/{SLUG}/",
        "models/changes/",
        "models/house/router/",
    ]

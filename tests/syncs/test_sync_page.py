"""The Sync page, its progress, the line in the top bar, and the button that asks for a pull."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.kinds import KINDS
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.nouns import NOUNS
from orgadmin.inventory.summary import note_freshness
from tests.conftest import Bells, SignIn
from tests.inventory.pulling import pull
from tests.sandbox_server import RunningSandbox

SYNC = "/o/acme/sync/"
HTMX = {"HX-Request": "true"}


def number_of_usual_kinds() -> int:
    """How many pulls "everything" asks for."""
    return sum(not kind.is_rare for kind in KINDS.values())


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("", {"owner": 200, "admin": 200, "viewer": 200, "member": 403, "stranger": 404}),
        ("progress/", {"owner": 200, "admin": 200, "viewer": 200, "member": 403, "stranger": 404}),
        ("freshness/", {"owner": 200, "admin": 200, "viewer": 200, "member": 200, "stranger": 404}),
    ],
)
def test_who_sees_what(
    synced: Organization, sign_in: SignIn, request: pytest.FixtureRequest, path: str, roles: dict[str, int]
) -> None:
    for role, status in roles.items():
        user = request.getfixturevalue(role)
        assert sign_in(user).get(f"{SYNC}{path}").status_code == status, role


def test_who_may_ask_for_a_pull(
    synced: Organization, sign_in: SignIn, request: pytest.FixtureRequest, bells: Bells
) -> None:
    for role, status in {"owner": 302, "admin": 302, "viewer": 403, "member": 403, "stranger": 404}.items():
        bells.pulls.clear()
        response = sign_in(request.getfixturevalue(role)).post(f"{SYNC}run/", {"kind": "keys"})
        assert response.status_code == status, role
    assert sign_in(request.getfixturevalue("owner")).get(f"{SYNC}run/").status_code == 405


def test_each_noun_says_how_it_stands(synced: Organization, admin: User, sign_in: SignIn) -> None:
    page = text_of(sign_in(admin).get(SYNC))
    for noun in ("Workspaces", "Members", "Keys"):
        assert f"<strong>{noun}</strong>" in page
    assert page.count('aria-label="Sync ') == len(KINDS)
    assert "Sync everything" in page
    assert f"1–{len(NOUNS)} of {len(NOUNS)} runs" in page
    assert "the clock" in page


def test_who_may_not_ask_sees_no_button(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    page = text_of(sign_in(viewer).get(SYNC))
    assert "Sync everything" not in page
    assert "Sync now" not in page


def test_never_synced(organization: Organization, viewer: User, sign_in: SignIn) -> None:
    page = text_of(sign_in(viewer).get(SYNC))
    assert page.count("Never synced") >= 3
    assert "No sync yet" in page


def test_asking_for_one_noun(synced: Organization, admin: User, sign_in: SignIn, bells: Bells) -> None:
    response = sign_in(admin).post(f"{SYNC}run/", {"kind": "members"})
    assert (response.status_code, response["Location"]) == (302, SYNC)
    (number,) = bells.pulls
    run = SyncRun.objects.get(pk=number)
    assert (run.kind, run.requested_by, run.state) == ("members", admin, SyncRun.State.QUEUED)
    page = text_of(sign_in(admin).get(SYNC))
    assert "Adam" in page
    assert "every 2s" in page


def test_asking_for_everything(synced: Organization, admin: User, sign_in: SignIn, bells: Bells) -> None:
    browser = sign_in(admin)
    browser.post(f"{SYNC}run/", {"kind": "all"})
    browser.post(f"{SYNC}run/")
    kinds = [SyncRun.objects.get(pk=number).kind for number in bells.pulls]
    assert kinds == [
        "workspaces",
        "members",
        "keys",
        "key-assignments",
        "member-assignments",
        "guardrails",
        "workspace-budgets",
        "workspace-members",
        "byok-credentials",
        "destinations",
        "presets",
        "credits",
        "activity",
        "today",
        "harvest",
        "catalog",
    ]


def test_nonsense_is_refused(synced: Organization, admin: User, sign_in: SignIn, bells: Bells) -> None:
    sign_in(admin).post(f"{SYNC}run/", {"kind": "<script>"})
    assert bells.pulls == []


def test_a_disconnected_organization_is_not_asked(
    synced: Organization, admin: User, sign_in: SignIn, bells: Bells
) -> None:
    Organization.objects.update(status=Organization.Status.DISCONNECTED)
    browser = sign_in(admin)
    browser.post(f"{SYNC}run/", {"kind": "all"})
    assert bells.pulls == []
    page = text_of(browser.get(SYNC))
    assert "This organization is disconnected" in page
    assert "Sync everything" not in page


def test_without_javascript_one_is_back_on_the_page_one_came_from(
    synced: Organization, admin: User, sign_in: SignIn
) -> None:
    browser = sign_in(admin)
    page = "http://testserver/o/acme/keys/?q=bot"
    assert browser.post(f"{SYNC}run/", headers={"Referer": page})["Location"] == page
    evil = browser.post(f"{SYNC}run/", headers={"Referer": "https://evil.test/"})
    assert evil["Location"] == SYNC


def test_the_top_bar_is_answered_in_its_place(synced: Organization, admin: User, sign_in: SignIn) -> None:
    response = sign_in(admin).post(f"{SYNC}run/", headers={**HTMX, "HX-Target": "freshness"})
    page = text_of(response)
    assert 'id="freshness"' in page
    assert "Syncing…" in page
    assert "every 2s" in page
    assert "sync:started" in response["HX-Trigger"]


def test_the_sync_page_is_answered_with_its_nouns(synced: Organization, admin: User, sign_in: SignIn) -> None:
    response = sign_in(admin).post(f"{SYNC}run/", {"kind": "keys"}, headers={**HTMX, "HX-Target": "nouns"})
    page = text_of(response)
    assert 'id="nouns"' in page
    assert "Waiting" in page


def test_progress_is_asked_for_only_while_something_is_open(
    synced: Organization, admin: User, sign_in: SignIn
) -> None:
    browser = sign_in(admin)
    idle = browser.get(f"{SYNC}progress/", headers=HTMX)
    assert "every 2s" not in text_of(idle)
    assert "sync:done" in idle["HX-Trigger"]
    run = SyncRun.objects.filter(kind="keys").latest("pk")
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.RUNNING, seen=20, expected=40)
    busy = browser.get(f"{SYNC}progress/", headers=HTMX)
    assert "every 2s" in text_of(busy)
    assert '<progress class="progress" max="40" value="20"' in text_of(busy)
    assert "HX-Trigger" not in busy


def test_the_list_of_keys_is_loaded_again_after_the_first_sync(
    organization: Organization, admin: User, sign_in: SignIn, bells: Bells
) -> None:
    browser = sign_in(admin)
    asked = {**HTMX, "HX-Current-URL": "http://testserver/o/acme/keys/?q=bot"}

    def answer(**headers: str) -> Any:
        return browser.get(f"{SYNC}progress/", headers={**asked, **headers})

    # Nothing was asked for yet, so there is nothing to load.
    assert "HX-Refresh" not in answer()
    browser.post(f"{SYNC}run/", {"kind": "all"})
    assert "HX-Refresh" not in answer()
    bells.work()
    counted = Organization.objects.get().summary
    # A moment after the last run: nothing is open any more, and the counts are not written yet.
    Organization.objects.update(summary={**counted, "synced_at": None})
    early = answer()
    assert "HX-Refresh" not in early
    assert "every 2s" in text_of(early)
    Organization.objects.update(summary=counted)
    assert answer()["HX-Refresh"] == "true"
    assert "HX-Refresh" not in answer(**{"HX-Current-URL": "http://testserver/o/acme/sync/"})
    assert "HX-Refresh" not in browser.get(f"{SYNC}progress/", headers=HTMX)
    assert "sync/progress/" not in text_of(browser.get("/o/acme/keys/"))


def test_a_failure_says_what_was_said_and_what_happens_next(
    synced: Organization, sandbox: RunningSandbox, viewer: User, sign_in: SignIn
) -> None:
    sandbox.sandbox.fault(kind="status", status=400, path="/keys", message="Bad parameter <b>.", times=9)
    assert pull(synced).state == SyncRun.State.FAILED
    page = text_of(sign_in(viewer).get(SYNC))
    assert "Bad parameter &lt;b&gt;." in page
    assert "&lt;b&gt;. What you see is from the last good sync" in page
    assert "Sync failed" in page


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_says_whose_turn_it_is(
    synced: Organization, sandbox: RunningSandbox, owner: User, viewer: User, sign_in: SignIn, status: int
) -> None:
    sandbox.sandbox.fault(kind="status", status=status, path="/workspaces", message="Unauthorized", times=9)
    pull(synced)
    page = text_of(sign_in(viewer).get(SYNC))
    # Above the list, and where the sync that failed stands.
    said = "<strong>OpenRouter refused the management key.</strong> It says: Unauthorized. An owner can"
    assert page.count(f"{said} replace it in Settings.") == 2
    assert "replace it in Settings. What you see is from the last good sync" in page
    way = 'replace it in <a href="/o/acme/settings/">Settings</a>.'
    assert text_of(sign_in(owner).get(SYNC)).count(f"{said} {way}") == 2


def test_the_top_bar_leads_to_the_refused_key(
    synced: Organization, sandbox: RunningSandbox, viewer: User, member: User, sign_in: SignIn
) -> None:
    sandbox.sandbox.fault(kind="status", status=401, path="/workspaces", message="Unauthorized", times=9)
    pull(synced)
    words = (
        "OpenRouter refused the management key. It says: Unauthorized. An owner can replace it in Settings."
    )
    for user, start in (
        (viewer, '<a class="fresh" href="/o/acme/settings/" id="connection-state"'),
        (member, '<span class="fresh"'),
    ):
        bar = text_of(sign_in(user).get(f"{SYNC}freshness/", headers=HTMX))
        assert f'{start} title="{words}"' in bar
        assert "Needs attention" in bar


def test_an_account_without_members_is_told_apart(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    Organization.objects.update(capabilities={"members": False})
    assert "OpenRouter says it is not an organization" in text_of(sign_in(viewer).get(SYNC))


def test_nobody_works(synced: Organization, admin: User, sign_in: SignIn, bells: Bells) -> None:
    browser = sign_in(admin)
    browser.post(f"{SYNC}run/", {"kind": "keys"})
    SyncRun.objects.filter(state="queued").update(created_at=timezone.now() - timedelta(minutes=3))
    assert "No worker has taken it yet" in text_of(browser.get(SYNC))
    fresh = text_of(browser.get(f"{SYNC}freshness/", headers=HTMX))
    assert "Sync failed" in fresh
    assert "every 30s" in fresh


def test_runs_are_filtered_and_paged(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    for n in range(60):
        state = SyncRun.State.FAILED if n % 2 else SyncRun.State.OK
        SyncRun.objects.create(organization=synced, kind="keys", state=state, error="Oh." if n % 2 else "")
    browser, total = sign_in(viewer), 60 + len(NOUNS)
    assert f"1–50 of {total} runs" in text_of(browser.get(SYNC))
    assert f"51–{total} of {total} runs" in text_of(browser.get(f"{SYNC}?page=2"))
    assert "1–30 of 30 runs" in text_of(browser.get(f"{SYNC}?kind=keys&state=failed"))
    assert "No run matches" in text_of(browser.get(f"{SYNC}?kind=members&state=failed"))
    assert f"of {total} runs" in text_of(browser.get(f"{SYNC}?kind=nonsense&state=%00&page=x"))
    part = text_of(browser.get(f"{SYNC}?kind=members", headers=HTMX))
    assert "<html" not in part
    assert 'id="runs"' in part


# --- freshness ---


def test_freshness_in_words(synced: Organization, member: User, sign_in: SignIn, bells: Bells) -> None:
    browser = sign_in(member)

    def label() -> str:
        page = text_of(browser.get(f"{SYNC}freshness/", headers=HTMX))
        assert "sync-now" not in page
        return page

    assert "Synced now" in label()
    run = SyncRun.objects.create(organization=synced, kind="keys")
    note_freshness(synced)
    assert "Syncing…" in label()
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.FAILED, error="It broke.")
    # Said to run in the summary, over in truth: the line looks before it believes.
    assert "Sync failed" in label()
    SyncRun.objects.all().delete()
    note_freshness(synced)
    assert "Never synced" in label()


def test_freshness_costs_next_to_nothing(synced: Organization, admin: User, sign_in: SignIn) -> None:
    browser = sign_in(admin)
    with CaptureQueriesContext(connection) as queries:
        response = browser.get(f"{SYNC}freshness/", headers=HTMX)
    # The session, the user, the memberships.
    assert len(queries) == 3, [query["sql"] for query in queries]
    assert len(response.content) < 2000


def test_the_whole_way(synced: Organization, admin: User, sign_in: SignIn, bells: Bells) -> None:
    browser = sign_in(admin)
    browser.post(f"{SYNC}run/", {"kind": "all"})
    bells.work()
    page, runs = text_of(browser.get(SYNC)), len(NOUNS) + number_of_usual_kinds()
    assert "every 2s" not in page
    assert f"1–{runs} of {runs} runs" in page
    assert "Synced now" in page


def test_queries_do_not_grow_with_the_runs(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    browser = sign_in(viewer)
    counts = []
    for number in (1, 70):
        for _ in range(number):
            SyncRun.objects.create(organization=synced, kind="keys", requested_by=viewer)
        with CaptureQueriesContext(connection) as queries:
            browser.get(SYNC)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10

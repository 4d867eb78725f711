"""Many keys at once: what would happen, and the job that begins."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.jobs.models import Job
from tests.conftest import Bells, SignIn
from tests.keys.conftest import add_keys, form_in, hashes, live_keys, log_of, sent, text_of
from tests.sandbox_server import RunningSandbox

PREVIEW, START = "/o/acme/keys/bulk/", "/o/acme/keys/bulk/start/"


@pytest.fixture(autouse=True)
def only_changes(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()


def start_form(action: str, keys: list[Key], **fields: Any) -> dict[str, Any]:
    return {"action": action, "selected": hashes(keys), "form_token": str(uuid.uuid4()), **fields}


def targets(job: Job) -> set[str]:
    return set(job.items.values_list("target_id", flat=True))


def test_the_preview_says_what_would_happen_and_changes_nothing(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    disabled = Key.objects.filter(organization=synced, disabled=True)[0]
    keys = [*live_keys(synced)[:2], disabled]
    response = desk.post(PREVIEW, {"action": "disable", "selected": hashes(keys)})
    page = text_of(response)
    assert response.status_code == 200
    assert "Disable 3 keys" in page
    assert "1 key is disabled already and stays as it is." in page
    for key in keys:
        assert f"<li>{key.name}</li>" in page
    assert sent(sandbox) == []
    assert not Job.objects.exists()
    assert log_of(synced) == []


def test_the_preview_of_a_deletion_wants_the_number_typed(desk: Client, synced: Organization) -> None:
    keys = live_keys(synced)[:3]
    page = text_of(desk.post(PREVIEW, {"action": "delete", "selected": hashes(keys)}))
    assert "Type “delete 3” to confirm" in page
    assert "Nobody can bring a deleted key back." in page


def test_the_preview_names_a_few_and_counts_the_rest(desk: Client, synced: Organization) -> None:
    page = text_of(desk.post(PREVIEW, {"action": "disable", "all": "1", "filters": ""}))
    assert "Disable 40 keys" in page
    assert "and 30 more" in page


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"action": "disable"},
        {"action": "explode", "all": "1"},
        {"action": "disable", "selected": "0" * 64},
    ],
)
def test_without_a_selection_there_is_nothing_to_preview(
    desk: Client, synced: Organization, posted: dict[str, str]
) -> None:
    for address in (PREVIEW, START):
        response: Any = desk.post(address, posted)
        assert response.status_code == 302
        assert response["Location"] == "/o/acme/keys/"
    assert not Job.objects.exists()


def test_htmx_gets_the_preview_into_the_dialog(desk: Client, synced: Organization) -> None:
    posted = {"action": "disable", "selected": hashes(live_keys(synced)[:1])}
    response = desk.post(PREVIEW, posted, headers={"HX-Request": "true"})
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#dialog", "innerHTML")
    assert "<html" not in text_of(response)


def test_what_the_preview_carries_starts_the_job_it_described(
    desk: Client, synced: Organization, bells: Bells
) -> None:
    page = desk.post(PREVIEW, {"action": "disable", "all": "1", "filters": "workspace=research"})
    response: Any = desk.post(START, form_in(page, START))
    job = Job.objects.get()
    assert response["Location"] == f"/o/acme/sync/jobs/{job.pk}/"
    assert (job.kind, job.state, job.title) == ("keys.disable", "queued", f"Disable {job.total} keys")
    assert targets(job) == set(hashes(Key.objects.filter(organization=synced, workspace__slug="research")))
    assert bells.jobs == [job.pk]


def test_all_matching_are_fixed_when_the_job_starts(
    desk: Client, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    form = {
        "action": "limit",
        "all": "1",
        "filters": "q=sk-or",
        "previewed": "40",
        "limit": "5.37",
        "blocks_anyway": "on",
        "form_token": str(uuid.uuid4()),
    }
    desk.post(START, form)
    job = Job.objects.get()
    assert job.total == 40
    add_keys(synced, 5)
    bells.work()
    job.refresh_from_db()
    assert (job.total, job.items.count()) == (40, 40)
    assert len(sent(sandbox)) == 40


def test_all_matching_goes_beyond_the_page(desk: Client, synced: Organization) -> None:
    add_keys(synced, 120)
    desk.post(START, {"action": "disable", "all": "1", "filters": "q=sk-or&sort=-month", "previewed": "160"})
    assert Job.objects.get().total == 160


def test_deleted_keys_are_never_among_them(desk: Client, synced: Organization, key: Key) -> None:
    Key.objects.filter(pk=key.pk).update(gone_at=timezone.now())
    desk.post(START, {"action": "disable", "all": "1", "filters": "state=gone"})
    assert not Job.objects.exists()
    desk.post(START, start_form("disable", [key]))
    assert not Job.objects.exists()


def test_the_same_form_starts_one_job(desk: Client, synced: Organization, bells: Bells) -> None:
    form = start_form("disable", live_keys(synced)[:2])
    first: Any = desk.post(START, form)
    second: Any = desk.post(START, form)
    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 1
    assert len(bells.jobs) == 1


@pytest.mark.parametrize("typed", ["", "delete", "delete 2", "DELETE 3", "3"])
def test_a_deletion_starts_only_when_confirmed(desk: Client, synced: Organization, typed: str) -> None:
    response = desk.post(START, start_form("delete", live_keys(synced)[:3], confirmation=typed))
    assert response.status_code == 400
    assert "Nothing was done" in text_of(response)
    assert not Job.objects.exists()


@pytest.mark.parametrize("change", ["more", "fewer", "unsaid"])
@pytest.mark.parametrize("action", ["disable", "enable", "limit", "delete"])
def test_another_number_than_was_shown_is_shown_first(
    desk: Client, synced: Organization, bells: Bells, action: str, change: str
) -> None:
    shown = desk.post(PREVIEW, {"action": action, "all": "1", "filters": "q=sk-or"})
    form = {**form_in(shown, START), "limit": "5.25", "blocks_anyway": "on", "confirmation": "delete 40"}
    assert form["previewed"] == "40"
    if change == "more":
        add_keys(synced, 1)
    elif change == "fewer":
        Key.objects.filter(pk=live_keys(synced)[0].pk).update(gone_at=timezone.now())
    else:
        del form["previewed"]
    refused = desk.post(START, form)
    number = {"more": 41, "fewer": 39, "unsaid": 40}[change]
    assert refused.status_code == 409
    assert f"Now it is {number} keys." in text_of(refused)
    assert "Nothing was done" in text_of(refused)
    assert not Job.objects.exists()

    again = form_in(refused, START)
    if action == "limit":
        assert again["limit"] == "5.25"
    if action == "delete":
        assert again["confirmation"] == ""
    desk.post(START, {**again, "confirmation": f"delete {number}"})
    assert Job.objects.get().total == number


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"limit": "-1"}, "A limit cannot be negative."),
        ({"limit": "NaN"}, "Write an amount"),
        ({"limit": "", "limit_reset": "daily"}, "Only a limit can reset"),
        ({"limit": "5", "limit_reset": "hourly"}, "Choose one of the windows"),
    ],
)
def test_a_limit_that_makes_no_sense_starts_nothing(
    desk: Client, synced: Organization, fields: dict[str, str], message: str
) -> None:
    response = desk.post(START, start_form("limit", live_keys(synced)[:3], **fields))
    page = text_of(response)
    assert response.status_code == 400
    assert message in page
    carried = form_in(response, START)
    assert carried["action"] == "limit"
    assert page.count('name="selected"') == 3
    assert not Job.objects.exists()


def test_it_refuses_a_viewer(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    form = start_form("disable", live_keys(synced)[:1])
    reader = sign_in(viewer)
    assert reader.post(PREVIEW, form).status_code == 403
    assert reader.post(START, form).status_code == 403
    assert not Job.objects.exists()


def test_a_members_selection_holds_only_their_own(
    member: User, synced: Organization, sign_in: SignIn
) -> None:
    browser = sign_in(member)
    everything = list(Key.objects.filter(organization=synced))
    own = set(hashes(key for key in everything if key.owner and key.owner.email.lower() == member.email))
    browser.post(START, start_form("disable", everything))
    browser.post(START, {"action": "enable", "all": "1", "filters": "", "previewed": str(len(own))})
    assert [targets(job) for job in Job.objects.all()] == [own, own]


def test_filters_beyond_all_measure_are_a_bad_request(desk: Client, synced: Organization) -> None:
    response = desk.post(START, {"action": "disable", "all": "1", "filters": "&" * 100_000})
    assert response.status_code in (302, 400)


def test_what_a_job_disabled_and_nothing_else_is_enabled_again(
    desk: Client, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    *changed, off = live_keys(synced)[:4]
    sandbox.sandbox.outside.update_key(off.hash, disabled=True)
    Key.objects.filter(pk=off.pk).update(disabled=True)
    desk.post(START, start_form("disable", [*changed, off]))
    bells.work()
    first = Job.objects.get()

    page = text_of(desk.get(f"/o/acme/sync/jobs/{first.pk}/"))
    assert "Enable the 3 again…" in page
    sheet = desk.post(PREVIEW, {"action": "enable", "job": first.pk})
    assert "Enable 3 keys" in text_of(sheet)
    desk.post(START, form_in(sheet, START))
    bells.work()

    again = Job.objects.latest("pk")
    assert (again.kind, targets(again)) == ("keys.enable", set(hashes(changed)))
    assert [sandbox.sandbox.key(key.hash)["disabled"] for key in (*changed, off)] == [False] * 3 + [True]


@pytest.mark.parametrize("number", ["x", "0", "9" * 30, "²"])
def test_a_job_that_is_none_selects_nothing(desk: Client, synced: Organization, number: str) -> None:
    assert desk.post(PREVIEW, {"action": "enable", "job": number}).status_code == 302
    desk.post(START, {"action": "enable", "job": number})
    assert not Job.objects.exists()


def test_another_organizations_job_selects_nothing(desk: Client, synced: Organization, admin: User) -> None:
    key = live_keys(synced)[0]
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1/api/v1")
    job = Job.objects.create(organization=other, kind="keys.disable", title="", actor=admin)
    job.items.create(target_id=key.hash, target_name=key.name, state="ok")
    assert desk.post(PREVIEW, {"action": "enable", "job": job.pk}).status_code == 302

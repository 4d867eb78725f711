"""The jobs' pages: who sees and steers which, progress, items, cancel, try again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory.models import Key
from orgadmin.jobs import services
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.services import NewJob, job_start
from orgadmin.openrouter.errors import InvalidRequest
from tests.conftest import Bells, SignIn, person

JOBS = "/o/acme/sync/jobs/"
HTMX = {"HX-Request": "true"}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that fail for every key whose name is said to be bad."""

    def act(job: Job, item: JobItem) -> str:
        if item.target_name in job.params["bad"]:
            raise InvalidRequest("Not <i>this</i> one.")
        return f"{job.actor} did it."

    monkeypatch.setitem(services._ACTS, "keys.tested", act)


def start(organization: Organization, actor: User, *, keys: int = 3, bad: int = 0) -> Job:
    rows = list(
        Key.objects.filter(organization=organization).order_by("id").values_list("hash", "name")[:keys]
    )
    rows += [(f"gone-{n}", f"gone {n}") for n in range(keys - len(rows))]
    params = {"bad": [name for _, name in rows[:bad]]}
    new = NewJob("keys.tested", f"Test {keys} keys", rows, params, uuid.uuid4())
    return job_start(actor=actor, organization=organization, new=new)


def test_who_sees_a_job(
    synced: Organization, admin: User, viewer: User, member: User, stranger: User, sign_in: SignIn
) -> None:
    job = start(synced, admin)
    for user, status in ((admin, 200), (viewer, 200), (member, 404), (stranger, 404)):
        for path in ("", "progress/", "items/"):
            assert sign_in(user).get(f"{JOBS}{job.pk}/{path}").status_code == status
    for user, status in ((viewer, 403), (member, 404), (stranger, 404)):
        for path in ("cancel/", "retry/"):
            assert sign_in(user).post(f"{JOBS}{job.pk}/{path}").status_code == status
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED


def test_a_member_sees_and_steers_their_own(
    synced: Organization, admin: User, member: User, sign_in: SignIn, bells: Bells
) -> None:
    theirs, other = start(synced, member), start(synced, admin)
    browser = sign_in(member)
    page = text_of(browser.get(JOBS))
    assert f"{JOBS}{theirs.pk}/" in page
    assert f"{JOBS}{other.pk}/" not in page
    assert browser.get(f"{JOBS}{theirs.pk}/").status_code == 200
    assert browser.post(f"{JOBS}{theirs.pk}/cancel/").status_code == 302
    theirs.refresh_from_db()
    assert theirs.state == Job.State.CANCELLED


def test_who_became_a_viewer_steers_nothing(synced: Organization, admin: User, sign_in: SignIn) -> None:
    job = start(synced, admin)
    Membership.objects.filter(user=admin).update(role=Role.VIEWER)
    assert sign_in(admin).post(f"{JOBS}{job.pk}/cancel/").status_code == 403
    page = text_of(sign_in(admin).get(f"{JOBS}{job.pk}/"))
    assert "Cancel" not in page


def test_another_organizations_job_is_not_there(synced: Organization, admin: User, sign_in: SignIn) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1/api/v1")
    boss = person("boss@other.test", other, Role.OWNER)
    job = start(other, boss)
    assert sign_in(admin).get(f"{JOBS}{job.pk}/").status_code == 404
    assert sign_in(admin).post(f"{JOBS}{job.pk}/cancel/").status_code == 404


def test_a_waiting_job(synced: Organization, admin: User, sign_in: SignIn) -> None:
    job = start(synced, admin)
    page = text_of(sign_in(admin).get(f"{JOBS}{job.pk}/"))
    assert "Test 3 keys" in page
    assert "it waits for a worker" in page
    assert "You can leave this page" in page
    assert "3 left" in page
    assert f'hx-get="{JOBS}{job.pk}/progress/"' in page
    assert "Cancel" in page


def test_a_finished_job_with_its_items(
    synced: Organization, admin: User, sign_in: SignIn, bells: Bells
) -> None:
    job = start(synced, admin, bad=1)
    bells.work()
    page = text_of(sign_in(admin).get(f"{JOBS}{job.pk}/"))
    assert "Done, 1 failed" in page
    assert "2 done" in page
    assert "1 failed" in page
    assert "Not &lt;i&gt;this&lt;/i&gt; one." in page
    assert "Adam did it." in page
    assert "every 2s" not in page
    for item in job.items.all():
        assert f"/o/acme/keys/{item.target_id}/" in page
    assert "Try the 1 again" in page
    progress = sign_in(admin).get(f"{JOBS}{job.pk}/progress/", headers=HTMX)
    assert "job:done" in progress["HX-Trigger"]


def test_items_by_outcome_a_page_at_a_time(
    synced: Organization, admin: User, sign_in: SignIn, bells: Bells
) -> None:
    job = start(synced, admin, keys=55, bad=2)
    bells.work()
    browser = sign_in(admin)
    assert "1–50 of 55 items" in text_of(browser.get(f"{JOBS}{job.pk}/"))
    assert "51–55 of 55 items" in text_of(browser.get(f"{JOBS}{job.pk}/?page=2", headers=HTMX))
    failed = text_of(browser.get(f"{JOBS}{job.pk}/items/?state=failed", headers=HTMX))
    assert "1–2 of 2 items" in failed
    assert "<html" not in failed
    assert "None: unknown" in text_of(browser.get(f"{JOBS}{job.pk}/items/?state=unknown"))
    assert "of 55 items" in text_of(browser.get(f"{JOBS}{job.pk}/items/?state=%00nonsense"))
    # A key that has no page is named, not linked.
    assert "/o/acme/keys/gone-0/" not in text_of(browser.get(f"{JOBS}{job.pk}/?page=2"))


def test_cancelling_answers_in_place(synced: Organization, admin: User, sign_in: SignIn) -> None:
    job = start(synced, admin)
    response = sign_in(admin).post(f"{JOBS}{job.pk}/cancel/", headers=HTMX)
    page = text_of(response)
    assert "Cancelled" in page
    assert "0 of 3" in page
    assert "3 not reached" in page
    assert "skipped" not in page
    assert "<html" not in page
    assert sign_in(admin).get(f"{JOBS}{job.pk}/cancel/").status_code == 405


def test_a_job_cancelled_on_its_way_says_how_far_it_came(
    synced: Organization,
    admin: User,
    sign_in: SignIn,
    bells: Bells,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = start(synced, admin, keys=5)
    done: list[str] = []

    def act(job: Job, item: JobItem) -> str:
        done.append(item.target_name)
        if len(done) == 1:
            raise services.Skip("It is disabled already.")
        services.job_cancel(job=job)
        return "Disabled."

    monkeypatch.setitem(services._ACTS, "keys.tested", act)
    bells.work()
    browser = sign_in(admin)
    page = text_of(browser.get(f"{JOBS}{job.pk}/"))
    assert "<span>2 of 5</span>" in page
    assert 'max="5" value="2"' in page
    for count in ("1 done", "1 skipped", "3 not reached"):
        assert f"<span>{count}</span>" in page
        assert f"<span>{count}</span>" in text_of(browser.get(JOBS))
    assert '<option value="unreached">Not reached</option>' in page
    left = text_of(browser.get(f"{JOBS}{job.pk}/?state=unreached", headers=HTMX))
    assert "1–3 of 3 items" in left
    assert left.count(">Not reached</span>") == 3
    skipped = text_of(browser.get(f"{JOBS}{job.pk}/?state=skipped", headers=HTMX))
    assert "1–1 of 1 item" in skipped
    assert "It is disabled already." in skipped
    assert ">Skipped</span>" in skipped


def test_trying_again_what_one_started(
    synced: Organization, admin: User, sign_in: SignIn, bells: Bells
) -> None:
    job = start(synced, admin, bad=1)
    bells.work()
    Job.objects.filter(pk=job.pk).update(params={"bad": []})
    response = sign_in(admin).post(f"{JOBS}{job.pk}/retry/")
    assert response["Location"] == f"{JOBS}{job.pk}/"
    bells.work()
    assert set(job.items.values_list("state", flat=True)) == {"ok"}
    assert Job.objects.count() == 1


def test_trying_again_what_somebody_else_started_is_ones_own_job(
    synced: Organization, admin: User, owner: User, sign_in: SignIn, bells: Bells
) -> None:
    job = start(synced, admin, bad=2)
    bells.work()
    Job.objects.filter(pk=job.pk).update(params={"bad": []})
    browser, token = sign_in(owner), uuid.uuid4()
    assert "again as you" in text_of(browser.get(f"{JOBS}{job.pk}/"))
    first = browser.post(f"{JOBS}{job.pk}/retry/", {"form_token": str(token)})
    twice = browser.post(f"{JOBS}{job.pk}/retry/", {"form_token": str(token)})
    again = Job.objects.exclude(pk=job.pk).get()
    assert first["Location"] == twice["Location"] == f"{JOBS}{again.pk}/"
    assert (again.actor, again.total) == (owner, 2)
    bells.work()
    assert set(again.items.values_list("message", flat=True)) == {"Olivia did it."}
    # What came of the first job stays on record.
    assert job.items.filter(state=JobItem.State.FAILED).count() == 2


def test_a_job_at_work_is_not_tried_again(synced: Organization, admin: User, sign_in: SignIn) -> None:
    job = start(synced, admin)
    sign_in(admin).post(f"{JOBS}{job.pk}/retry/", {"form_token": "nonsense"})
    assert Job.objects.count() == 1


def test_no_jobs_yet(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    assert "No jobs yet" in text_of(sign_in(viewer).get(JOBS))


def test_queries_do_not_grow_with_jobs_and_items(synced: Organization, admin: User, sign_in: SignIn) -> None:
    browser = sign_in(admin)
    job = start(synced, admin, keys=2)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(path).status_code == 200
        return len(seen)

    few = queries(JOBS), queries(f"{JOBS}{job.pk}/")
    for _ in range(5):
        job = start(synced, admin, keys=40)
    assert (queries(JOBS), queries(f"{JOBS}{job.pk}/")) == few
    assert max(few) <= 10
    assert queries(f"{JOBS}{job.pk}/progress/") <= 6

"""The audit log's pages: who may, what a row says, one act, the export."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, Role, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.models import Key
from tests.auditlog.acting import LOG, act, csv_of, text_of
from tests.conftest import SignIn, person


def test_it_is_for_those_who_read_everything(
    synced: Organization, viewer: User, member: User, stranger: User, sign_in: SignIn
) -> None:
    entry = act(synced, None)
    for path in (LOG, f"{LOG}csv/", f"{LOG}{entry.pk}/"):
        assert sign_in(viewer).get(path).status_code == 200
        assert sign_in(member).get(path).status_code == 403
        assert sign_in(stranger).get(path).status_code == 404
        assert sign_in(viewer).post(path).status_code == 405


def test_an_empty_log_says_what_will_be_there(
    organization: Organization, viewer: User, sign_in: SignIn
) -> None:
    assert "Nothing was changed yet" in text_of(sign_in(viewer).get(LOG))


def test_an_act_is_one_row_with_what_became_of_it(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    act(organization, admin, before={"limit": "20"}, after={"limit": None})
    page = text_of(sign_in(viewer).get(LOG))
    assert "1–1 of 1 change" in page
    assert "Edit key" in page
    assert "batch-etl" in page
    assert "Adam" in page
    assert "Limit <del>$20.00</del>" in page
    assert "<ins>unlimited</ins>" in page
    assert ">Done</span>" in page


def test_what_upstream_said_stands_beside_a_failure(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    act(organization, admin, outcome=Outcome.FAILED, message="Limit must be positive", request_id="req-77")
    page = text_of(sign_in(viewer).get(LOG))
    assert ">Failed</span>" in page
    assert "Limit must be positive" in page


def test_what_was_said_stands_beside_a_success_too(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    act(
        organization,
        admin,
        "key.create",
        message="It was made, but its secret is lost: delete it. " + "x" * 300,
    )
    page = text_of(sign_in(viewer).get(LOG))
    assert ">Done</span>" in page
    assert '<small class="sub">It was made, but its secret is lost: delete it.' in page
    assert "x" * 300 not in page.partition('<small class="sub">It was')[2]


def test_what_happened_outside_is_found_not_done(
    organization: Organization, viewer: User, sign_in: SignIn
) -> None:
    entry = audit.outside_entry(
        organization=organization,
        action="key.delete",
        target=Target("key", "ab" * 32, "batch-etl"),
        before={"name": "batch-etl"},
        after=None,
    )
    entry.save()
    for path in (LOG, f"{LOG}{entry.pk}/"):
        page = text_of(sign_in(viewer).get(path))
        assert ">Found</span>" in page
        assert ">Done</span>" not in page


def test_keys_of_the_same_name_are_told_apart(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    for digit in ("a", "b"):
        act(organization, admin, target=Target("key", digit * 64, "batch-etl"))
    act(organization, admin, "workspace.update", target=Target("workspace", "w-123456789", "Research"))
    page = text_of(sign_in(viewer).get(LOG))
    assert ">aaaaaaaa</small>" in page
    assert ">bbbbbbbb</small>" in page
    assert ">w-123456</small>" not in page


def test_an_act_without_an_answer_says_so_after_a_while(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    act(organization, admin, outcome=None)
    assert ">In progress</span>" in text_of(sign_in(viewer).get(LOG))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert ">No answer recorded</span>" in text_of(sign_in(viewer).get(LOG))


def test_names_from_elsewhere_are_text(organization: Organization, viewer: User, sign_in: SignIn) -> None:
    hostile = "<script>alert(1)</script>"
    entry = act(
        organization, None, target=Target("key", "x", hostile), after={"name": hostile, hostile: hostile}
    )
    for path in (LOG, f"{LOG}{entry.pk}/"):
        page = sign_in(viewer).get(path).content.decode()
        assert hostile not in page
        assert "&lt;script&gt;alert(1)" in page


def test_queries_do_not_grow_with_the_log(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    browser = sign_in(viewer)
    counts = []
    for number in (3, 60):
        for n in range(number):
            act(
                organization,
                admin,
                target=Target("key", f"{n:064x}", f"key {n}"),
                after={"workspace_uid": "w"},
            )
        with CaptureQueriesContext(connection) as queries:
            browser.get(LOG)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 11


def test_fifty_rows_a_page(organization: Organization, admin: User, viewer: User, sign_in: SignIn) -> None:
    for n in range(53):
        audit.note(
            actor=admin,
            organization=organization,
            action="key.update",
            target=Target("key", f"{n}", f"key {n}"),
        )
    first, second = (text_of(sign_in(viewer).get(f"{LOG}?page={page}")) for page in (1, 2))
    assert "1–50 of 53" in first
    assert "51–53 of 53" in second
    assert first.count("<tr>") == 51
    assert "key 52" in first
    assert "key 2<" in second


def test_another_organizations_log_is_not_there(
    organization: Organization, viewer: User, sign_in: SignIn
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1/api/v1")
    boss = person("boss@other.test", other, Role.OWNER)
    theirs = act(other, boss, target=Target("key", "ef" * 32, "their-key"), after={"name": "their-key"})
    browser = sign_in(viewer)
    assert "their-key" not in text_of(browser.get(LOG))
    assert "Boss" not in text_of(browser.get(LOG))
    assert browser.get(f"{LOG}{theirs.pk}/").status_code == 404
    assert browser.get(f"{LOG}?actor={boss.pk}").status_code == 200
    assert "their-key" not in csv_of(browser.get(f"{LOG}csv/"))


def test_one_act_with_all_its_rows(synced: Organization, admin: User, viewer: User, sign_in: SignIn) -> None:
    key = Key.objects.select_related("workspace").exclude(owner=None).earliest("id")
    assert key.workspace is not None
    entry = act(
        synced,
        admin,
        target=Target("key", key.hash, key.name),
        outcome=Outcome.UNKNOWN,
        message="No answer in time.",
        before={"limit": "20.5", "expires_at": None, "workspace_uid": key.workspace_uid, "disabled": False},
        after={
            "limit": "0.000001",
            "expires_at": "2027-01-31T00:00:00Z",
            "workspace_uid": "gone",
            "disabled": True,
        },
    )
    audit.finish(entry, outcome=Outcome.OK, message="The next sync found it.", request_id="req-123")
    page = text_of(sign_in(viewer).get(f"{LOG}{entry.pk}/"))
    assert "Edit key: " + key.name in page
    assert f"/o/acme/keys/{key.hash}/" in page
    assert "$20.50" in page
    assert "$0.000001" in page
    assert "never" in page
    assert "31 Jan 2027, 00:00:00 UTC" in page
    assert key.workspace.name in page
    assert "No answer in time." in page
    assert "The next sync found it." in page
    assert "req-123" in page
    assert page.index("No answer in time.") < page.rindex("The next sync found it.")


def test_an_outcomes_address_shows_its_act(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    entry = act(organization, admin, "key.delete")
    outcome = entry.outcomes.get()
    assert "Delete key: batch-etl" in text_of(sign_in(viewer).get(f"{LOG}{outcome.pk}/"))
    assert sign_in(viewer).get(f"{LOG}{outcome.pk + 1}/").status_code == 404


def test_an_act_opens_in_the_dialog(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    entry = act(organization, admin)
    response = sign_in(viewer).get(f"{LOG}{entry.pk}/", headers={"HX-Request": "true"})
    assert response["HX-Retarget"] == "#dialog"
    assert "<html" not in response.content.decode()


def test_a_created_key_is_linked_by_the_id_its_outcome_knows(
    synced: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    key = Key.objects.earliest("id")
    started = audit.start(
        actor=admin, organization=synced, action="key.create", target=Target("key", "", key.name), after={}
    )
    audit.finish(started, outcome=Outcome.OK, target=Target("key", key.hash, key.name))
    assert f"/o/acme/keys/{key.hash}/" in text_of(sign_in(viewer).get(LOG))
    assert "1–1 of 1" in text_of(sign_in(viewer).get(f"{LOG}?target={key.hash[:12]}"))


def test_the_export_holds_every_column_and_no_formula(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn
) -> None:
    act(
        organization,
        admin,
        target=Target("key", "ab" * 32, '=HYPERLINK("http://evil.test","x")'),
        before={"limit": "5"},
        after={"limit": "7.25"},
        message="@SUM(1)",
        request_id="-1+1",
    )
    response = sign_in(viewer).get(f"{LOG}csv/")
    assert response.streaming
    assert response["Content-Disposition"].startswith('attachment; filename="audit-log-acme-')
    (row,) = csv.DictReader(io.StringIO(csv_of(response)))
    assert row["target_name"] == '\'=HYPERLINK("http://evil.test","x")'
    assert row["message"] == "'@SUM(1)"
    assert row["upstream_request_id"] == "'-1+1"
    assert (row["actor"], row["actor_kind"], row["outcome"]) == ("Adam", "person", "ok")
    assert json.loads(row["before"]) == {"limit": "5"}
    assert json.loads(row["after"]) == {"limit": "7.25"}


def test_the_export_reads_a_piece_at_a_time(
    organization: Organization, admin: User, viewer: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgadmin.audit import selectors

    monkeypatch.setattr(selectors, "STREAM_ROWS", 10)
    for n in range(35):
        act(organization, admin, target=Target("key", f"{n}", f"key {n}"))
    browser = sign_in(viewer)
    with CaptureQueriesContext(connection) as queries:
        rows = csv_of(browser.get(f"{LOG}csv/")).splitlines()
    assert len(rows) == 36
    pieces = [query["sql"] for query in queries if "LIMIT 10" in query["sql"]]
    assert len(pieces) == 5


def test_what_only_we_know_is_named_and_not_numbered(
    synced: Organization, admin: User, sign_in: SignIn
) -> None:
    entry = act(synced, admin, "person.role", target=Target("person", "31337", "Vera"))
    page = text_of(sign_in(admin).get(f"{LOG}{entry.pk}/"))
    assert "31337" not in page
    assert "?target=Vera" in page

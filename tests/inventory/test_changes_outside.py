"""What somebody changes elsewhere is mirrored and audited; counters are mirrored only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import ActorKind, Entry, Outcome
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.sandbox.app import Options
from tests.conftest import Sync
from tests.inventory.pulling import log_of, pulled
from tests.sandbox_server import RunningSandbox, running_sandbox


@pytest.fixture
def still(organization: Organization) -> Iterator[RunningSandbox]:
    """A sandbox in which no time passes: nobody uses a key."""
    with running_sandbox(Options(keys=30), now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC)) as running:
        Organization.objects.filter(pk=organization.pk).update(base_url=running.url)
        organization.refresh_from_db()
        yield running


def test_nothing_is_written_for_what_is_as_it_was(
    still: RunningSandbox, organization: Organization, sync: Sync
) -> None:
    sync()
    for kind in ("workspaces", "members", "keys"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run = pulled(organization, kind)
        tables = ("inventory_key", "inventory_member", "inventory_workspace", "audit_entry")
        written = [
            query["sql"]
            for query in queries
            if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
            and any(f'"{table}"' in query["sql"].split("WHERE")[0] for table in tables)
        ]
        assert written == []
        assert (run.added, run.changed, run.gone) == (0, 0, 0)
    assert log_of(organization) == []


def test_queries_do_not_grow_with_the_number_of_unchanged_keys(
    db: None, organization: Organization, sync: Sync
) -> None:
    counts = []
    for rows in (10, 90):
        with running_sandbox(
            Options(keys=rows, workspaces=1), now=lambda: datetime(2026, 1, 5, tzinfo=UTC)
        ) as few:
            Organization.objects.filter(pk=organization.pk).update(base_url=few.url)
            organization.refresh_from_db()
            sync()
            with CaptureQueriesContext(connection) as queries:
                pulled(organization)
            counts.append(len(queries))
        Key.objects.all().delete()
    assert counts[0] == counts[1]


def test_a_new_key_is_audited_as_made_outside(synced: Organization, sandbox: RunningSandbox) -> None:
    made = sandbox.sandbox.outside.create_key(name="shadow", limit=25)
    run = pulled(synced)
    assert run.added == 1
    (entry,) = log_of(synced)
    assert (entry.action, entry.outcome, entry.actor_kind) == ("key.create", Outcome.OK, ActorKind.OUTSIDE)
    assert (entry.target_id, entry.target_name, entry.actor) == (made, "shadow", None)
    assert entry.before is None
    assert entry.after is not None
    assert entry.after["limit"] == "25.00"
    assert entry.after["workspace_uid"] == Key.objects.get(hash=made).workspace_uid
    assert "usage" not in entry.after
    assert "limit_remaining" not in entry.after


def test_an_edit_is_audited_with_what_differs(synced: Organization, sandbox: RunningSandbox) -> None:
    key = Key.objects.filter(disabled=False, limit=None).earliest("id")
    sandbox.sandbox.outside.update_key(key.hash, name="renamed", limit=12.5, limit_reset="weekly")
    run = pulled(synced)
    assert (run.added, run.changed, run.gone) == (0, 1, 0)
    (entry,) = log_of(synced)
    assert entry.action == "key.update"
    assert entry.target_name == "renamed"
    assert entry.before == {"name": key.name, "limit": None, "limit_reset": None}
    assert entry.after == {"name": "renamed", "limit": "12.50", "limit_reset": "weekly"}
    key.refresh_from_db()
    assert (key.name, key.limit, key.limit_reset) == ("renamed", Decimal("12.50"), "weekly")
    assert key.sort_name == "renamed"
    assert "renamed" in key.search_text


def test_a_deleted_key_is_asked_for_by_hash_and_kept_as_gone(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    key = Key.objects.earliest("id")
    sandbox.sandbox.outside.delete_key(key.hash)
    sandbox.sandbox.clear_requests()
    run = pulled(synced)
    assert sandbox.sandbox.requests().count("GET /keys/{hash}") == 1
    assert run.gone == 1
    (entry,) = log_of(synced)
    assert (entry.action, entry.target_id, entry.after) == ("key.delete", key.hash, None)
    assert entry.before is not None
    assert entry.before["name"] == key.name
    key.refresh_from_db()
    assert key.gone_at is not None
    assert pulled(synced).gone == 0
    assert len(log_of(synced)) == 1


def test_a_key_that_was_missed_but_exists_is_not_gone(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgadmin.openrouter import keys

    shown = keys.page
    monkeypatch.setattr(keys, "page", lambda *args, **kw: shown(*args, **kw)[1:])
    sandbox.sandbox.clear_requests()
    run = pulled(synced)
    assert sandbox.sandbox.requests().count("GET /keys/{hash}") == 3
    assert run.gone == 0
    assert not Key.objects.exclude(gone_at=None).exists()
    assert log_of(synced) == []


def test_counters_are_mirrored_and_never_audited(synced: Organization, sandbox: RunningSandbox) -> None:
    key = Key.objects.filter(disabled=False).earliest("id")
    sandbox.sandbox.outside.spend(key.hash, usd=3.25, byok_usd=1)
    run = pulled(synced)
    now = Key.objects.get(pk=key.pk)
    assert now.usage >= key.usage + Decimal("3.25")
    assert now.active_at is not None
    assert (run.added, run.changed, run.gone) == (0, 0, 0)
    assert log_of(synced) == []


def test_a_key_that_comes_back_is_created_again(synced: Organization, sandbox: RunningSandbox) -> None:
    key = Key.objects.earliest("id")
    Key.objects.filter(pk=key.pk).update(gone_at=key.first_seen_at)
    run = pulled(synced)
    key.refresh_from_db()
    assert key.gone_at is None
    assert run.added == 1
    assert [entry.action for entry in log_of(synced)] == ["key.create"]


def test_members_and_workspaces_are_audited_too(synced: Organization, sandbox: RunningSandbox) -> None:
    outside = sandbox.sandbox.outside
    leaver, changed = Member.objects.order_by("id")[:2]
    workspace = Workspace.objects.earliest("id")
    outside.remove_member(leaver.uid)
    outside.update_member(changed.uid, role="org:admin" if changed.role != "org:admin" else "org:member")
    outside.rename_workspace(workspace.uid, name="Renamed")
    joined = outside.add_member(email="new@acme.example", first_name="New")
    pulled(synced, "members")
    pulled(synced, "workspaces")
    log = {(entry.action, entry.target_id) for entry in log_of(synced)}
    assert log == {
        ("member.delete", leaver.uid),
        ("member.update", changed.uid),
        ("member.create", joined),
        ("workspace.update", workspace.uid),
    }
    leaver.refresh_from_db()
    assert leaver.gone_at is not None


def test_a_deleted_workspace_takes_its_keys_along(synced: Organization, sandbox: RunningSandbox) -> None:
    doomed = Workspace.objects.exclude(keys=None).earliest("id")
    number = doomed.keys.count()
    sandbox.sandbox.outside.delete_workspace(doomed.uid)
    assert pulled(synced).gone == number
    assert pulled(synced, "workspaces").gone == 1
    assert Entry.objects.filter(action="key.delete", actor_kind=ActorKind.OUTSIDE).count() == number
    assert Entry.objects.filter(action="workspace.delete").count() == 1


def test_a_share_is_not_rounded_as_money(
    still: RunningSandbox, organization: Organization, sync: Sync
) -> None:
    for row in still.sandbox.account.workspaces:
        row.io_logging_sampling_rate = 0.1
    sync()
    assert {row.io_logging_sampling_rate for row in Workspace.objects.all()} == {0.1}
    assert pulled(organization, "workspaces").changed == 0
    assert log_of(organization) == []


def test_unknown_fields_are_kept_and_unknown_words_shown(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="extra_field", path="/keys", times=3)
    pulled(synced)
    assert all("sandbox_extra" in key.extra for key in Key.objects.all())
    assert log_of(synced) == []
    sandbox.sandbox.fault(kind="unknown_enum", path="/keys", times=3)
    pulled(synced)
    assert set(Key.objects.values_list("limit_reset", flat=True)) == {"fortnightly"}


def test_an_amount_beyond_the_column_is_capped_and_kept(
    still: RunningSandbox, organization: Organization, sync: Sync
) -> None:
    made = still.sandbox.outside.create_key(name="endless", limit=10**13)
    sync()
    key = Key.objects.get(hash=made)
    assert key.limit == Decimal(9_000_000_000)
    assert key.extra["exact_limit"] == "10000000000000"
    assert pulled(organization).changed == 0


@pytest.mark.parametrize("ours", ["9e9999999", "100"])
def test_a_name_that_looks_like_an_amount_is_compared_as_a_name(
    synced: Organization, sandbox: RunningSandbox, admin: User, ours: str
) -> None:
    key = Key.objects.earliest("id")
    target = audit.Target("key", key.hash, key.name)
    act = audit.start(
        actor=admin, organization=synced, action="key.update", target=target, after={"name": ours}
    )
    audit.finish(act, outcome=Outcome.OK)
    sandbox.sandbox.outside.update_key(key.hash, name="1e2")
    pulled(synced)
    last = log_of(synced)[-1]
    assert (last.actor_kind, last.after) == (ActorKind.OUTSIDE, {"name": "1e2"})

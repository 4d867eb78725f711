"""Presets as they are mirrored: each workspace with its own key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Preset, PresetVersion, SyncRun, Workspace
from orgadmin.openrouter.secret import Secret
from tests.conftest import Sync
from tests.inventory.pulling import pull, pulled
from tests.lending import lend
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db
KIND = "presets"


@pytest.fixture
def lent(synced: Organization, sandbox: RunningSandbox) -> InferenceKey:
    """The key of the default workspace, its presets pulled."""
    key = lend(synced, sandbox.sandbox)
    pulled(synced, KIND)
    return key


def bot() -> Preset:
    return Preset.objects.get(
        slug="support-bot", workspace_uid=InferenceKey.objects.earliest("pk").workspace_uid
    )


def outside() -> list[tuple[str, str]]:
    found = Entry.objects.filter(actor_kind="outside", target_type="preset").order_by("id")
    return list(found.values_list("action", "target_name"))


def asked(sandbox: RunningSandbox, name: str) -> int:
    return sandbox.sandbox.requests().count(f"GET /presets{name}")


def test_presets_and_all_their_versions_are_there(lent: InferenceKey, sandbox: RunningSandbox) -> None:
    rows = Preset.objects.filter(workspace_uid=lent.workspace_uid)
    assert {row.slug for row in rows} == {"support-bot", "summaries", "old-greeting"}
    row = bot()
    assert (row.live_version, row.newest_version, row.status) == (3, 3, "active")
    assert row.pinned_models == ["openai/gpt-5.2", "anthropic/claude-haiku-4.5"]
    versions = PresetVersion.objects.filter(preset_uid=row.uid)
    assert [version.number for version in versions] == [1, 2, 3]
    assert versions[0].config == {
        "model": "openai/gpt-5-mini",
        "temperature": Decimal("0.7"),
        "max_tokens": 800,
    }
    assert outside() == []


def test_nothing_is_asked_for_again_where_nothing_moved(
    synced: Organization, lent: InferenceKey, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    run = pulled(synced, KIND)
    assert (asked(sandbox, ""), asked(sandbox, "/{slug}/versions")) == (2, 0)
    assert (run.seen, run.calls) == (3, 2)


def test_each_workspace_is_read_with_its_own_key(synced: Organization, sandbox: RunningSandbox) -> None:
    for workspace in Workspace.objects.all():
        lend(synced, sandbox.sandbox, workspace.uid)
    sandbox.sandbox.clear_requests()
    pulled(synced, KIND)
    upstream = {row.id: row.workspace_id for row in sandbox.sandbox.account.presets}
    assert dict(Preset.objects.values_list("uid", "workspace_uid")) == upstream
    held_back = Preset.objects.exclude(live_version=None).get(description__startswith="An older version")
    assert (held_back.live_version, held_back.newest_version) == (1, 2)
    # Every workspace has its key: the management key is not tried.
    assert asked(sandbox, "") == Workspace.objects.count()


def test_a_refused_management_key_fails_nothing(organization: Organization, sync: Sync) -> None:
    sync()
    assert organization.is_connected
    assert organization.capabilities["presets_by_manager"] is False
    run = SyncRun.objects.get(kind=KIND)
    assert (run.state, run.error, run.calls) == (SyncRun.State.OK, "", 1)
    assert not Preset.objects.exists()


@pytest.mark.parametrize("status", [401, 403])
def test_a_management_key_that_may_not_says_nothing_of_the_connection(
    synced: Organization, sandbox: RunningSandbox, status: int
) -> None:
    sandbox.sandbox.account.presets_for_managers = status
    pulled(synced, KIND)
    synced.refresh_from_db()
    assert synced.is_connected


def test_a_good_pull_of_presets_mends_no_broken_connection(synced: Organization, lent: InferenceKey) -> None:
    Organization.objects.update(status=Organization.Status.BROKEN, status_message="refused")
    pulled(synced, KIND)
    synced.refresh_from_db()
    assert not synced.is_connected


def test_a_management_key_that_may_is_used(synced: Organization, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.account.presets_for_managers = 200
    pulled(synced, KIND)
    synced.refresh_from_db()
    assert synced.capabilities["presets_by_manager"] is True
    places = set(Preset.objects.values_list("workspace_uid", flat=True))
    assert places == {sandbox.sandbox.account.workspaces.default_id}
    assert Preset.objects.count() == 3
    assert outside() == []


def test_a_refused_key_is_marked_and_its_presets_stay(
    synced: Organization, lent: InferenceKey, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.delete_preset(bot().uid)
    sandbox.sandbox.outside.update_key(lent.key_hash, disabled=True)
    pulled(synced, KIND)
    lent.refresh_from_db()
    synced.refresh_from_db()
    assert lent.refused_at is not None
    assert "No active API key" in lent.refusal
    assert synced.is_connected
    assert not Preset.objects.exclude(gone_at=None).exists()

    sandbox.sandbox.outside.update_key(lent.key_hash, disabled=False)
    pulled(synced, KIND)
    again = InferenceKey.objects.get()
    assert (again.refused_at, again.refusal) == (None, "")
    assert bot().gone_at is not None


def test_a_key_that_was_taken_away_leaves_its_presets(synced: Organization, lent: InferenceKey) -> None:
    lent.delete()
    pulled(synced, KIND)
    assert Preset.objects.filter(gone_at=None).count() == 3


def test_a_key_is_not_sent_to_another_address(synced: Organization, lent: InferenceKey) -> None:
    InferenceKey.objects.update(base_url="https://elsewhere.test/api/v1")
    assert pulled(synced, KIND).seen == 0


def test_a_key_that_nobody_can_read_is_marked(synced: Organization, lent: InferenceKey) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_inferencekey SET secret = 'gAAAAnonsense'")
    pulled(synced, KIND)
    lent.refresh_from_db()
    assert "ENCRYPTION_KEYS" in lent.refusal


def test_what_others_change_is_in_the_log(
    synced: Organization, lent: InferenceKey, sandbox: RunningSandbox
) -> None:
    elsewhere, row = sandbox.sandbox.outside, bot()
    elsewhere.create_preset_version("support-bot", config={"model": "m/x"}, system_prompt="Hi\x00")
    elsewhere.update_preset(row.uid, status="disabled")
    elsewhere.create_preset_version("newcomer", config={"model": "m/y"})
    gone = Preset.objects.get(slug="old-greeting")
    elsewhere.delete_preset(gone.uid)
    pulled(synced, KIND)
    assert sorted(outside()) == [
        ("preset.create", "newcomer"),
        ("preset.delete", "old-greeting"),
        ("preset.update", "support-bot"),
    ]
    changed = Entry.objects.get(action="preset.update")
    assert changed.before == {"status": "active", "live_version": 3, "newest_version": 3}
    assert changed.after == {"status": "disabled", "live_version": 4, "newest_version": 4}
    assert PresetVersion.objects.get(preset_uid=row.uid, number=4).system_prompt == "Hi"


def test_an_older_version_designated_elsewhere_is_in_the_log(
    synced: Organization, lent: InferenceKey, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.designate_preset_version(bot().uid, 1)
    pulled(synced, KIND)
    assert Entry.objects.get(action="preset.update").after == {"live_version": 1}
    sandbox.sandbox.outside.designate_preset_version(bot().uid, None)
    pulled(synced, KIND)
    assert (bot().live_version, bot().newest_version, bot().pinned_models) == (None, 3, [])


def test_a_first_look_into_a_workspace_is_no_change(synced: Organization, sandbox: RunningSandbox) -> None:
    pulled(synced, KIND)
    lend(synced, sandbox.sandbox)
    pulled(synced, KIND)
    assert outside() == []
    sandbox.sandbox.outside.create_preset_version("newcomer", config={})
    pulled(synced, KIND)
    assert outside() == [("preset.create", "newcomer")]


@pytest.mark.parametrize("path", ["/presets", "/presets/support-bot/versions"])
def test_a_failure_of_openrouter_fails_the_pull_and_loses_nothing(
    synced: Organization, lent: InferenceKey, sandbox: RunningSandbox, path: str
) -> None:
    sandbox.sandbox.outside.create_preset_version("support-bot", config={})
    sandbox.sandbox.fault(kind="status", status=400, path=path, message="Not today")
    assert pull(synced, KIND).state == SyncRun.State.FAILED
    lent.refresh_from_db()
    assert lent.refused_at is None
    pulled(synced, KIND)
    assert bot().newest_version == 4


def test_a_preset_that_goes_while_it_is_read_is_left_out(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    lend(synced, sandbox.sandbox)
    sandbox.sandbox.fault(kind="status", status=404, path="/presets/summaries/versions")
    pulled(synced, KIND)
    assert not Preset.objects.filter(slug="summaries").exists()


def test_secrets_are_hidden_in_every_row(lent: InferenceKey) -> None:
    lent.refresh_from_db()
    assert isinstance(lent.secret, Secret)
    assert lent.secret.reveal() not in f"{lent} {lent!r} {lent.__dict__}"

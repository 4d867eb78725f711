"""What other parts of the house ask of destinations: rotation, leaving, restoring, workspaces that end."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Destination, Key, Member, Workspace
from orgadmin.inventory.successors import Succession
from orgadmin.keys.models import Rotation
from orgadmin.observability.succession import retire as put_in_its_place
from tests.conftest import Sync
from tests.observability.conftest import at
from tests.observability.filling import log, opened, sent
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def datadog(synced: Organization) -> Destination:
    """It singles out two keys of its workspace."""
    return Destination.objects.select_related("organization").get(organization=synced, type="datadog")


def key_of(destination: Destination) -> Key:
    return Key.objects.get(hash=(destination.api_key_hashes or [""])[0])


def rotate(desk: Client, key: Key) -> Any:
    wanted = {"name": "successor", "workspace": key.workspace_uid, "form_token": str(uuid.uuid4())}
    return desk.post(f"/o/acme/keys/{key.hash}/rotate/", {**wanted, "creator": ""})


# --- rotation ---


def test_a_successor_is_named_beside_the_old_key(
    desk: Client, datadog: Destination, sandbox: RunningSandbox, sync: Sync
) -> None:
    old = key_of(datadog)
    before = set(datadog.api_key_hashes or ())
    assert rotate(desk, old).status_code == 201
    new = Key.objects.get(name="successor")
    datadog.refresh_from_db()
    assert set(datadog.api_key_hashes or ()) == before | {new.hash}
    assert set(sandbox.sandbox.destination(datadog.uid)["api_key_hashes"]) == before | {new.hash}
    assert log()[-1] == ("destination.update", "ok")
    sync("destinations")
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_a_successor_that_could_not_be_named_is_told_beside_the_secret(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(method="PATCH", path="/observability*", kind="status", status=403, times=9)
    response = rotate(desk, key_of(datadog))
    assert response.status_code == 201
    assert "do not send the new key" in response.content.decode()
    assert str(datadog) in response.content.decode()


def test_what_somebody_changed_meanwhile_stays(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    third = Key.objects.exclude(hash__in=datadog.api_key_hashes or []).order_by("pk")[0]
    named = [*(datadog.api_key_hashes or ()), third.hash]
    sandbox.sandbox.outside.update_destination(datadog.uid, api_key_hashes=named, name="Renamed")
    rotate(desk, key_of(datadog))
    upstream = sandbox.sandbox.destination(datadog.uid)
    assert set(upstream["api_key_hashes"]) == {*named, Key.objects.get(name="successor").hash}
    assert upstream["name"] == "Renamed"


def retire(desk: Client, datadog: Destination) -> tuple[str, str, str]:
    """Rotate the first key that it names and retire it; the old hash, the new one, and what was said."""
    old = key_of(datadog)
    rotate(desk, old)
    rotation = Rotation.objects.get()
    address = f"/o/acme/keys/rotations/{rotation.pk}/retire/"
    page = desk.post(address, {"still_used": "on"}, follow=True).content.decode()
    return old.hash, rotation.new.hash, page


def test_a_retired_key_is_replaced_by_its_successor(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    before = set(datadog.api_key_hashes or ())
    old, new, _ = retire(desk, datadog)
    assert set(sandbox.sandbox.destination(datadog.uid)["api_key_hashes"]) == before - {old} | {new}


def test_a_list_that_came_to_name_the_old_key_alone_is_not_emptied(
    desk: Client, datadog: Destination, sandbox: RunningSandbox, admin: User
) -> None:
    old, new = key_of(datadog).hash, sandbox.sandbox.outside.create_key(name="successor")
    sandbox.sandbox.outside.update_destination(datadog.uid, api_key_hashes=[old])
    put_in_its_place(admin, Succession(datadog.organization, old, new, "successor"))
    assert sandbox.sandbox.destination(datadog.uid)["api_key_hashes"] == [new]


def test_a_refusal_is_told_of_its_destination(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    rotate(desk, key_of(datadog))
    sandbox.sandbox.fault(method="PATCH", path="/observability*", kind="status", status=403, message="Locked")
    address = f"/o/acme/keys/rotations/{Rotation.objects.get().pk}/retire/"
    page = desk.post(address, {"still_used": "on"}, follow=True).content.decode()
    assert f"“{datadog}”" in page
    assert "still names it" in page


def test_a_deletion_says_which_destination_names_the_key(desk: Client, datadog: Destination) -> None:
    page = desk.get(f"/o/acme/keys/{key_of(datadog).hash}/delete/").content.decode()
    assert str(datadog) in page
    assert "names this key among others" in page


# --- leaving ---


def test_a_leaver_is_told_to_be_singled_out(desk: Client, datadog: Destination, synced: Organization) -> None:
    member = Member.objects.filter(organization=synced).order_by("pk")[0]
    Key.objects.filter(hash__in=datadog.api_key_hashes or []).update(owner=member)
    page = desk.get(f"/o/acme/members/{member.uid}/leaving/").content.decode()
    assert str(datadog) in page
    assert "it sends nothing without them" in page


# --- restoring ---


def restore(desk: Client, entry: Entry, *fields: str) -> Any:
    address = f"/o/acme/audit-log/{entry.pk}/restore/"
    page = desk.get(address).content.decode()
    seen = re.findall(r'name="seen" value="([^"]*)"', page)
    offered = re.findall(r'name="field" value="([^"]*)"', page)
    assert set(fields) <= set(offered), page
    form = {"seen": seen[0], "field": fields or offered, "form_token": str(uuid.uuid4())}
    return desk.post(address, form)


def test_what_was_changed_is_put_back_but_no_secret(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox
) -> None:
    form = opened(desk, at(langfuse.uid, "edit"))
    name, config = str(langfuse), dict(langfuse.config)
    changed = {
        **form, "name": "Changed", "sampling": "1", "setting-baseUrl": "https://x.example",
        "secret-secretKey": "sk-lf-another-secret-ZyXw", "rule-group": "0", "rule-field": "model",
        "rule-operator": "exists", "rule-value": "",
    }  # fmt: skip
    assert desk.post(at(langfuse.uid, "edit"), changed).status_code == 302
    entry = Entry.objects.get(action="destination.update", outcome="started")
    page = desk.get(f"/o/acme/audit-log/{entry.pk}/restore/").content.decode()
    assert "Setting baseUrl" in page
    assert "secretKey" not in page
    sandbox.sandbox.clear_requests()
    assert restore(desk, entry).status_code == 302
    assert sent(sandbox) == [
        {
            "name": name,
            "config": {"baseUrl": config["baseUrl"]},
            "sampling_rate": 1,
            "filter_rules": None,
        }
    ]


def test_a_switch_is_put_back_and_a_deletion_is_not(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_destination(langfuse.uid, enabled=False)
    sync("destinations")
    entry = Entry.objects.get(action="destination.update")
    assert restore(desk, entry, "enabled").status_code == 302
    assert sandbox.sandbox.destination(langfuse.uid)["enabled"] is True
    sandbox.sandbox.outside.delete_destination(langfuse.uid)
    sync("destinations")
    entry = Entry.objects.get(action="destination.delete")
    page = desk.get(f"/o/acme/audit-log/{entry.pk}/").content.decode()
    assert (
        "make it anew" in page
        or "make it anew" in desk.get(f"/o/acme/audit-log/{entry.pk}/restore/").content.decode()
    )


# --- the end of a workspace ---


def test_a_workspace_that_ends_names_its_destinations_and_keeps_them_in_the_log(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    place = sandbox.sandbox.outside.create_workspace(name="Brief", slug="brief")
    sandbox.sandbox.outside.create_destination(
        kind="posthog", name="Watched", workspace_id=place, config={"apiKey": "phc_...abcd"}
    )
    sync()
    workspace = Workspace.objects.get(uid=place)
    page = desk.get(f"/o/acme/workspaces/{place}/delete/").content.decode()
    assert "1 destination" in page
    assert "Watched" in page
    token = re.findall(r'name="form_token" value="([^"]*)"', page)[0]
    form = {"confirmation": workspace.name, "form_token": token}
    assert desk.post(f"/o/acme/workspaces/{place}/delete/", form).status_code == 302
    entry = Entry.objects.filter(action="workspace.delete").order_by("-id")[0]
    assert entry.before is not None
    assert [one["name"] for one in entry.before["destinations"]] == ["Watched"]

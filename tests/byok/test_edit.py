"""Adding, editing, rotating, switching and deleting credentials."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.byok.drafts import settings_of
from orgadmin.byok.forms import seen_text
from orgadmin.inventory.models import Credential, Key, Member, Workspace
from orgadmin.sandbox.wire import byok as twin
from tests.auditlog.restoring import address, ticked
from tests.byok.conftest import at
from tests.byok.posts import SECRET
from tests.inventory.pulling import pulled
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def form(place: str, **fields: Any) -> dict[str, Any]:
    return {
        "provider": "openai",
        "provider_key": SECRET,
        "workspace": place,
        "form_token": str(uuid.uuid4()),
        **fields,
    }


def edit_form(row: Credential, **fields: Any) -> dict[str, Any]:
    """As the browser posts it: what is not in ``fields`` stays as it was."""
    was = settings_of(row)
    shown = {
        "name": row.name or "",
        "is_fallback": "on" if row.is_fallback else "",
        "allowed_models": row.allowed_models or [],
        "allowed_api_key_hashes": row.allowed_api_key_hashes or [],
        "allowed_user_ids": row.allowed_user_ids or [],
        "declared_region": row.declared_region or "",
        "declared_zdr": {True: "yes", False: "no", None: ""}[row.declared_zdr],
        **({"is_required": "on"} if row.is_required else {}),
        **({"is_byok_only": "on"} if row.is_byok_only else {}),
    }
    return {**shown, "seen": seen_text(was), **fields}


def sent(sandbox: RunningSandbox, method: str) -> list[Any]:
    return [dict(one.body or {}) for one in sandbox.sandbox.requests().last if one.method == method]


def outcomes(action: str) -> list[str]:
    rows = Entry.objects.filter(action=action).order_by("id")
    return list(rows.values_list("outcome", flat=True))


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of providers that reached OpenRouter: its record of requests leaves them out."""
    keys: list[str] = []

    def masked(secret: str) -> str:
        keys.append(secret)
        return f"sk-...{secret[-4:]}"

    monkeypatch.setattr(twin, "masked", masked)
    return keys


@pytest.fixture
def place(synced: Organization) -> str:
    return synced.default_workspace_uid or Workspace.objects.order_by("pk")[0].uid


def test_one_is_added_with_every_setting(
    desk: Client, place: str, sandbox: RunningSandbox, received: list[str]
) -> None:
    key, person = Key.objects.filter(gone_at=None)[0], Member.objects.all()[0]
    wanted = form(
        place,
        name="Ours",
        allowed_models="openai/gpt-5.2",
        allowed_api_key_hashes=key.hash,
        **{"add-allowed_user_ids": person.email, "is_required": "on"},
        declared_zdr="yes",
    )
    response: Any = desk.post(at("add"), wanted, follow=True)
    body = {
        "provider": "openai", "key": "•••", "workspace_id": place, "name": "Ours",
        "allowed_models": ["openai/gpt-5.2"], "allowed_api_key_hashes": [key.hash],
        "allowed_user_ids": [person.uid], "is_required": True, "declared_zdr": True,
    }  # fmt: skip
    assert sent(sandbox, "POST") == [body]
    assert received == [SECRET]
    page = response.content.decode()
    assert "Credential added" in page
    assert key.name in page
    row = Credential.objects.get(name="Ours")
    assert (row.label, row.is_required, row.allowed_user_ids) == (f"sk-...{SECRET[-4:]}", True, [person.uid])
    assert outcomes("credential.create") == ["started", "ok"]
    made = Entry.objects.get(action="credential.create", outcome="ok")
    assert (made.target_id, made.target_name) == (row.uid, "Ours (openai)")
    assert SECRET not in repr(list(Entry.objects.values()))


def test_an_unknown_provider_is_openrouters_to_judge(
    desk: Client, place: str, sandbox: RunningSandbox
) -> None:
    response: Any = desk.post(at("add"), form(place, provider="Brand-New"))
    assert response.status_code == 400
    assert sent(sandbox, "POST")[0]["provider"] == "brand-new"
    page = response.content.decode()
    assert "No credential was added" in page
    assert "Brand-New" in page, "what was typed survives"
    assert SECRET not in page, "but the key"
    assert outcomes("credential.create") == ["started", "failed"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"provider_key": ""}, "Paste the provider"),
        ({"provider_key": "{ not json"}, "begins like JSON"),
        ({"provider": "azure"}, "Azure takes a JSON list"),
        ({"provider": "azure", "provider_key": '[{"api_key": "x"}]'}, "Azure takes a JSON list"),
        ({"provider": "google-vertex", "provider_key": '{"client_email": "x"}'}, "Vertex takes"),
        ({"provider": "amazon-bedrock", "provider_key": '{"accessKeyId": "x"}'}, "Bedrock takes"),
        ({"add-allowed_api_key_hashes": "no key of ours"}, "Pick it from the list"),
        ({"add-allowed_user_ids": "nobody@nowhere.test"}, "Pick it from the list"),
        ({"is_fallback": "on", "is_byok_only": "on"}, "it cannot keep them from being used"),
        ({"name": "x" * 256}, "255"),
        ({"workspace": "elsewhere"}, "Choose one of the workspaces"),
        ({"allowed_models": [f"a/{number}" for number in range(101)]}, "At most 100"),
    ],
)
def test_what_cannot_be_is_said_beside_it_and_not_sent(
    desk: Client, place: str, sandbox: RunningSandbox, fields: dict[str, Any], said: str
) -> None:
    response: Any = desk.post(at("add"), form(place, **fields))
    assert response.status_code == 400
    assert said in response.content.decode()
    assert SECRET not in response.content.decode()
    assert sent(sandbox, "POST") == []


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("azure", '[{"api_key": "x", "resource_name": "r", "resource_type": "openai"}]'),
        ("google-vertex", '{"client_email": "x", "private_key": "y", "type": "service_account"}'),
        ("amazon-bedrock", '{"accessKeyId": "x", "secretAccessKey": "y", "region": "us-east-1"}'),
        ("amazon-bedrock", "a-plain-key-of-bedrock"),
    ],
)
def test_a_key_of_several_parts_goes_as_one_text(
    desk: Client, place: str, received: list[str], provider: str, key: str
) -> None:
    assert desk.post(at("add"), form(place, provider=provider, provider_key=f" {key}\n")).status_code == 302
    assert received == [key]


def test_a_form_sent_twice_adds_one(desk: Client, place: str, sandbox: RunningSandbox) -> None:
    twice = form(place, name="Once")
    desk.post(at("add"), twice)
    response: Any = desk.post(at("add"), twice, follow=True)
    assert "already sent" in response.content.decode()
    assert len(sent(sandbox, "POST")) == 1


@pytest.mark.parametrize("kind", ["drop_after", "truncated"])
def test_a_lost_answer_is_looked_for(desk: Client, place: str, sandbox: RunningSandbox, kind: str) -> None:
    sandbox.sandbox.fault(kind=kind, method="POST", path="/byok")
    response: Any = desk.post(at("add"), form(place, name="Lost and found"), follow=True)
    assert "Credential added" in response.content.decode()
    assert Credential.objects.filter(name="Lost and found", gone_at=None).count() == 1
    assert outcomes("credential.create") == ["started", "ok"]
    assert len(sent(sandbox, "POST")) == 1


def test_where_nobody_knows_the_next_pull_tells(
    desk: Client, place: str, sandbox: RunningSandbox, synced: Organization
) -> None:
    sandbox.sandbox.fault(kind="drop_after", method="POST", path="/byok")
    sandbox.sandbox.fault(kind="status", status=500, method="GET", path="/byok", times=20)
    response: Any = desk.post(at("add"), form(place, name="Doubtful"))
    assert response.status_code == 502
    assert "Nobody knows yet" in response.content.decode()
    assert outcomes("credential.create") == ["started", "unknown"]
    sandbox.sandbox.clear_faults()
    pulled(synced, "byok-credentials")
    assert outcomes("credential.create") == ["started", "unknown", "ok"]
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_only_what_changed_is_sent(desk: Client, credential: Credential, sandbox: RunningSandbox) -> None:
    response: Any = desk.post(at(credential.uid, "edit"), edit_form(credential, name="Renamed"), follow=True)
    assert "Credential saved" in response.content.decode()
    assert sent(sandbox, "PATCH") == [{"name": "Renamed"}]
    entry = Entry.objects.get(action="credential.update", outcome="ok")
    assert (entry.before, entry.after) == ({"name": credential.name}, {"name": "Renamed"})


def test_taking_out_the_last_one_removes_the_restriction(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    row = Credential.objects.filter(allowed_api_key_hashes__isnull=False)[0]
    desk.post(at(row.uid, "edit"), edit_form(row, allowed_api_key_hashes=[]))
    assert sent(sandbox, "PATCH") == [{"allowed_api_key_hashes": None}]


def test_what_somebody_else_changed_is_not_overwritten(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.update_credential(credential.uid, name="Theirs", disabled=True)
    response: Any = desk.post(at(credential.uid, "edit"), edit_form(credential, name="Mine"))
    assert response.status_code == 409
    page = response.content.decode()
    assert "Somebody else changed this credential" in page
    assert "Theirs" in page
    assert sent(sandbox, "PATCH") == []
    assert Entry.objects.filter(actor_kind="outside", action="credential.update").count() == 1


def test_a_change_of_something_else_is_no_conflict(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.update_credential(credential.uid, disabled=True)
    desk.post(at(credential.uid, "edit"), edit_form(credential, name="Mine"))
    credential.refresh_from_db()
    assert (credential.name, credential.disabled) == ("Mine", True)


def test_a_lost_answer_to_a_change_is_read_again(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    for kind, name, last in (("drop_after", "Took", "ok"), ("drop_before", "Did not", "failed")):
        sandbox.sandbox.fault(kind=kind, method="PATCH", path=f"/byok/{credential.uid}", times=9)
        credential.refresh_from_db()
        desk.post(at(credential.uid, "edit"), edit_form(credential, name=name))
        sandbox.sandbox.clear_faults()
        assert outcomes("credential.update")[-1] == last, kind
    credential.refresh_from_db()
    assert credential.name == "Took"


def test_a_key_is_rotated_in_place(
    desk: Client, credential: Credential, sandbox: RunningSandbox, received: list[str]
) -> None:
    response: Any = desk.post(at(credential.uid, "rotate"), {"provider_key": SECRET}, follow=True)
    assert "Provider key replaced" in response.content.decode()
    assert (sent(sandbox, "PATCH"), received) == ([{"key": "•••"}], [SECRET])
    was, label = credential.label, f"sk-...{SECRET[-4:]}"
    credential.refresh_from_db()
    assert credential.label == label
    entry = Entry.objects.get(action="credential.rekey", outcome="ok")
    assert (entry.before, entry.after) == ({"label": was}, {"label": label})
    assert SECRET not in repr(list(Entry.objects.values()))


@pytest.mark.parametrize(
    ("fault", "key", "last"),
    [
        ("drop_after", SECRET, "ok"),
        ("drop_before", SECRET, "failed"),
        ("drop_before", "short", "unknown"),
    ],
)
def test_the_mask_tells_whether_a_lost_rotation_took_effect(
    desk: Client, credential: Credential, sandbox: RunningSandbox, fault: str, key: str, last: str
) -> None:
    sandbox.sandbox.fault(kind=fault, method="PATCH", path=f"/byok/{credential.uid}", times=9)
    desk.post(at(credential.uid, "rotate"), {"provider_key": key})
    assert outcomes("credential.rekey") == ["started", last]


def test_a_rotation_that_nobody_knows_of_is_found_by_the_next_pull(
    desk: Client, credential: Credential, sandbox: RunningSandbox, synced: Organization
) -> None:
    sandbox.sandbox.fault(kind="drop_after", method="PATCH", path=f"/byok/{credential.uid}", times=9)
    sandbox.sandbox.fault(kind="status", status=500, method="GET", path=f"/byok/{credential.uid}", times=20)
    desk.post(at(credential.uid, "rotate"), {"provider_key": SECRET})
    assert outcomes("credential.rekey") == ["started", "unknown"]
    sandbox.sandbox.clear_faults()
    pulled(synced, "byok-credentials")
    assert outcomes("credential.rekey") == ["started", "unknown", "ok"]
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_it_is_switched_off_and_on(desk: Client, credential: Credential, sandbox: RunningSandbox) -> None:
    assert "paid from credits" in desk.get(at(credential.uid, "disable")).content.decode()
    desk.post(at(credential.uid, "disable"))
    credential.refresh_from_db()
    assert credential.disabled
    desk.post(at(credential.uid, "enable"))
    assert sent(sandbox, "PATCH") == [{"disabled": True}, {"disabled": False}]
    assert outcomes("credential.disable") == ["started", "ok"]
    assert outcomes("credential.enable") == ["started", "ok"]


def test_what_would_fall_back_to_credits_is_said_before_it_is_deleted(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    page = desk.get(at(credential.uid, "delete")).content.decode()
    assert "OpenAI, second account" in page, "what takes over"
    assert "last 30 complete days" in page
    wrong: Any = desk.post(at(credential.uid, "delete"), {"confirmation": "something"})
    assert wrong.status_code == 400
    assert credential.name is not None
    response: Any = desk.post(at(credential.uid, "delete"), {"confirmation": credential.name}, follow=True)
    assert "deleted" in response.content.decode()
    credential.refresh_from_db()
    assert credential.gone_at is not None
    entry = Entry.objects.get(action="credential.delete", outcome="ok")
    assert (entry.before or {})["label"] == credential.label
    assert desk.get(at(credential.uid)).status_code == 200, "its history stays"
    assert desk.get(at(credential.uid, "edit")).status_code == 404


@pytest.mark.parametrize("part", ["edit", "rotate", "disable"])
def test_one_that_was_deleted_elsewhere_is_said_to_be_gone(
    desk: Client, credential: Credential, sandbox: RunningSandbox, part: str
) -> None:
    sandbox.sandbox.outside.delete_credential(credential.uid)
    posted = edit_form(credential, name="x") if part == "edit" else {"provider_key": SECRET}
    response: Any = desk.post(at(credential.uid, part), posted, follow=True)
    assert "deleted elsewhere" in response.content.decode()
    credential.refresh_from_db()
    assert credential.gone_at is not None
    assert Entry.objects.filter(actor_kind="outside", action="credential.delete").count() == 1


def test_one_that_is_gone_already_counts_as_deleted(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.delete_credential(credential.uid)
    desk.post(at(credential.uid, "delete"), {"confirmation": credential.name})
    credential.refresh_from_db()
    assert credential.gone_at is not None
    assert outcomes("credential.delete") == ["started", "ok"]


def test_the_pickers_offer_what_there_is(desk: Client, synced: Organization) -> None:
    key, person = Key.objects.filter(gone_at=None)[0], Member.objects.exclude(email="")[0]
    keys = desk.get(at("suggest"), {"list": "allowed_api_key_hashes", "add-allowed_api_key_hashes": key.name})
    assert key.hash in keys.content.decode()
    people = desk.get(at("suggest"), {"list": "allowed_user_ids", "add-allowed_user_ids": person.email})
    assert person.uid in people.content.decode()


def test_an_edit_can_be_put_back(desk: Client, credential: Credential, sandbox: RunningSandbox) -> None:
    was = credential.name
    desk.post(at(credential.uid, "edit"), edit_form(credential, name="Wrong", is_fallback="on"))
    entry = Entry.objects.get(action="credential.update", outcome="started")
    page: Any = desk.get(address(entry))
    assert "Wrong" in page.content.decode()
    (seen,) = re.findall(r'name="seen" value="(\w+)"', page.content.decode())
    desk.post(address(entry), {**ticked("name", "is_fallback"), "seen": seen})
    credential.refresh_from_db()
    assert (credential.name, credential.is_fallback) == (was, False)


def test_a_mask_that_is_drawn_otherwise_proves_no_failure(
    desk: Client, credential: Credential, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin, "masked", lambda secret: f"***{secret[-3:]}")
    sandbox.sandbox.fault(kind="drop_after", method="PATCH", path=f"/byok/{credential.uid}", times=9)
    desk.post(at(credential.uid, "rotate"), {"provider_key": SECRET})
    assert outcomes("credential.rekey") == ["started", "unknown"]

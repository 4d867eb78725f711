"""Adding destinations: what is seen, what OpenRouter received, what the log says."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.audit.models import Entry
from orgadmin.inventory.destination_types import TYPES
from orgadmin.inventory.models import Destination, Key, Workspace
from orgadmin.observability.config_fields import name_of
from tests.conftest import Sync
from tests.observability.conftest import at
from tests.observability.filling import (
    HIDDEN,
    RAW,
    SECRETS,
    fields_of,
    log,
    new_address,
    new_form,
    rule,
    sent,
)
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def test_the_choice_of_a_type_says_where_there_is_no_room(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    for number in range(5):
        sandbox.sandbox.outside.create_destination(
            kind="posthog", name=f"P{number}", workspace_id=workspace.uid, config={"apiKey": "x...y"}
        )
    sync("destinations")
    page = desk.get(f"{at('create')}?workspace={workspace.uid}").content.decode()
    assert all(one.label in html.unescape(page) for one in TYPES.values())
    assert "5 of 5 in this workspace, the most" in page
    assert "type=posthog" not in page
    assert "type=langfuse" in page
    assert "the most that OpenRouter takes" in desk.get(new_address(workspace, "posthog")).content.decode()
    assert "Add destination" in desk.get(f"{at('create')}?workspace=nowhere&type=nothing").content.decode()


def test_one_is_added_with_what_was_said_and_nothing_else(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    keys = list(Key.objects.filter(workspace=workspace, gone_at=None).order_by("pk")[:2])
    form = new_form(
        desk, workspace, **SECRETS, scope="some", sampling="12.5", privacy_mode="on",
        broadcast_generation_cost="on", regions=["europe", "us"],
        **{
            "secret-headers": "Authorization: Bearer 0123456789\nX-Plain: a: b",
            "api_key_hashes": [keys[0].hash], "add-api_key_hashes": keys[1].hash,
            "rules-enabled": "on", "rule-logic": ["or"], "rule-group": ["0", "0", "0"],
            "rule-field": ["model", "total_cost", ""], "rule-operator": ["exists", "gte", "equals"],
            "rule-value": ["ignored", "$0.50", ""],
        },
    )  # fmt: skip
    sandbox.sandbox.clear_requests()
    response: Any = desk.post(new_address(workspace), form)
    assert response.status_code == 302, re.findall("error-summary.*?</div>", response.content.decode(), re.S)
    (body,) = sent(sandbox)
    assert body == {
        "type": "langfuse",
        "workspace_id": workspace.uid,
        "name": "New",
        "config": {
            "secretKey": HIDDEN,
            "publicKey": HIDDEN,
            "headers": {"Authorization": HIDDEN, "X-Plain": "a: b"},
        },
        "api_key_hashes": sorted(key.hash for key in keys),
        "sampling_rate": 0.125,
        "privacy_mode": True,
        "broadcast_generation_cost": True,
        "regions": ["europe", "us"],
        "filter_rules": {
            "enabled": True,
            "groups": [
                {
                    "logic": "or",
                    "rules": [
                        {"field": "model", "operator": "exists"},
                        {"field": "total_cost", "operator": "gte", "value": 0.5},
                    ],
                }
            ],
        },
    }
    assert log()[-2:] == [("destination.create", "started"), ("destination.create", "ok")]
    page = desk.get(response["Location"]).content.decode()
    assert "Destination added." in page
    assert "sk-l...AbCd" in page
    assert "Header Authorization" in page
    entry = Entry.objects.order_by("-id")[0]
    assert entry.after is not None
    assert entry.after["config"]["secretKey"] == "sk-l...AbCd"
    assert RAW not in repr(list(Entry.objects.values_list("before", "after", "message")))
    assert RAW not in repr(list(Destination.objects.values()))
    desk.post(new_address(workspace), form)
    assert len(sent(sandbox)) == 1, "a form is sent once"


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_a_form_and_is_taken(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, kind: str
) -> None:
    typed = {
        name_of(one): "https://0123456789@o1.ingest.example/42" if one.name == "dsn" else "x-0123456789-y"
        for one in TYPES[kind].settings
        if one.required
    }
    form = new_form(desk, workspace, kind, **typed)
    page = desk.get(new_address(workspace, kind)).content.decode()
    for one in TYPES[kind].settings:
        assert html.escape(one.label) in page
        assert f'name="{name_of(one)}"' in page
    sandbox.sandbox.clear_requests()
    bare: Any = desk.post(new_address(workspace, kind), {**form, **dict.fromkeys(typed, "")})
    assert bare.status_code == 400
    assert sent(sandbox) == []
    response: Any = desk.post(new_address(workspace, kind), form)
    assert response.status_code == 302, response.content.decode()[:2000]
    (body,) = sent(sandbox)
    assert body["config"].keys() == {one.name for one in TYPES[kind].settings if one.required}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "Give it a name"),
        ({"secret-secretKey": ""}, "Secret key is needed"),
        ({"secret-secretKey": "sk-l...AbCd"}, "mask"),
        ({"sampling": "0"}, "At least 0.01 %"),
        ({"sampling": "0.009"}, "At least 0.01 %"),
        ({"sampling": "100.1"}, "At most 100 %"),
        ({"sampling": "much"}, "Write a number"),
        ({"scope": "some"}, "Choose at least one key"),
        ({"scope": "some", "add-api_key_hashes": "nobody's"}, "is no key of this workspace"),
        ({"scope": "some", "api_key_hashes": ["f" * 64]}, "no keys of this workspace"),
        ({"regions": []}, "at least one region"),
        ({"secret-headers": "no header"}, "is no header"),
        ({"secret-headers": "A: b...c"}, "mask"),
        (rule("model", "gt", "5"), "compares numbers"),
        (rule("total_cost", "regex", "5"), "is a number"),
        (rule("total_cost", "gt", "x"), "Write a number"),
        (rule("model", "equals", ""), "compare with"),
        (rule("colour", "equals", "b"), "of the lists"),
        ({**rule("model", "exists", ""), "rule-logic": "xor"}, "all or any"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_before_openrouter_is_asked(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, typed: dict[str, Any], words: str
) -> None:
    form = new_form(desk, workspace, **{**SECRETS, **typed})
    sandbox.sandbox.clear_requests()
    response = desk.post(new_address(workspace), form)
    assert response.status_code == 400
    page = html.unescape(response.content.decode())
    assert words in page
    assert RAW not in page
    assert sent(sandbox) == []


def test_a_name_that_two_keys_bear_is_asked_about(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    for _ in range(2):
        sandbox.sandbox.outside.create_key(name="Twin", workspace_id=workspace.uid)
    sync("keys")
    form = new_form(desk, workspace, **SECRETS, scope="some", **{"add-api_key_hashes": "Twin"})
    response = desk.post(new_address(workspace), form)
    assert "tick which" in response.content.decode()
    twins = Key.objects.filter(name="Twin").values_list("hash", flat=True)
    assert all(one in response.content.decode() for one in twins)
    single = Key.objects.filter(workspace=workspace, gone_at=None).exclude(name="Twin").order_by("pk")[0]
    form |= {"add-api_key_hashes": single.name, "form_token": str(uuid.uuid4())}
    sandbox.sandbox.clear_requests()
    assert desk.post(new_address(workspace), form).status_code == 302
    assert sent(sandbox)[0]["api_key_hashes"] == [single.hash]


def test_the_sixth_that_somebody_made_elsewhere_is_refused_with_words(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    form = new_form(desk, workspace, "posthog", **{"secret-apiKey": RAW})
    for number in range(5):
        sandbox.sandbox.outside.create_destination(
            kind="posthog", name=f"P{number}", workspace_id=workspace.uid, config={}
        )
    response = desk.post(new_address(workspace, "posthog"), form)
    assert response.status_code == 409
    page = response.content.decode()
    assert "at most five destinations of a type" in page
    assert "type them again" in page
    assert RAW not in page
    assert fields_of(page)["form_token"] != form["form_token"]
    assert log()[-1] == ("destination.create", "failed")


def test_what_openrouter_quotes_of_a_secret_is_not_told(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    form = new_form(desk, workspace, **SECRETS)
    sandbox.sandbox.fault(
        method="POST", path="/observability*", kind="status", status=400, message=f"Bad key {RAW}"
    )
    response = desk.post(new_address(workspace), form)
    assert "Bad key •••" in response.content.decode()
    assert RAW not in repr(list(Entry.objects.values_list("message", flat=True)))


@pytest.mark.parametrize("kind", ["drop_after", "cut"])
def test_a_lost_create_is_found_at_once(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, kind: str
) -> None:
    form = new_form(desk, workspace, **SECRETS)
    sandbox.sandbox.fault(method="POST", path="/observability/destinations", kind=kind)
    assert desk.post(new_address(workspace), form).status_code == 302
    assert Destination.objects.filter(name="New").count() == 1
    assert log()[-1] == ("destination.create", "ok")


def test_a_create_that_nobody_knows_the_end_of_is_resolved_by_the_next_pull(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    form = new_form(desk, workspace, **SECRETS)
    sandbox.sandbox.fault(method="POST", path="/observability/destinations", kind="drop_after")
    sandbox.sandbox.fault(method="GET", path="/observability/destinations", kind="html", status=502, times=9)
    assert desk.post(new_address(workspace), form).status_code == 502
    assert log()[-1] == ("destination.create", "unknown")
    sandbox.sandbox.clear_faults()
    sync("destinations")
    assert log()[-1] == ("destination.create", "ok")
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_rows_of_rules_come_and_go_without_javascript(desk: Client, workspace: Workspace) -> None:
    form = new_form(desk, workspace, name="Kept", **SECRETS)
    page = desk.post(new_address(workspace), {**form, "rules-do": "add-rule:0"}).content.decode()
    form = fields_of(page)
    assert (form["name"], form["rule-group"]) == (["Kept"], ["0"])
    assert "type them again" in page
    assert RAW not in page
    form |= {"rule-field": ["model"], "rule-operator": ["starts_with"], "rule-value": ["anthropic/"]}
    page = desk.post(new_address(workspace), {**form, "rules-do": "add-group:0"}).content.decode()
    assert "model starts with “anthropic/”" in html.unescape(page)
    page = desk.post(new_address(workspace), {**fields_of(page), "rules-do": "add-rule:1"}).content.decode()
    form = fields_of(page)
    assert form["rule-group"] == ["0", "1"]
    form |= {"rule-field": ["model", "user_id"], "rule-operator": ["starts_with", "exists"]}
    page = desk.post(at("rules"), {**form, "rules-do": ""}, headers={"HX-Request": "true"}).content.decode()
    assert "does not document how several groups combine" in page
    page = desk.post(new_address(workspace), {**form, "rules-do": "remove-group:0"}).content.decode()
    assert (fields_of(page)["rule-field"], fields_of(page)["rule-group"]) == (["user_id"], ["0"])
    page = desk.post(
        new_address(workspace), {**fields_of(page), "rules-do": "remove-rule:0"}
    ).content.decode()
    assert "rule-field" not in fields_of(page)
    assert "every trace is sent" in page


def test_keys_are_suggested_by_name(desk: Client, workspace: Workspace) -> None:
    key = Key.objects.filter(workspace=workspace, gone_at=None).order_by("pk")[0]
    other = Key.objects.exclude(workspace=workspace).filter(gone_at=None).order_by("pk")[0]
    query = {"workspace": workspace.uid, "add-api_key_hashes": key.name}
    assert key.hash in desk.get(at("keys"), query).content.decode()
    query["add-api_key_hashes"] = other.hash
    assert "No key of this workspace" in desk.get(at("keys"), query).content.decode()


def test_a_server_is_not_asked_for_what_it_does_not_have(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    lacking = ["broadcast_generation_cost", "broadcast_generation_cost_allocation", "regions"]
    Destination.objects.update(lacks=lacking)
    page = desk.get(new_address(workspace)).content.decode()
    assert "Regions" not in page
    assert "Send cost" not in page
    assert "Send identity" in page
    sandbox.sandbox.clear_requests()
    assert desk.post(new_address(workspace), new_form(desk, workspace, **SECRETS)).status_code == 302
    assert sent(sandbox)[0].keys() == {"type", "workspace_id", "name", "config"}
    Destination.objects.all().delete()
    page = desk.get(new_address(workspace)).content.decode()
    assert "Send identity" in page, "where nothing is known, everything is offered"
    assert "Regions" in page

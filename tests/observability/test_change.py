"""Editing, switching and deleting: what is seen, what OpenRouter received, what the log says."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Destination, Workspace
from tests.conftest import PASSWORD, Sync
from tests.observability.conftest import at
from tests.observability.filling import (
    HIDDEN,
    OTHER,
    RAW,
    fields_of,
    log,
    new_address,
    new_form,
    opened,
    sent,
)
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def test_only_what_changed_is_sent_and_no_mask_ever(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox
) -> None:
    form = opened(desk, at(langfuse.uid, "edit"))
    sandbox.sandbox.clear_requests()
    response: Any = desk.post(at(langfuse.uid, "edit"), form)
    assert response.status_code == 302
    assert sent(sandbox) == []
    assert "Nothing to save" in desk.get(response["Location"]).content.decode()
    changed = {
        **form, "name": "Renamed", "setting-baseUrl": "https://eu.example", "secret-secretKey": OTHER,
        "sampling": "50", "enabled": [],
    }  # fmt: skip
    assert desk.post(at(langfuse.uid, "edit"), changed).status_code == 302
    assert sent(sandbox) == [
        {
            "name": "Renamed",
            "enabled": False,
            "sampling_rate": 0.5,
            "config": {"baseUrl": "https://eu.example", "secretKey": HIDDEN},
        }
    ]
    langfuse.refresh_from_db()
    assert (langfuse.name, langfuse.config["secretKey"]) == ("Renamed", "sk-l...ZyXw")
    page = desk.get(at(langfuse.uid)).content.decode()
    assert "sk-l...ZyXw (replaced)" in page
    assert "Setting baseUrl" in page
    assert OTHER not in repr(list(Entry.objects.values_list("before", "after")))


def test_headers_are_replaced_whole_or_left_alone(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    row = Destination.objects.get(type="otel-collector")
    form = opened(desk, at(row.uid, "edit"))
    assert form["secret-headers"] == [""]
    page = desk.get(at(row.uid, "edit")).content.decode()
    assert "Authorization: Bear..." in page
    sandbox.sandbox.clear_requests()
    both = {**form, "secret-headers": "A: 0123456789abc", "removes-headers": "on"}
    assert desk.post(at(row.uid, "edit"), both).status_code == 400
    assert desk.post(at(row.uid, "edit"), {**form, "secret-headers": "A: 0123456789abc"}).status_code == 302
    form = opened(desk, at(row.uid, "edit"))
    assert desk.post(at(row.uid, "edit"), {**form, "removes-headers": "on"}).status_code == 302
    assert sent(sandbox) == [
        {"config": {"headers": {"A": "0123456789abc"}}},
        {"config": {"headers": {}}},
    ]
    row.refresh_from_db()
    assert "headers" not in row.config


def test_the_secret_address_of_a_webhook_is_not_shown_again(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    secret = "https://hooks.example/T0/xyzzy"
    form = new_form(desk, workspace, "webhook", **{"secret-url": secret})
    page = desk.get(desk.post(new_address(workspace, "webhook"), form)["Location"]).content.decode()
    assert "https://hooks.example/..." in page
    assert "xyzzy" not in page
    row = Destination.objects.get(type="webhook", name="New")
    form = opened(desk, at(row.uid, "edit"))
    sandbox.sandbox.clear_requests()
    desk.post(at(row.uid, "edit"), {**form, "setting-method": "PUT"})
    assert sent(sandbox) == [{"config": {"method": "PUT"}}]
    assert "xyzzy" not in repr(list(Entry.objects.values_list("before", "after")))


def test_all_keys_is_a_choice_and_never_an_accident(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    row = Destination.objects.get(type="datadog")
    form = opened(desk, at(row.uid, "edit"))
    assert sorted(form["api_key_hashes"]) == row.api_key_hashes
    sandbox.sandbox.clear_requests()
    assert desk.post(at(row.uid, "edit"), {**form, "api_key_hashes": []}).status_code == 400
    assert sent(sandbox) == []
    assert desk.post(at(row.uid, "edit"), {**form, "scope": "all"}).status_code == 302
    assert sent(sandbox) == [{"api_key_hashes": None}]


def test_a_key_that_is_gone_may_stay_in_the_list(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    row = Destination.objects.get(type="datadog")
    sandbox.sandbox.outside.delete_key((row.api_key_hashes or [""])[0])
    sync("keys")
    form = opened(desk, at(row.uid, "edit"))
    assert desk.post(at(row.uid, "edit"), {**form, "name": "Still"}).status_code == 302


def test_rules_with_what_nobody_here_knows_are_kept_as_they_are(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    row = Destination.objects.get(type="datadog")
    rules = {
        "enabled": True,
        "mode": "strict",
        "groups": [
            {
                "logic": "most",
                "weight": 2,
                "rules": [
                    {"field": "planet", "operator": "orbits", "value": 5, "unit": "au"},
                    {"field": "model", "operator": "gt", "value": 3},
                    {"field": "total_cost", "operator": "gt", "value": "0.10"},
                ],
            }
        ],
    }
    sandbox.sandbox.outside.update_destination(row.uid, filter_rules=rules)
    sync("destinations")
    form = opened(desk, at(row.uid, "edit"))
    sandbox.sandbox.clear_requests()
    assert desk.post(at(row.uid, "edit"), form).status_code == 302
    assert sent(sandbox) == []
    form |= {"rule-operator": ["orbits", "gt", "lt"]}
    sandbox.sandbox.fault(method="PATCH", path="/observability*", kind="status", status=400)
    desk.post(at(row.uid, "edit"), form)
    (body,) = sent(sandbox)
    rules["groups"][0]["rules"][2] = {"field": "total_cost", "operator": "lt", "value": 0.1}  # type: ignore[index]
    assert body == {"filter_rules": rules}


def test_rules_are_cleared_by_taking_out_the_last(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    row = Destination.objects.get(type="datadog")
    form = opened(desk, at(row.uid, "edit"))
    sandbox.sandbox.clear_requests()
    without = {
        name: value for name, value in form.items() if not name.startswith("rule-") or name == "rule-logic"
    }
    assert desk.post(at(row.uid, "edit"), without).status_code == 302
    assert sent(sandbox) == [{"filter_rules": None}]


def test_somebody_elses_change_is_not_overwritten(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox
) -> None:
    form = opened(desk, at(langfuse.uid, "edit"))
    sandbox.sandbox.outside.update_destination(
        langfuse.uid, sampling_rate=0.75, config={"baseUrl": "https://x.example"}
    )
    sandbox.sandbox.clear_requests()
    response = desk.post(at(langfuse.uid, "edit"), {**form, "name": "Mine"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "Somebody else changed this destination" in page
    assert "Setting baseUrl" in page
    assert sent(sandbox) == []
    assert desk.post(at(langfuse.uid, "edit"), fields_of(page)).status_code == 302
    assert sent(sandbox) == [{"name": "Mine"}]


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (403, 502, "privacy settings may be locked"),
        (409, 409, "five destinations"),
        (400, 400, "not changed"),
    ],
)
def test_a_refused_change_says_why(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox, status: int, answer: int, words: str
) -> None:
    form = opened(desk, at(langfuse.uid, "edit"))
    sandbox.sandbox.fault(method="PATCH", path="/observability*", kind="status", status=status)
    response = desk.post(at(langfuse.uid, "edit"), {**form, "privacy_mode": "on"})
    assert response.status_code == answer
    assert words in html.unescape(response.content.decode())
    assert log()[-1] == ("destination.update", "failed")


def test_one_deleted_elsewhere_is_noticed(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox
) -> None:
    form = opened(desk, at(langfuse.uid, "edit"))
    sandbox.sandbox.outside.delete_destination(langfuse.uid)
    response: Any = desk.post(at(langfuse.uid, "edit"), {**form, "name": "x"})
    assert "deleted elsewhere" in desk.get(response["Location"]).content.decode()
    langfuse.refresh_from_db()
    assert langfuse.gone_at is not None
    assert desk.get(at(langfuse.uid, "edit")).status_code == 404


def test_a_lost_change_is_read_again(desk: Client, langfuse: Destination, sandbox: RunningSandbox) -> None:
    """Also one of a secret alone, whose mask proves nothing."""
    for kind, outcome, status in (("drop_after", "ok", 302), ("drop_before", "failed", 502)):
        form = opened(desk, at(langfuse.uid, "edit"))
        sandbox.sandbox.fault(method="PATCH", path="/observability*", kind=kind, times=9)
        response = desk.post(at(langfuse.uid, "edit"), {**form, "secret-secretKey": OTHER})
        sandbox.sandbox.clear_faults()
        assert response.status_code == status
        assert log()[-1] == ("destination.update", outcome)


def test_a_strange_type_is_edited_as_json(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    config = {"write_key": "sk-l...AbCd", "lanes": 2, "deep": {"token": "a...b", "on": True}}
    uid = sandbox.sandbox.outside.create_destination(
        kind="raindrop", name="R", workspace_id=workspace.uid, config=config
    )
    sync("destinations")
    form = opened(desk, at(uid, "edit"))
    assert json.loads(form["secret-config"][0]) == config
    sandbox.sandbox.clear_requests()
    assert desk.post(at(uid, "edit"), form).status_code == 302
    assert sent(sandbox) == []
    for text, words in (
        ("{", "not JSON"), ("[]", "Write an object"), ("NaN", "not JSON"),
        (json.dumps({**config, "deep": {"token": "a...b", "on": False}}), "holds a mask"),
        (json.dumps({**config, "write_key": "sk-l...AbCdE"}), "holds a mask"),
        (f'{{"write_key": "{RAW}"', "not JSON"),
    ):  # fmt: skip
        response = desk.post(at(uid, "edit"), {**form, "secret-config": text})
        assert response.status_code == 400
        assert words in response.content.decode()
        assert RAW not in response.content.decode()
    assert sent(sandbox) == []
    new = {**config, "write_key": RAW, "lanes": 3, "more": ["x"]}
    assert desk.post(at(uid, "edit"), {**form, "secret-config": json.dumps(new)}).status_code == 302
    assert sent(sandbox) == [{"config": {"write_key": HIDDEN, "lanes": 3, "more": ["x"]}}]
    assert sandbox.sandbox.destination(uid)["config"]["write_key"] == RAW
    assert RAW not in repr(list(Entry.objects.values_list("before", "after")))
    assert RAW not in repr(list(Destination.objects.values()))


def test_it_is_switched_and_the_log_says_so(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    for what in ("disable", "enable"):
        response: Any = desk.post(at(langfuse.uid, what))
        assert f"{what}d" in desk.get(response["Location"]).content.decode()
        assert log()[-1] == (f"destination.{what}", "ok")
    assert sent(sandbox) == [{"enabled": False}, {"enabled": True}]
    sandbox.sandbox.fault(method="PATCH", path="/observability*", kind="status", status=500, times=9)
    response = desk.post(at(langfuse.uid, "disable"))
    assert "was not changed" in desk.get(response["Location"]).content.decode()
    assert log()[-1][1] in {"failed", "unknown"}


def test_it_is_deleted_once_its_name_is_typed(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox, sync: Sync
) -> None:
    name = str(langfuse)
    page = desk.get(at(langfuse.uid, "delete")).content.decode()
    assert "its secrets must be typed again" in page
    assert desk.post(at(langfuse.uid, "delete"), {"confirmation": "no"}).status_code == 400
    response: Any = desk.post(at(langfuse.uid, "delete"), {"confirmation": name})
    assert response.status_code == 302
    assert f"Destination “{name}” deleted." in html.unescape(desk.get(response["Location"]).content.decode())
    langfuse.refresh_from_db()
    assert langfuse.gone_at is not None
    entry = Entry.objects.filter(action="destination.delete").order_by("-id")[0]
    assert entry.outcome == "ok"
    assert entry.before is not None
    assert entry.before["config"]["secretKey"] == langfuse.config["secretKey"]
    sync("destinations")
    assert not Entry.objects.filter(actor_kind="outside").exists()


@pytest.mark.parametrize(("kind", "outcome"), [("drop_after", "ok"), ("drop_before", "failed")])
def test_a_deletion_whose_answer_is_lost_is_looked_after(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox, kind: str, outcome: str
) -> None:
    sandbox.sandbox.fault(method="DELETE", path="/observability*", kind=kind, times=9)
    desk.post(at(langfuse.uid, "delete"), {"confirmation": str(langfuse)})
    assert log()[-1] == ("destination.delete", outcome)


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}])
def test_a_stale_proof_is_asked_for_and_no_secret_travels_with_the_question(
    desk: Client, langfuse: Destination, sandbox: RunningSandbox, htmx: dict[str, str]
) -> None:
    form = opened(desk, at(langfuse.uid, "edit"))
    session = desk.session
    session[PROOF_KEY] = 0
    session.save()
    sandbox.sandbox.clear_requests()
    typed = {**form, "name": "Renamed", "secret-secretKey": OTHER, "secret-headers": f"A: {OTHER}"}
    page = desk.post(at(langfuse.uid, "edit"), typed, headers=htmx).content.decode()
    assert "proof_password" in page
    assert "Renamed" in page
    assert OTHER not in page
    carried = {name: value for name, value in typed.items() if not name.startswith("secret-")}
    answer = desk.post(at(langfuse.uid, "edit"), {**carried, "proof_password": PASSWORD}, headers=htmx)
    assert answer.status_code == 400
    assert "type them again" in answer.content.decode()
    assert sent(sandbox) == []
    assert desk.post(at(langfuse.uid, "edit"), typed).status_code == 302
    assert len(sent(sandbox)) == 1

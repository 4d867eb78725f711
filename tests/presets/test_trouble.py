"""What goes wrong on the way, and what the person hears of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Preset
from orgadmin.presets import recording
from tests.presets.acting import BODY, CREATE, confirmed, edit, filled, last, live, posts
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox


def fault(sandbox: RunningSandbox, **fields: Any) -> None:
    sandbox.sandbox.fault(method="POST", path="/presets/support-bot/chat/completions", **fields)


def test_a_conflict_is_read_again_and_tried_once_more(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    fault(sandbox, kind="status", status=409)
    assert visitor.post(edit(bot), form).status_code == 302
    assert posts(sandbox) == 2
    assert live(sandbox, "support-bot").version == 4


def test_a_second_conflict_is_told(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    fault(sandbox, kind="status", status=409, message="Somebody was quicker", times=2)
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 502
    assert "Somebody was quicker" in answer.content.decode()
    assert posts(sandbox) == 2
    assert last().outcome == "failed"


@pytest.mark.parametrize(
    "kind", [{"kind": "drop_after"}, {"kind": "truncated"}, {"kind": "html", "status": 502, "after": True}]
)
def test_a_lost_answer_is_found(
    bot: Preset, visitor: Client, sandbox: RunningSandbox, kind: dict[str, Any]
) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    fault(sandbox, **kind)
    assert visitor.post(edit(bot), form).status_code == 302
    assert posts(sandbox) == 1
    assert (last().outcome, "the version was made" in last().message) == ("ok", True)
    bot.refresh_from_db()
    assert bot.live_version == 4


def test_an_answer_lost_before_anything_was_made_is_told(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    fault(sandbox, kind="html", status=502)
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 502
    assert "No version was made." in answer.content.decode()
    assert (last().outcome, "no version was made" in last().message) == ("failed", True)
    assert posts(sandbox) == 1


def test_a_version_nobody_heard_of_is_found_by_the_next_pull(
    bot: Preset, visitor: Client, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgadmin.openrouter.errors import ServerFailure
    from orgadmin.presets import services

    def silent(*_: Any) -> Any:
        raise ServerFailure("Away", status=500)

    form = confirmed(visitor, edit(bot), filled(bot))
    fault(sandbox, kind="drop_after")
    monkeypatch.setattr(services, "_glance", silent)
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 502
    assert "Nobody knows yet" in answer.content.decode()
    assert last().outcome == "unknown"
    pull(bot.organization)
    assert (last().outcome, "next sync found" in last().message) == ("ok", True)
    assert not Entry.objects.filter(actor_kind="outside", target_type="preset").exists()
    bot.refresh_from_db()
    assert bot.live_version == 4


def test_a_refused_inference_key_is_marked_and_the_connection_is_not(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    key = InferenceKey.objects.get()
    form = confirmed(visitor, edit(bot), filled(bot))
    sandbox.sandbox.outside.update_key(key.key_hash, disabled=True)
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 502
    key.refresh_from_db()
    assert key.refused_at is not None
    bot.organization.refresh_from_db()
    assert bot.organization.is_connected
    answer = visitor.post(edit(bot), {**form, "form_token": str(uuid.uuid4())})
    assert "OpenRouter refused the inference key" in answer.content.decode()


def test_a_refusal_of_openrouter_stands_beside_the_form(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    body = {**BODY, "temperature": 7}
    form = confirmed(visitor, edit(bot), filled(bot, body=body))
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 400
    assert "between 0 and 2" in answer.content.decode()
    # What was typed is still there.
    assert "temperature&quot;: 7" in answer.content.decode()
    assert last().outcome == "failed"


def test_without_a_key_nothing_is_offered(synced: Organization, visitor: Client) -> None:
    text = visitor.get(CREATE).content.decode()
    assert "No workspace can be written" in text


def test_our_own_failure_after_the_act_hides_nothing(
    bot: Preset, visitor: Client, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))

    def fail(**_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(recording, "mirror", fail)
        assert visitor.post(edit(bot), form).status_code == 302
    pull(bot.organization)
    bot.refresh_from_db()
    assert bot.live_version == 4
    assert not Entry.objects.filter(actor_kind="outside", target_type="preset").exists()

"""Making presets, new versions of them, and old versions again."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Preset, PresetVersion
from orgadmin.presets import recording
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/presets/create/"
CHECK = "/o/acme/presets/check/"
BODY = {
    "model": "openai/gpt-5.2", "temperature": 0.10, "stream": True, "user": "me",
    "messages": [{"role": "system", "content": "Be kind."}],
}  # fmt: skip


def edit(preset: Preset) -> str:
    return f"/o/acme/presets/{preset.uid}/edit/"


def filled(preset: Preset | None = None, **changes: Any) -> dict[str, Any]:
    """What somebody types. ``body`` may be JSON text or an object."""
    body = changes.pop("body", BODY)
    typed = {
        "kind": "chat/completions",
        "body": body if isinstance(body, str) else json.dumps(body),
        "form_token": str(uuid.uuid4()),
    }
    place = {} if preset else {"slug": "new-one", "workspace": InferenceKey.objects.get().workspace_uid}
    return {**typed, **place, **changes}


def confirmed(visitor: Client, address: str, form: dict[str, Any]) -> dict[str, Any]:
    """The same after it was looked at."""
    answer = visitor.post(address, form)
    text = answer.content.decode()
    assert answer.status_code == 200, text
    hidden = dict(re.findall(r'name="(checked|seen)" value="(\w+)"', text))
    return {**form, **hidden, "confirmed": "on"}


def posts(sandbox: RunningSandbox) -> int:
    counts = sandbox.sandbox.requests().counts
    return sum(number for name, number in counts.items() if name.startswith("POST /presets"))


def live(sandbox: RunningSandbox, slug: str) -> Any:
    account = sandbox.sandbox.account
    row = account.presets.get(account.workspaces.default_id or "", slug)
    found = account.presets.designated(row)
    assert found is not None
    return found


def last() -> Entry:
    found = Entry.objects.filter(target_type="preset").exclude(about=None).order_by("-id").first()
    assert found is not None
    return found


def test_a_preset_is_looked_at_and_then_made(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    form = confirmed(visitor, CREATE, filled())
    assert sandbox.sandbox.requests().total == 0
    answer = visitor.post(CREATE, form)
    assert answer.status_code == 302
    preset = Preset.objects.get(slug="new-one")
    assert answer["Location"].endswith(f"/presets/{preset.uid}/")
    assert posts(sandbox) == 1
    made = live(sandbox, "new-one")
    assert (made.config, made.system_prompt) == ({"model": "openai/gpt-5.2", "temperature": 0.1}, "Be kind.")
    assert (preset.live_version, preset.newest_version) == (1, 1)
    assert preset.pinned_models == ["openai/gpt-5.2"]
    version = PresetVersion.objects.get(preset_uid=preset.uid)
    assert (version.number, version.settings) == (1, '{"model":"openai/gpt-5.2","temperature":0.1}')
    entry = last()
    assert (entry.action, entry.outcome, entry.target_id) == ("preset.create", "ok", preset.uid)
    assert entry.after is not None
    assert entry.after["system_prompt"] == "Be kind."
    assert "did not keep: user." in visitor.get(answer["Location"]).content.decode()
    pull(preset.organization)
    assert not Entry.objects.filter(actor_kind="outside", target_type="preset").exists()


@pytest.mark.parametrize(("kind", "body"), [
    ("messages", {"model": "m/x", "messages": [], "system": "Be brief.", "max_tokens": 5}),
    ("responses", {"model": "m/x", "instructions": "Be brief.", "input": "Hello", "max_tokens": 5}),
])  # fmt: skip
def test_the_other_kinds_make_presets_too(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox, kind: str, body: Any
) -> None:
    form = confirmed(visitor, CREATE, filled(kind=kind, body=body))
    assert visitor.post(CREATE, form).status_code == 302
    made = live(sandbox, "new-one")
    assert (made.config, made.system_prompt) == ({"model": "m/x", "max_tokens": 5}, "Be brief.")
    assert sandbox.sandbox.requests().count(f"POST /presets/{{slug}}/{kind}") == 1


def test_numbers_reach_openrouter_as_they_were_typed(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    text = '{"instructions": "x", "temperature": 0.70, "seed": 1234567890123456789}'
    form = confirmed(visitor, CREATE, filled(kind="responses", body=text))
    visitor.post(CREATE, form)
    sent = [call for call in sandbox.sandbox.requests().last if call.endpoint.startswith("POST /presets")]
    assert len(sent) == 1
    assert live(sandbox, "new-one").config["seed"] == 1234567890123456789


def test_the_preview_says_what_is_kept_and_what_it_replaces(bot: Preset, visitor: Client) -> None:
    text = visitor.get(edit(bot)).content.decode()
    assert "Never promise a refund." in text
    answer = visitor.post(CHECK, {**filled(bot), "preset": bot.uid}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in text
    assert "this makes version 4, live at once" in text
    assert "may be dropped" in text
    assert "The system message becomes the system prompt." in text
    assert "<ins>Be kind.</ins>" in text
    assert "against version 3, which is live" in text
    assert "Make version 4 live" in text


def test_a_known_slug_is_told_while_creating(bot: Preset, visitor: Client) -> None:
    answer = visitor.post(CHECK, filled(slug="support-bot"))
    assert "@preset/support-bot exists: this makes version 4" in answer.content.decode()


def test_the_preview_tells_what_is_wrong(lent: InferenceKey, visitor: Client) -> None:
    answer = visitor.post(CHECK, filled(body="{", slug="not good"), headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "This is not JSON. Line 1" in text
    assert "Use letters, digits" in text
    assert "checked" not in text


@pytest.mark.parametrize(("changes", "said"), [
    ({"slug": ""}, "Give the preset a slug"), ({"slug": "a b"}, "Use letters"),
    ({"slug": "-a"}, "Use letters"),
    ({"slug": "x" * 101}, "at most 100"), ({"workspace": "elsewhere"}, "Choose one of the workspaces"),
    ({"kind": "images"}, "Choose one of the kinds"), ({"body": ""}, "Paste the body"),
    ({"body": "nonsense"}, "This is not JSON"), ({"body": "[1]"}, "JSON object"),
    ({"body": {}}, "is missing"),
    ({"body": {"messages": [{"role": "user", "content": "x"}], "temperature": "x"}}, "must be a number"),
    ({"body": "[" * 5000}, "This is not JSON"), ({"body": '{"a": NaN}'}, "This is not JSON"),
])  # fmt: skip
def test_what_cannot_be_sent_is_not(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox, changes: dict[str, Any], said: str
) -> None:
    answer = visitor.post(CREATE, filled(**changes))
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert posts(sandbox) == 0


def test_nothing_is_sent_but_what_was_looked_at(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    other = {**form, "body": json.dumps({**BODY, "temperature": 0.9})}
    answer = visitor.post(edit(bot), other)
    assert answer.status_code == 400
    assert "look again" in answer.content.decode()
    del form["confirmed"]
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 400
    assert "Tick that you know" in answer.content.decode()
    assert posts(sandbox) == 0


def test_a_new_version_is_live_at_once(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    answer = visitor.post(edit(bot), confirmed(visitor, edit(bot), filled(bot)))
    assert answer.status_code == 302
    bot.refresh_from_db()
    assert (bot.live_version, bot.newest_version) == (4, 4)
    entry = last()
    assert (entry.action, entry.outcome) == ("preset.update", "ok")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["live_version"], entry.after["live_version"]) == (3, 4)
    pull(bot.organization)
    assert not Entry.objects.filter(actor_kind="outside", target_type="preset").exists()


def test_sent_twice_it_is_made_once(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    visitor.post(edit(bot), form)
    sandbox.sandbox.outside.designate_preset_version(bot.uid, 3)
    answer = visitor.post(edit(bot), form)
    assert answer.status_code == 302
    assert posts(sandbox) == 1
    assert "already sent" in visitor.get(answer["Location"]).content.decode()


def test_somebody_elses_version_is_not_replaced_unseen(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    form = confirmed(visitor, edit(bot), filled(bot))
    sandbox.sandbox.outside.create_preset_version("support-bot", config={"model": "m/theirs"})
    answer = visitor.post(edit(bot), form)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else made another version live" in text
    assert "m/theirs" in text
    assert "against version 4" in text
    assert posts(sandbox) == 0
    outside = Entry.objects.get(actor_kind="outside", target_type="preset")
    assert outside.after == {"live_version": 4, "newest_version": 4}
    again = {**form, **dict(re.findall(r'name="(checked|seen)" value="(\w+)"', text))}
    again["form_token"] = str(uuid.uuid4())
    assert visitor.post(edit(bot), again).status_code == 302
    assert live(sandbox, "support-bot").version == 5


def test_a_slug_that_somebody_took_meanwhile_is_not_overwritten(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    form = confirmed(visitor, CREATE, filled())
    sandbox.sandbox.outside.create_preset_version("new-one", config={"model": "m/theirs"})
    answer = visitor.post(CREATE, form)
    assert answer.status_code == 409
    assert "this makes version 2, live at once" in answer.content.decode()
    assert posts(sandbox) == 0


def test_versions_between_are_read_with_the_next_pull(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    for number in range(2):
        sandbox.sandbox.outside.create_preset_version(
            "support-bot", config={"top_k": number}, designate=False
        )
    form = confirmed(visitor, edit(bot), filled(bot))
    assert visitor.post(edit(bot), form).status_code == 302
    numbers = PresetVersion.objects.filter(preset_uid=bot.uid).values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 6]
    pull(bot.organization)
    assert list(numbers.all()) == [1, 2, 3, 4, 5, 6]


# --- trouble ---


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


# --- restoring ---


def restore(preset: Preset, number: int) -> str:
    return f"/o/acme/presets/{preset.uid}/versions/{number}/restore/"


def ready(visitor: Client, preset: Preset, number: int) -> dict[str, str]:
    text = visitor.get(restore(preset, number)).content.decode()
    return dict(re.findall(r'name="(seen|form_token)" value="([\w-]+)"', text))


def test_an_old_version_is_made_again(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    text = visitor.get(restore(bot, 1)).content.decode()
    assert "made again as version 4" in text
    assert "<del>Never promise a refund.</del>" in text
    answer = visitor.post(restore(bot, 1), ready(visitor, bot, 1))
    assert answer.status_code == 302
    made, first = live(sandbox, "support-bot"), PresetVersion.objects.get(preset_uid=bot.uid, number=1)
    assert (made.version, made.system_prompt) == (4, first.system_prompt)
    assert made.config == {"model": "openai/gpt-5-mini", "temperature": 0.7, "max_tokens": 800}
    entry = last()
    assert entry.after is not None
    assert (entry.action, entry.after["restored_version"]) == ("preset.update", 1)


def test_a_version_without_a_prompt_is_made_again(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    preset = Preset.objects.get(slug="summaries")
    sandbox.sandbox.outside.create_preset_version("summaries", config={"model": "m/x"}, system_prompt="Oops")
    pull(preset.organization)
    assert visitor.post(restore(preset, 1), ready(visitor, preset, 1)).status_code == 302
    made = live(sandbox, "summaries")
    assert (made.version, made.system_prompt) == (3, None)


def test_restoring_sees_what_somebody_else_did(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    form = ready(visitor, bot, 1)
    sandbox.sandbox.outside.create_preset_version("support-bot", config={"model": "m/theirs"})
    answer = visitor.post(restore(bot, 1), form)
    assert answer.status_code == 409
    assert "m/theirs" in answer.content.decode()
    assert posts(sandbox) == 0


def test_what_cannot_be_restored_is_told(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    assert visitor.get(restore(bot, 9)).status_code == 404
    assert visitor.post(restore(bot, 1), {"seen": "x"}).status_code == 400
    form = ready(visitor, bot, 1)
    sandbox.sandbox.outside.delete_preset(bot.uid)
    answer = visitor.post(restore(bot, 1), form)
    assert answer.status_code == 400
    assert "does not know this version any more" in answer.content.decode()


def test_another_preset_of_the_same_slug_is_not_touched(
    bot: Preset, visitor: Client, sandbox: RunningSandbox
) -> None:
    form = ready(visitor, bot, 1)
    sandbox.sandbox.outside.delete_preset(bot.uid)
    sandbox.sandbox.advance(60)
    sandbox.sandbox.outside.create_preset_version("support-bot", config={"model": "m/theirs"})
    assert visitor.post(restore(bot, 1), form).status_code == 400
    assert posts(sandbox) == 0


def test_the_log_puts_the_version_before_back(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.create_preset_version("support-bot", config={"model": "m/theirs"})
    pull(bot.organization)
    entry = Entry.objects.get(actor_kind="outside", target_type="preset")
    address = f"/o/acme/audit-log/{entry.pk}/restore/"
    text = visitor.get(address).content.decode()
    assert "Live version" in text
    form = dict(re.findall(r'name="(seen|form_token)" value="([\w-]+)"', text))
    answer = visitor.post(address, {**form, "field": "live_version"})
    assert answer.status_code == 302, answer.content.decode()
    made = live(sandbox, "support-bot")
    assert made.version == 5
    assert made.config["model"] == "openai/gpt-5.2"
    assert Entry.objects.filter(action="preset.update", restores=entry).exists()
    assert "Nothing to restore" in visitor.get(address).content.decode()

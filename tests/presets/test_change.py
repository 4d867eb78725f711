"""Making presets and new versions of them."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import InferenceKey
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Preset, PresetVersion
from tests.presets.acting import BODY, CHECK, CREATE, confirmed, edit, filled, last, live, posts
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox


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


TOOLS = [
    {"type": "mcp", "server_label": "s", "headers": {"X": "hdr-1"}, "authorization": "tok-1", "max_tokens": 5}
]


def test_a_secret_of_a_tool_is_kept_nowhere_and_its_mark_never_sent(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    body = {**BODY, "tools": TOOLS}
    visitor.post(CREATE, confirmed(visitor, CREATE, filled(body=body)))
    assert live(sandbox, "new-one").config["tools"][0]["authorization"] == "tok-1"
    preset = Preset.objects.get(slug="new-one")
    version = PresetVersion.objects.get(preset_uid=preset.uid)
    stored = version.settings + repr(list(Entry.objects.values()))
    page = visitor.get(f"/o/acme/presets/{preset.uid}/").content.decode()
    for text in (stored, page):
        assert "tok-1" not in text
        assert "hdr-1" not in text
    assert '"max_tokens":5' in version.settings
    again = filled(preset, body={**BODY, "tools": version.config["tools"]})
    answer = visitor.post(edit(preset), again)
    assert "stands for a secret" in answer.content.decode()


def test_a_slug_that_only_the_web_page_makes_can_have_new_versions(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.create_preset_version("_odd", config={"model": "openai/gpt-5.2"})
    pull(lent.organization)
    preset = Preset.objects.get(slug="_odd")
    assert visitor.post(edit(preset), confirmed(visitor, edit(preset), filled(preset))).status_code == 302
    assert live(sandbox, "_odd").version == 2


def test_a_restoration_says_what_may_be_lost(
    lent: InferenceKey, visitor: Client, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.create_preset_version("made", config={"model": "m/x", "novelty": 1})
    pull(lent.organization)
    preset = Preset.objects.get(slug="made")
    sheet = visitor.get(f"/o/acme/presets/{preset.uid}/versions/1/restore/").content.decode()
    assert "without a word: novelty." in sheet

"""Old versions made again, as new ones."""

from __future__ import annotations

import re

from django.test import Client

from orgadmin.accounts.models import InferenceKey
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Preset, PresetVersion
from tests.presets.acting import last, live, posts
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox


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

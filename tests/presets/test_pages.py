"""The list of presets, one of them, its versions, and the difference between two."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import InferenceKey, Organization, User
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import Guardrail, Preset, Workspace
from tests.conftest import SignIn
from tests.lending import lend
from tests.presets.conftest import pull
from tests.sandbox_server import RunningSandbox

LIST = "/o/acme/presets/"


def page(visitor: Client, address: str, status: int = 200) -> str:
    answer = visitor.get(address)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return str(answer.content.decode())


def at(preset: Preset, rest: str = "") -> str:
    return f"{LIST}{preset.uid}/{rest}"


def test_the_list_says_what_is_pinned_and_what_cannot_be_seen(bot: Preset, visitor: Client) -> None:
    text = page(visitor, LIST)
    assert "support-bot" in text
    assert "openai/gpt-5.2, anthropic/claude-haiku-4.5" in text
    assert "No inference key for Production, Research" in text
    assert "The owner can add one in Settings" in text


def test_an_owner_is_led_to_settings(synced: Organization, owner: User, sign_in: SignIn) -> None:
    text = page(sign_in(owner), LIST)
    assert "Presets cannot be read yet" in text
    assert "/o/acme/settings/#inference-keys" in text


def test_a_refused_key_is_told(bot: Preset, visitor: Client) -> None:
    InferenceKey.objects.update(refused_at=bot.updated_at, refusal="Gone")
    assert "OpenRouter refused the inference key of Default" in page(visitor, LIST)
    text = page(visitor, at(bot))
    assert "no inference key that works" in text
    assert "New version" not in text


@pytest.mark.parametrize(("query", "slugs"), [
    ("q=help", ["old-greeting", "support-bot"]), ("q=claude", ["summaries", "support-bot"]),
    ("status=archived", ["old-greeting"]), ("workspace=default&q=sum", ["summaries"]),
    ("workspace=production", []),
    ("sort=-version", ["support-bot", "old-greeting", "summaries"]), ("q=nothing-like-it", []),
    ("gone=1", []),
    ("sort=updated", ["support-bot", "summaries", "old-greeting"]),
])  # fmt: skip
def test_it_filters_and_sorts_the_list_and_the_download(
    bot: Preset, visitor: Client, query: str, slugs: list[str]
) -> None:
    answer = visitor.get(f"{LIST}csv/?{query}")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [row["slug"] for row in rows] == slugs
    text = page(visitor, f"{LIST}?{query}")
    assert all(f">{slug}</a>" in text for slug in slugs)
    assert slugs or "No preset matches" in text


def test_the_download_holds_everything_of_a_row(bot: Preset, visitor: Client) -> None:
    answer = visitor.get(f"{LIST}csv/?q=support-bot")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))  # type: ignore[attr-defined]
    assert row["workspace"] == "Default"
    assert (row["live_version"], row["newest_version"], row["status"]) == ("3", "3", "active")
    assert row["models"] == "openai/gpt-5.2 anthropic/claude-haiku-4.5"


def test_one_shows_its_live_version_and_all_others(bot: Preset, visitor: Client) -> None:
    text = page(visitor, at(bot))
    assert "Version 3, live" in text
    assert "Never promise a refund." in text
    assert "provider.data_collection" in text
    assert "&#34;deny&#34;" in text
    assert at(bot, "versions/1/") in text
    assert "@preset/support-bot" in text
    for words in ("curl ", "from openrouter import OpenRouter", "@openrouter/sdk"):
        assert words in text


def test_an_old_version_is_told_to_be_old(bot: Preset, visitor: Client) -> None:
    text = page(visitor, at(bot, "versions/1/"))
    assert "This is version 1. Version 3 is live." in text
    assert "Restore this version" in text
    page(visitor, at(bot, "versions/9/"), 404)
    page(visitor, at(bot, "versions/99999999999/"), 404)


def test_a_preset_that_serves_nothing(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.designate_preset_version(bot.uid, None)
    pull(bot.organization)
    assert "No version is live" in page(visitor, at(bot))
    assert "against" not in page(visitor, at(bot, "edit/"))


def test_a_deleted_one_stays_to_be_read(bot: Preset, visitor: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.delete_preset(bot.uid)
    pull(bot.organization)
    text = page(visitor, at(bot))
    assert "no longer exists at OpenRouter" in text
    assert "New version" not in text
    page(visitor, at(bot, "edit/"), 404)
    assert "support-bot" in page(visitor, f"{LIST}?gone=1")


def test_two_versions_side_by_side(bot: Preset, visitor: Client) -> None:
    text = page(visitor, at(bot, "compare/"))
    assert "From version 2 to version 3" in text
    assert "<ins>Answer in the customer’s language.</ins>" in text
    text = page(visitor, at(bot, "compare/?old=3&new=1"))
    assert "From version 3 to version 1" in text
    assert "<del>Never promise a refund.</del>" in text
    assert "tools" in text
    assert "They say the same" in page(visitor, at(bot, "compare/?old=2&new=2"))
    page(visitor, at(bot, "compare/?old=x&new=%00"))


def test_what_models_cost_and_what_guardrails_say(bot: Preset, visitor: Client, synced: Organization) -> None:
    assert "not in the catalog as last synced" in page(visitor, at(bot))
    CatalogModel.objects.create(
        organization=synced, slug="openai/gpt-5.2", permaslug="openai/gpt-5.2-1",
        listed_as="openai/gpt-5.2-1", name="GPT", prompt="0.00000125", completion="0.00001",
    )  # fmt: skip
    workspace = Workspace.objects.get(uid=bot.workspace_uid)
    Guardrail.objects.filter(organization=synced).delete()
    common = {"organization": synced, "workspace_uid": workspace.uid}
    text = page(visitor, at(bot))
    assert "$1.25" in text
    assert ">allowed</span>" in text
    Guardrail.objects.create(uid="g1", name="Narrow", allowed_models=["other/model"], **common)
    text = page(visitor, at(bot))
    assert "allowed by default" in text
    assert "Refused for who holds" in text
    assert ">Narrow</a>" in text
    Guardrail.objects.create(
        uid=workspace.default_guardrail_id, name="Default", ignored_models=["openai/gpt-5.2-1"], **common
    )
    text = page(visitor, at(bot))
    assert "refused for everybody" in text
    assert "is among the ignored models" in text


def test_number_of_queries(
    bot: Preset, visitor: Client, sandbox: RunningSandbox, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        page(visitor, LIST)
    with django_assert_max_num_queries(26):
        page(visitor, at(bot))
    for number in range(20):
        sandbox.sandbox.outside.create_preset_version(f"more-{number}", config={"model": "m/x"})
        sandbox.sandbox.outside.create_preset_version("support-bot", config={"models": [f"m/{number}"] * 5})
    pull(bot.organization)
    with django_assert_max_num_queries(12):
        page(visitor, LIST)
    with django_assert_max_num_queries(26):
        page(visitor, at(bot))


def test_nobody_else_sees_them(
    bot: Preset, member: User, stranger: User, viewer: User, sign_in: SignIn
) -> None:
    page(sign_in(member), at(bot), 403)
    page(sign_in(stranger), at(bot), 404)
    text = page(sign_in(viewer), at(bot))
    assert "New version" not in text
    page(sign_in(viewer), at(bot, "edit/"), 403)


def test_one_of_another_organization_is_not_found(bot: Preset, visitor: Client) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="https://a.test")
    Preset.objects.update(organization=other)
    page(visitor, at(bot), 404)


def test_odd_content_breaks_no_page(synced: Organization, visitor: Client, sandbox: RunningSandbox) -> None:
    lend(synced, sandbox.sandbox)
    sandbox.sandbox.outside.create_preset_version(
        "odd",
        config={"model": "\ud800", "<b>": {"\ud800": [None, True, 1.5]}, "models": "x", "temperature": None},
        system_prompt="</script>\x00\ud800 {{ 1 }}",
    )
    pull(synced)
    preset = Preset.objects.get(slug="odd")
    text = page(visitor, at(preset))
    assert "&lt;b&gt;" in text
    for rest in ("compare/", "edit/", "versions/1/", "versions/1/restore/"):
        page(visitor, at(preset, rest))

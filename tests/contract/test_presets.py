"""Presets as the vendor's client sees them."""

from __future__ import annotations

import httpx
import pytest
from openrouter import OpenRouter, components, errors

from orgadmin.sandbox.app import Options
from orgadmin.sandbox.seed.keys import inference_key
from tests.contract.calls import GREETING, INSTRUCTION
from tests.contract.shapes import hold_against
from tests.contract.test_every_call import Listener
from tests.contract.test_the_rest import managing, pages
from tests.sandbox_server import RunningSandbox, running_sandbox


def test_a_preset_is_made_and_gets_versions_of_every_kind(inference_sdk: OpenRouter) -> None:
    sdk = inference_sdk.presets
    first = sdk.create_presets_chat_completions(
        slug="made-here", model="openai/gpt-5.2", temperature=0.7, stream=True, top_k=5,
        messages=[INSTRUCTION],
    ).data  # fmt: skip
    assert first.designated_version is not None
    assert first.designated_version.system_prompt == "Be kind."
    assert first.designated_version.config == {"model": "openai/gpt-5.2", "temperature": 0.7, "top_k": 5}
    second = sdk.create_presets_messages(
        slug="made-here", model="anthropic/claude-haiku-4.5", max_tokens=99, system="Be brief.",
        messages=[GREETING],
    ).data  # fmt: skip
    third = sdk.create_presets_responses(slug="made-here", instructions="Be both.", input="Hello").data
    assert [one.designated_version.version for one in (first, second, third) if one.designated_version] == [
        1,
        2,
        3,
    ]
    assert second.id == first.id
    assert sdk.get(slug="made-here").data == third
    assert sdk.get_version(slug="made-here", version="1").data == first.designated_version


def test_versions_are_walked_by_the_clients_own_paging(inference_sdk: OpenRouter) -> None:
    for _ in range(6):
        inference_sdk.presets.create_presets_responses(slug="often", instructions="x")
    walked = pages(inference_sdk.presets.list_versions(slug="often", limit=4))
    assert [row.version for page in walked for row in page.result.data] == [1, 2, 3, 4, 5, 6]


def test_what_goes_wrong_is_what_the_vendor_names(running: RunningSandbox, inference_sdk: OpenRouter) -> None:
    with pytest.raises(errors.NotFoundResponseError):
        inference_sdk.presets.get(slug="nowhere")
    with pytest.raises(errors.NotFoundResponseError):
        inference_sdk.presets.get_version(slug="support-bot", version="99")
    running.sandbox.fault(kind="status", status=409, message="Somebody else was quicker")
    with pytest.raises(errors.ConflictResponseError):
        inference_sdk.presets.create_presets_responses(slug="support-bot", instructions="x")


@pytest.mark.parametrize("status", [401, 403, 200])
def test_whether_a_management_key_may_is_an_option(status: int) -> None:
    with running_sandbox(Options(keys=1, presets_for_managers=status)) as running, managing(running) as sdk:
        if status == 200:
            assert sdk.presets.get(slug="support-bot").data.slug == "support-bot"
            return
        with pytest.raises(errors.OpenRouterError) as caught:
            sdk.presets.get(slug="support-bot")
        assert caught.value.raw_response.status_code == status


def test_every_seeded_preset_is_well_formed() -> None:
    listener = Listener()
    with (
        running_sandbox(Options(keys=3)) as running,
        httpx.Client(event_hooks={"response": [listener.hear]}) as http,
        OpenRouter(api_key=inference_key(7), server_url=running.url, retry_config=None, client=http) as sdk,
    ):
        sdk.presets.list(limit=100)
        hold_against(components.ListPresetsResponse, listener.last)
        for row in running.sandbox.account.presets:
            if row.workspace_id == running.sandbox.account.workspaces.default_id:
                sdk.presets.get(slug=row.slug)
                hold_against(components.GetPresetResponse, listener.last)
                sdk.presets.list_versions(slug=row.slug)
                hold_against(components.ListPresetVersionsResponse, listener.last)

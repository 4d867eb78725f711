"""Every endpoint of the sandbox, driven by the vendor's client: the answer, and each way to fail."""

from __future__ import annotations

import httpx
import pytest
from openrouter import OpenRouter, errors

from orgadmin.sandbox.router import GROUPS
from tests.contract.calls import CALLS, subject
from tests.contract.shapes import hold_against
from tests.sandbox_server import RunningSandbox

# The client's own model of `GET /key` announces the end of two fields whenever it is filled.
pytestmark = pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")

SERVED = {
    f"{row.method} {row.path.replace('<', '{').replace('>', '}')}"
    for group in GROUPS
    for row in group.ENDPOINTS
}


def test_no_endpoint_is_left_out() -> None:
    assert set(CALLS) == SERVED


def key_for(running: RunningSandbox, name: str) -> str:
    """A key that may make the call."""
    return running.sandbox.inference_key if CALLS[name].unmanaged else running.sandbox.management_key


class Listener:
    """Keeps the text of the last answer the client read."""

    def __init__(self) -> None:
        self.last = ""

    def hear(self, response: httpx.Response) -> None:
        response.read()
        self.last = response.text


@pytest.mark.parametrize("name", CALLS)
def test_the_answer_is_what_the_vendor_describes(running: RunningSandbox, name: str) -> None:
    listener = Listener()
    call = CALLS[name]
    with (
        httpx.Client(event_hooks={"response": [listener.hear]}) as http,
        OpenRouter(
            api_key=key_for(running, name), server_url=running.url, retry_config=None, client=http
        ) as sdk,
    ):
        call.make(sdk, subject(running))
    hold_against(call.model, listener.last, unless=call.unless)
    assert running.sandbox.requests().counts == {name: 1}


@pytest.mark.parametrize(
    "name", [name for name, call in CALLS.items() if not call.inference and not call.public]
)
def test_an_ordinary_key_is_refused(running: RunningSandbox, inference_sdk: OpenRouter, name: str) -> None:
    with pytest.raises(errors.OpenRouterError) as caught:
        CALLS[name].make(inference_sdk, subject(running))
    assert caught.value.raw_response.status_code == 403
    assert caught.value.raw_response.json()["error"]["message"].startswith("Only management keys can ")


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.unmanaged])
def test_a_management_key_is_refused(running: RunningSandbox, sdk: OpenRouter, name: str) -> None:
    with pytest.raises(errors.ForbiddenResponseError):
        CALLS[name].make(sdk, subject(running))


STRANGER = "sk-or-v1-" + "0" * 64


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.public])
def test_nobody_has_to_say_who_they_are_to_see_what_is_public(running: RunningSandbox, name: str) -> None:
    it = subject(running)
    with OpenRouter(api_key=STRANGER, server_url=running.url, retry_config=None) as stranger:
        CALLS[name].make(stranger, it)


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if not call.public])
def test_no_key_and_a_wrong_key_are_refused(running: RunningSandbox, name: str) -> None:
    it = subject(running)
    with (
        OpenRouter(api_key=STRANGER, server_url=running.url, retry_config=None) as stranger,
        pytest.raises(errors.UnauthorizedResponseError) as caught,
    ):
        CALLS[name].make(stranger, it)
    assert caught.value.data.error.code == 401


@pytest.mark.parametrize("name", CALLS)
def test_a_server_error_is_the_vendors_own(running: RunningSandbox, sdk: OpenRouter, name: str) -> None:
    it = subject(running)
    running.sandbox.fault(kind="status", status=500, message="Internal Server Error")
    with pytest.raises(errors.InternalServerResponseError) as caught:
        CALLS[name].make(sdk, it)
    assert caught.value.data.error.message == "Internal Server Error"


@pytest.mark.parametrize("name", [name for name in CALLS if " /keys" in name])
def test_too_many_requests_is_the_vendors_own(running: RunningSandbox, sdk: OpenRouter, name: str) -> None:
    it = subject(running)
    running.sandbox.fault(kind="status", status=429)
    with pytest.raises(errors.TooManyRequestsResponseError):
        CALLS[name].make(sdk, it)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["extra_field", "unknown_enum"])
def test_growth_of_the_api_does_not_break_the_vendors_client(
    running: RunningSandbox, name: str, kind: str
) -> None:
    it = subject(running)
    running.sandbox.fault(kind=kind)
    with OpenRouter(api_key=key_for(running, name), server_url=running.url, retry_config=None) as sdk:
        CALLS[name].make(sdk, it)

"""A limit that would stop a working key at once is not set for it unasked."""

from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.inventory.models import Key
from tests.keys.conftest import text_of
from tests.keys.test_edit import bodies, edit_of, opened
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def spent(key: Key, sandbox: RunningSandbox) -> Key:
    """A working key without a limit that spent $9 today and $3 beside it with credentials of its own."""
    unlimited = {"limit": None, "limit_reset": None, "include_byok_in_limit": False}
    sandbox.sandbox.outside.update_key(key.hash, **unlimited)
    sandbox.sandbox.clear_requests()
    Key.objects.filter(pk=key.pk).update(
        **unlimited,
        limit_remaining=None,
        usage=9,
        usage_daily=9,
        byok_usage=3,
        byok_usage_daily=3,
    )
    return key


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        ({"limit": "9"}, True),
        ({"limit": "9.01"}, False),
        ({"limit": "9", "limit_reset": "daily"}, True),
        ({"limit": "12", "include_byok_in_limit": "on"}, True),
        ({"limit": "12.01", "include_byok_in_limit": "on"}, False),
        ({"name": "only a name"}, False),
    ],
)
def test_it_asks_before_a_limit_stops_the_key(
    desk: Client, spent: Key, sandbox: RunningSandbox, change: dict[str, str], stops: bool
) -> None:
    form = {**opened(desk, spent), **change}
    answer = desk.post(edit_of(spent), form)

    assert ("would stop working at once" in text_of(answer)) is stops
    assert (answer.status_code, bool(bodies(sandbox))) == ((400, False) if stops else (302, True))
    if stops:
        assert 'name="blocks_anyway"' in text_of(answer)
        assert desk.post(edit_of(spent), {**form, "blocks_anyway": "on"}).status_code == 302
        assert bodies(sandbox)


def test_a_key_that_is_off_already_is_stopped_unasked(desk: Client, spent: Key) -> None:
    Key.objects.filter(pk=spent.pk).update(disabled=True)
    assert desk.post(edit_of(spent), {**opened(desk, spent), "limit": "1"}).status_code == 302

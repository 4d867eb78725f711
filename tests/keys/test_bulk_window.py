"""What a limit for many keys does to the windows that they have."""

from __future__ import annotations

from orgadmin.accounts.models import Organization
from tests.conftest import Bells
from tests.keys.conftest import sent
from tests.keys.test_bulk_run import Begin, begin, three
from tests.sandbox_server import RunningSandbox

__all__ = ["begin"]  # a fixture


def test_a_limit_alone_keeps_the_window_that_each_key_has(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    keys = three(synced)
    for key, window in zip(keys, ("daily", "weekly", None), strict=True):
        # Nobody told the mirror: what counts is what OpenRouter has when the key's turn comes.
        sandbox.sandbox.outside.update_key(key.hash, limit=1, limit_reset=window)
    begin("limit", keys, limit="5000", blocks_anyway="on")
    bells.work()
    bodies = {call.path.rpartition("/")[2]: call.body for call in sent(sandbox)}
    windows = [bodies[key.hash] for key in keys]
    assert windows == [{"limit": 5000, "limit_reset": window} for window in ("daily", "weekly", None)]
    assert [sandbox.sandbox.key(key.hash)["limit_reset"] for key in keys] == ["daily", "weekly", None]

    begin("limit", keys, limit="6000", limit_reset="lifetime", blocks_anyway="on")
    bells.work()
    assert [sandbox.sandbox.key(key.hash)["limit_reset"] for key in keys] == [None] * 3

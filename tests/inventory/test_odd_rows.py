"""One odd row upstream does not keep the others from being pulled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.errors import Unauthorized
from tests.inventory.pulling import pull
from tests.sandbox_server import RunningSandbox


def make_first_key(monkeypatch: pytest.MonkeyPatch, **odd: Any) -> None:
    """The first key of each page arrives with these values."""
    page = upstream.page

    def odd_page(*args: Any, **kwargs: Any) -> tuple[upstream.Key, ...]:
        first, *rest = page(*args, **kwargs) or (None,)
        return (replace(first, **odd), *rest) if first else ()

    monkeypatch.setattr(upstream, "page", odd_page)


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "half an emoji \ud83d"},
        {"name": "nul\x00inside"},
        {"label": "l" * 250},
        {"external_user": "e" * 250},
        {"extra": {"note": "C:\\u0000", "more": ["\ud83d", {"nul": "\x00"}]}},
    ],
    ids=["surrogate", "nul", "long label", "long external user", "extra"],
)
def test_an_odd_row_is_kept_as_well_as_it_can_be(
    synced: Organization, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any]
) -> None:
    make_first_key(monkeypatch, **odd)
    run = pull(synced)
    assert (run.state, run.error) == ("ok", "")
    assert Key.objects.filter(gone_at=None).count() == 40
    # What was cut is cut the same way next time: nothing is found to differ.
    assert pull(synced).changed == 0


@pytest.mark.parametrize(
    "odd", ["F" * 70, "half \ud83d", "nul\x00", ""], ids=["long", "half", "nul", "empty"]
)
def test_a_row_without_a_usable_identity_is_left_out_and_told_of(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    monkeypatch.setattr(upstream, "page", with_one_more(upstream.page, odd))
    run = pull(synced)
    assert run.state == SyncRun.State.OK
    assert run.error.startswith("Left out 1, because an id is too long or unreadable: ")
    assert (run.seen, Key.objects.filter(gone_at=None).count()) == (40, 40)
    assert not Entry.objects.exists()
    monkeypatch.undo()
    assert pull(synced).error == ""


def with_one_more(page: Callable[..., tuple[upstream.Key, ...]], odd: str) -> Callable[..., Any]:
    """Pages that begin with a copy of their first key under another hash."""

    def longer(*args: Any, **kwargs: Any) -> tuple[upstream.Key, ...]:
        found = page(*args, **kwargs)
        return (replace(found[0], hash=odd), *found) if found else ()

    return longer


def test_a_refusal_is_told_without_what_a_database_refuses(
    synced: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise Unauthorized("No \x00 \ud83d.", status=401)

    monkeypatch.setattr(upstream, "page", refuse)
    run = pull(synced)
    synced.refresh_from_db()
    assert (run.state, run.error) == (SyncRun.State.FAILED, "No  ?.")
    assert synced.status_message == "No  ?."


def test_rounding_of_two_amounts_is_no_use(synced: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    make_first_key(monkeypatch, usage=Decimal("12.3456789014"), byok_usage=Decimal("3.0000000004"))
    pull(synced)
    before = dict(Key.objects.values_list("hash", "active_at"))
    pull(synced)
    odd = [key for key in Key.objects.all() if key.usage == Decimal("12.345678901")]
    assert odd
    for key in odd:
        assert key.active_at == before[key.hash]

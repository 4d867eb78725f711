"""Where use comes from: a key while it was in one workspace, or somebody's part of the chat room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.ledger import Ledger
from orgadmin.sandbox.seed.words import APPS, CHAT_ROOM, COUNTRIES, App
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.keys import KeyRow

FOREVER = 1 << 40


@dataclass(frozen=True, slots=True)
class Source:
    """Use from `start` to before `end` (seconds since 1970) that has these in common. `key` is None for
    the chat room; `app` is None when the requests do not say which program sent them."""

    ledger: Ledger
    key: KeyRow | None
    user_id: str | None
    workspace_id: str
    app: App | None
    country: str
    start: int = 0
    end: int = FOREVER


def sources(account: Account) -> Iterator[Source]:
    """Every source there ever was: keys, deleted keys, the chat room."""
    for row in (*account.keys, *account.keys.deleted.values()):
        app, country = _program(account.seed, row.hash)
        start = 0
        for stay in row.stays:
            yield Source(
                row.ledger, row, row.creator_user_id, stay.workspace_id, app, country, start, stay.until
            )
            start = stay.until
        yield Source(row.ledger, row, row.creator_user_id, row.workspace_id, app, country, start)
    for room in account.rooms.rows:
        _, country = _program(account.seed, room.user_id or "nobody")
        yield Source(room.ledger, None, room.user_id, room.workspace_id, CHAT_ROOM, country)


@lru_cache(maxsize=20_000)
def _program(seed: int, name: str) -> tuple[App | None, str]:
    dice = Dice("program", seed, name)
    app = dice.pick(APPS) if dice.happens(0.55) else None
    return app, dice.weighted(*zip(*COUNTRIES, strict=True))

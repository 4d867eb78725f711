"""The keys of the invented organization: ordinary ones, and one of every kind that a page must survive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orgadmin.sandbox.dice import Dice, hex_digest
from orgadmin.sandbox.habits import daily_dollars, profile
from orgadmin.sandbox.ledger import Ledger
from orgadmin.sandbox.moments import RESETS, days, midnight_before, seconds_of
from orgadmin.sandbox.money import NANO
from orgadmin.sandbox.seed.words import NOTABLE, SERVICES, STAGES, TOOLS
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.keys import KeyRow, hash_of, label_of
from orgadmin.sandbox.usage import GRAIN

_WINDOW_DAYS = {"daily": 1.0, "weekly": 5.6, "monthly": 24.0}
_ROUND = (0.5, 1, 2, 5, 10, 15, 20, 25, 50, 75, 100, 150, 200, 250, 500, 750, 1000, 2500, 5000, 10_000)
_FORGETTING = datetime(2026, 1, 1, tzinfo=UTC)
"""Uses before it have no known moment."""


def inference_key(seed: int) -> str:
    """The secret of the first seeded key: live, without limit, in the default workspace."""
    return key_secret(seed, 0)


def key_secret(seed: int, number: int) -> str:
    return "sk-or-v1-" + hex_digest("key", seed, number)


class KeyMaker:
    """Makes key number so-and-so of an account. Low numbers are older."""

    def __init__(self, account: Account, seed: int, start: datetime, today: datetime, count: int) -> None:
        self.account = account
        self.seed = seed
        self.start = start
        self.today = today
        self.count = count
        self.workspace_ids = [row.id for row in account.workspaces][::-1]
        self.member_ids = [row.id for row in account.members]
        self.former_id = "user_" + hex_digest("former", seed)[:27]

    def key(self, number: int) -> KeyRow:
        dice = Dice("key", self.seed, number)
        secret = key_secret(self.seed, number)
        key_hash = hash_of(secret)
        daily = 9.0 if number == 0 else daily_dollars(dice)
        own = dice.pick((16, 40, 64)) if dice.happens(0.12) and number else 0
        row = KeyRow(
            hash=key_hash,
            label=label_of(secret),
            serial=number,
            long=dice.happens(0.5),
            worn=dice.happens(0.5),
            name=_name(number, dice),
            workspace_id=self._workspace(number, dice),
            created_at=self._created(number, dice),
            ledger=Ledger(self.seed, profile(dice, daily=daily, salt=key_hash, own=own)),
            creator_user_id=self._creator(dice),
            include_byok_in_limit=dice.happens(0.5) if own else dice.happens(0.1),
        )
        self._settings(row, number, dice, daily)
        return row

    def _settings(self, row: KeyRow, number: int, dice: Dice, daily: float) -> None:
        """Gives the row its limit, expiry, switch and history. The first of them cover every kind once."""
        if number == 0:
            row.settle(seconds_of(row.created_at))
            return
        kind = _KINDS[number - 1] if number <= len(_KINDS) else _drawn_kind(dice)
        if dice.happens(0.45) or kind in (_over_limit, _near_limit):
            row.limit_reset = dice.pick((*RESETS, "monthly", None))
            span = _WINDOW_DAYS.get(row.limit_reset or "", 60.0)
            row.limit = _rounded(daily * span * dice.between(0.9, 5.0))
        if dice.happens(0.4):
            row.updated_at = min(row.created_at + days(dice.between(0, 30)), self.today)
        kind(self, row, dice, daily)

    def _workspace(self, number: int, dice: Dice) -> str:
        ids = self.workspace_ids
        if number == 0 or len(ids) == 1:
            return ids[0]
        weights = [30.0, 26.0, 16.0, 12.0, 8.0, 5.0][: len(ids)] + [3.0] * max(0, len(ids) - 6)
        return dice.weighted(ids, weights)

    def _created(self, number: int, dice: Dice) -> datetime:
        # Spread evenly over the history, each within its own slot: order by number is order by age.
        reach = (self.today - self.start) * 0.98
        slot = reach / max(1, self.count)
        moment = self.start + slot * (number + dice.unit() * 0.9)
        return moment.replace(microsecond=moment.microsecond or 1)

    def _creator(self, dice: Dice) -> str | None:
        if not self.member_ids or dice.happens(0.14):
            return None
        if dice.happens(0.05):
            return self.former_id
        # A few people make most of the keys.
        return self.member_ids[int(dice.unit() ** 1.8 * len(self.member_ids))]

    def live(self, row: KeyRow) -> None:
        row.settle(seconds_of(row.created_at))

    def ordinary(self, row: KeyRow, dice: Dice, daily: float) -> None:
        self.live(row)

    def disabled(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """Used for a while, then switched off."""
        self.live(row)
        row.disabled = True
        row.updated_at = self._between(row, dice)
        row.settle(seconds_of(row.updated_at))

    def expired(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.expires_at = self._between(row, dice).replace(microsecond=0)
        self.live(row)

    def expiring(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.expires_at = self.today + days(1 + dice.below(12)) + timedelta(hours=dice.below(24))
        self.live(row)

    def expiring_later(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.expires_at = self.today + days(60 + dice.below(400))
        self.live(row)

    def never_used(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.idle = True

    def idle(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """Used at first, then forgotten, for at least half of its life."""
        self.live(row)
        age = self.today - row.created_at
        row.idle = True
        row.ledger.close(seconds_of(row.created_at + age * dice.between(0.1, 0.5)))

    def forgotten(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """Last used before 2026, so its uses count but the moment of the last one is not known."""
        if self.today > _FORGETTING + days(60):
            row.created_at = _FORGETTING - days(100)
            row.settle(seconds_of(row.created_at))
            row.idle = True
            row.ledger.close(seconds_of(_FORGETTING - days(20)))
        else:
            self.idle(row, dice, daily)

    def over_limit(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """A lifetime cap that was reached early; what remains is zero or a little less."""
        row.limit, row.limit_reset = _rounded(daily * 3), None
        self.live(row)

    def near_limit(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.limit_reset = "daily"
        row.limit = _rounded(daily * 1.3)
        self.live(row)

    def lowered(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """The cap was lowered under what had been used already."""
        self.live(row)
        row.limit, row.limit_reset, row.updated_at = 0.25, None, self._between(row, dice)
        row.settle(seconds_of(row.updated_at))

    def byok(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.ledger = Ledger(self.seed, profile(dice, daily=daily + 2, salt=row.hash, own=GRAIN // 2))
        row.limit, row.limit_reset, row.include_byok_in_limit = _rounded(daily * 40 + 50), "monthly", True
        self.live(row)

    def ownerless(self, row: KeyRow, dice: Dice, daily: float) -> None:
        row.creator_user_id = None
        self.live(row)

    def orphaned(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """Its creator has left the organization."""
        row.creator_user_id = self.former_id
        self.live(row)

    def unlimited(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """No cap, and one night a loop that nobody stopped."""
        row.limit = row.limit_reset = None
        age = max(self.today - row.created_at, timedelta())
        night = midnight_before(self.today - min(days(17), age / 2)) + timedelta(hours=1)
        extra = min(600.0, max(120.0, daily * 60))
        row.ledger.profile = replace(
            row.ledger.profile, surge=round(extra * NANO / GRAIN), surge_at=seconds_of(night)
        )
        self.live(row)

    def free(self, row: KeyRow, dice: Dice, daily: float) -> None:
        """Uses free models only: requests and tokens, and no counter that moves."""
        row.ledger.profile = replace(row.ledger.profile, free=True, own=0)
        row.limit = row.limit_reset = None
        self.live(row)

    def _between(self, row: KeyRow, dice: Dice) -> datetime:
        """Some moment of the key's life so far."""
        return row.created_at + (self.today - row.created_at) * dice.between(0.3, 0.97)


Kind = Callable[[KeyMaker, KeyRow, Dice, float], None]
_over_limit: Kind = KeyMaker.over_limit
_near_limit: Kind = KeyMaker.near_limit

_KINDS: tuple[Kind, ...] = (
    KeyMaker.disabled, KeyMaker.expiring, KeyMaker.expired, KeyMaker.over_limit, KeyMaker.near_limit,
    KeyMaker.lowered, KeyMaker.byok, KeyMaker.never_used, KeyMaker.idle, KeyMaker.ownerless,
    KeyMaker.orphaned, KeyMaker.unlimited, KeyMaker.expiring_later, KeyMaker.forgotten,
    KeyMaker.free,
)  # fmt: skip
_RARER: tuple[tuple[Kind, float], ...] = (
    (KeyMaker.disabled, 7), (KeyMaker.expired, 4), (KeyMaker.expiring, 4), (KeyMaker.expiring_later, 8),
    (KeyMaker.never_used, 5), (KeyMaker.idle, 9), (KeyMaker.over_limit, 2), (KeyMaker.near_limit, 4),
    (KeyMaker.lowered, 1), (KeyMaker.byok, 3), (KeyMaker.ordinary, 53),
)  # fmt: skip


def _drawn_kind(dice: Dice) -> Kind:
    return dice.weighted([kind for kind, _ in _RARER], [weight for _, weight in _RARER])


def _rounded(amount: float) -> float | int:
    """The kind of limit people type: the next round amount up."""
    return next((piece for piece in _ROUND if piece >= amount), 25_000)


def _name(number: int, dice: Dice) -> str:
    if 0 < number <= len(NOTABLE):
        return NOTABLE[number - 1]
    service = dice.pick(SERVICES)
    form = dice.below(10)
    if number == 0 or form < 5:
        return f"{service}-{dice.pick(STAGES[:6])}"
    if form < 7:
        return f"{service.replace('-', ' ').title()} ({dice.pick(STAGES)})"
    if form < 9:
        return f"{dice.pick(TOOLS)} {dice.below(90) + 10}"
    return service

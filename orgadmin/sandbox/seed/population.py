"""Makes an account out of its options: the same one for the same seed and the same day."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orgadmin.sandbox.dice import Dice, hex_digest, uuid_text
from orgadmin.sandbox.habits import profile
from orgadmin.sandbox.ledger import Ledger
from orgadmin.sandbox.market.more import shelf
from orgadmin.sandbox.mix import lanes
from orgadmin.sandbox.moments import days, midnight_before, seconds_of, window_start
from orgadmin.sandbox.money import NANO
from orgadmin.sandbox.seed.credentials import add_credentials
from orgadmin.sandbox.seed.destinations import add_destinations
from orgadmin.sandbox.seed.guardrails import add_guardrails
from orgadmin.sandbox.seed.keys import KeyMaker, inference_key
from orgadmin.sandbox.seed.presets import add_presets
from orgadmin.sandbox.seed.words import DOMAIN, NAMELESS, PEOPLE, WORKSPACES
from orgadmin.sandbox.seed.workspaces import add_budgets, add_memberships
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.budgets import ENTERPRISE, Budgets
from orgadmin.sandbox.state.desk import Desk
from orgadmin.sandbox.state.keys import hash_of, label_of
from orgadmin.sandbox.state.members import MemberRow, Members
from orgadmin.sandbox.state.rooms import RoomRow, Rooms
from orgadmin.sandbox.state.shelf import Shelf
from orgadmin.sandbox.state.workspaces import WorkspaceRow

CHATTERS = 5
"""How many members use the chat room."""

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Options:
    """What the account is made of. `days` is how far its history reaches back; `state` is a file that
    keeps every change; `personal` makes an account that is not an organization. `guardrails` does not count
    the default one that some workspace has configured; 0 makes none and assigns none.
    `credentials` are provider keys that the account brought.

    `analytics_per_minute` is how many calls of `/analytics/*` are answered in a minute, None for any
    number; `analytics_kept_for` is for how many seconds an answer is given again to the same query, 0 for
    never. `budgets` is what the plan has of workspace budgets (one of `state.budgets.PLANS`);
    `default_deletable` says that the default workspace may be deleted, `models` how large the catalog is at
    least, `presets` that there are some, `presets_for_managers` what status a management key gets that asks
    for presets (200: it may). These do not make it another account.
    """

    seed: int = 7
    keys: int = 120
    members: int = 25
    workspaces: int = 6
    days: int = 90
    guardrails: int = 12
    credentials: int = 9
    state: Path | None = None
    personal: bool = False
    analytics_per_minute: int | None = 64
    analytics_kept_for: int = 60
    budgets: str = ENTERPRISE
    default_deletable: bool = False
    models: int = 180
    presets: bool = True
    presets_for_managers: int = 403


def management_key(seed: int) -> str:
    """The account's management key. It is worth nothing outside the twin."""
    return "sk-or-v1-" + hex_digest("management", seed)


def user_id(seed: int, number: int) -> str:
    dice = Dice("user", seed, number)
    return "user_" + "".join(dice.pick(_LETTERS) for _ in range(27))


def populate(options: Options, born: datetime) -> Account:
    """A fresh account as it stood at `born`."""
    start = midnight_before(born) - days(options.days)
    secret = management_key(options.seed)
    account = Account(
        seed=options.seed,
        born=born,
        organization_id=None if options.personal else "org_" + hex_digest("org", options.seed)[:27],
        management_hash=hash_of(secret),
        management_label=label_of(secret),
        members=_members(options),
        rooms=Rooms([]),
        top_up=500,
        budgets=Budgets(plan=options.budgets),
        default_deletable=options.default_deletable,
        presets_for_managers=options.presets_for_managers,
        analytics=Desk(per_minute=options.analytics_per_minute, kept_for=options.analytics_kept_for),
    )
    _add_workspaces(account, options, start)
    account.rooms.rows = [_room(account, who, start) for who in _chatters(account)]
    maker = KeyMaker(account, options.seed, start, midnight_before(born), options.keys)
    for number in range(options.keys):
        account.keys.add(maker.key(number))
    account.top_up = _top_up(account, born)
    add_memberships(account, born)
    add_budgets(account, options.days, born)
    account.shelf = _shelf(account, options, born)
    add_guardrails(account, options.guardrails, start)
    add_credentials(account, options.credentials, start)
    add_destinations(account)
    if options.presets:
        add_presets(account, start, born)
    return account


def _shelf(account: Account, options: Options, born: datetime) -> Shelf:
    """The catalog, without the model that the first key likes least of those it uses."""
    first = account.keys.find(hash_of(inference_key(options.seed)))
    vanished = None
    if first is not None:
        week = window_start("weekly", seconds_of(born))
        paid = (lane for lane in lanes(account.seed, first.ledger.profile, week) if lane.parts)
        vanished = min(paid, key=lambda lane: lane.parts).model.id
    return Shelf(shelf(options.models, options.seed, born, vanished=vanished), vanished=vanished)


def _chatters(account: Account) -> list[str | None]:
    """Who uses the chat room: some members, and nobody in particular."""
    members = [member.id for member in account.members]
    return [*Dice("chatters", account.seed).shuffled(members)[:CHATTERS], None]


def _room(account: Account, user_id: str | None, start: datetime) -> RoomRow:
    name = user_id or "nobody"
    dice = Dice("chat room", account.seed, name)
    daily = dice.between(0.2, 1.2) if user_id else 0.9
    ledger = Ledger(account.seed, profile(dice, daily=daily, salt=f"chat room {name}"))
    ledger.open(seconds_of(start), stop=None, limit=None, reset=None, byok=False)
    return RoomRow(user_id, account.workspaces.default_id or "", ledger)


def _top_up(account: Account, born: datetime) -> int:
    """A round amount of at least a sixth of what was spent so far: credit was bought a handful of times."""
    spent = account.total_usage(born) // NANO
    pieces = (digit * pow(10, zeros) for zeros in range(1, 12) for digit in (1, 2, 5))
    return int(next(piece for piece in pieces if piece * 6 >= spent))


def _members(options: Options) -> Members:
    members = Members(personal=options.personal)
    if options.personal:
        return members
    for number in range(options.members):
        members.add(_member(options.seed, number))
    return members


def _member(seed: int, number: int) -> MemberRow:
    first, last = PEOPLE[number % len(PEOPLE)]
    if number in (21, 22):
        first, last = NAMELESS[number - 21]  # type: ignore[assignment]
    lap = number // len(PEOPLE)
    mailbox = f"{_plain(first or 'member')}.{_plain(last or str(number))}{lap or ''}"
    role = "org:admin" if number < 3 else "org:member"
    return MemberRow(user_id(seed, number), f"{mailbox}@{DOMAIN}", first, last, role)


def _plain(text: str) -> str:
    """ASCII lower case, as mailboxes are usually named."""
    table = str.maketrans("ßıøæłę", "siolae")
    folded = unicodedata.normalize("NFKD", text.lower().translate(table))
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())


def _add_workspaces(account: Account, options: Options, start: datetime) -> None:
    admins = [member.id for member in account.members if member.role == "org:admin"]
    for number in range(max(1, options.workspaces)):
        name, slug, description = _workspace_words(number)
        dice = Dice("workspace", options.seed, number)
        row = WorkspaceRow(
            id=uuid_text("workspace", options.seed, number),
            name=name,
            slug=slug,
            description=description,
            long=number % 2 == 1,
            created_at=start + days(number * 0.9) + days(dice.unit() * 0.8),
            created_by=dice.pick(admins) if admins and number else None,
            default_text_model="openai/gpt-5-mini" if number == 2 else None,
            default_provider_sort=dice.pick((None, None, "price", "throughput", "latency")),
            is_observability_broadcast_enabled=number in (1, 3),
        )
        account.workspaces.add(row)
        if number == 0:
            account.workspaces.default_id = row.id


def _workspace_words(number: int) -> tuple[str, str, str | None]:
    if number < len(WORKSPACES):
        return WORKSPACES[number]
    return (f"Project {number}", f"project-{number}", None)

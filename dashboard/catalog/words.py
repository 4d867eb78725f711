"""Prices and changes of the catalog in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.formats import UNKNOWN, day, exact_money, number, share
from orgadmin.catalog.models import CatalogChange
from orgadmin.catalog.prices import DISCOUNT, OVERRIDES, VARIES

# So much of a description is shown, in characters.
LONGEST = 2_000
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,500}\)")
MILLION = Decimal(1_000_000)
# What each price is paid for, and of how many. Of tokens people speak by the million.
PRICES: Mapping[str, tuple[str, Decimal, str]] = {
    "prompt": ("Prompt", MILLION, "per million tokens"),
    "completion": ("Completion", MILLION, "per million tokens"),
    "internal_reasoning": ("Reasoning", MILLION, "per million tokens"),
    "input_cache_read": ("Cached prompt, read", MILLION, "per million tokens"),
    "input_cache_write": ("Cached prompt, written", MILLION, "per million tokens"),
    "input_cache_write_1h": ("Cached prompt, written for an hour", MILLION, "per million tokens"),
    "request": ("Request", Decimal(1), "each"),
    "image": ("Image in the prompt", Decimal(1), "each"),
    "image_token": ("Image tokens", MILLION, "per million"),
    "image_output": ("Image tokens out", MILLION, "per million"),
    "audio": ("Audio tokens in the prompt", MILLION, "per million"),
    "audio_output": ("Audio tokens out", MILLION, "per million"),
    "input_audio_cache": ("Cached audio tokens", MILLION, "per million"),
    "web_search": ("Web search", Decimal(1), "each"),
}


def per_million(price: Decimal | None) -> Decimal | None:
    """US dollars a million tokens."""
    return None if price is None else price * MILLION


def price_text(name: str, text: str) -> str:
    """A price as text of the row in words: "$1.25 per million tokens", "free", "varies"; "—" for none."""
    if not text:
        return UNKNOWN
    if text == VARIES:
        return "varies"
    if name == OVERRIDES:
        return "; ".join(override_texts(_parsed(text)))
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return text
    if name == DISCOUNT:
        return f"{share(amount, 1)} off"
    if not amount:
        return "free"
    _, times, unit = PRICES.get(name, (name, Decimal(1), ""))
    return f"{exact_money(amount * times)} {unit}".strip()


def price_rows(prices: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every price of a model: what is paid for, and how much; conditions last."""
    order = [*PRICES, *sorted(prices.keys() - PRICES.keys() - {OVERRIDES})]
    rows = [
        (price_name(name), price_text(name, str(prices[name])))
        for name in order
        if name in prices and (prices[name] != "0" or name in ("prompt", "completion"))
    ]
    return rows + [("Otherwise", text) for text in override_texts(prices.get(OVERRIDES, []))]


def paragraphs(markdown: str) -> list[str]:
    """What OpenRouter says of a model, without the marks of its markup, cut where it goes on and on."""
    text = _LINK.sub(r"\1", markdown[:LONGEST]).replace("**", "").replace("`", "")
    found = [" ".join(line.lstrip("#> ").split()) for line in text.splitlines()]
    shown = [line for line in found if line]
    if len(markdown) > LONGEST and shown:
        shown[-1] = f"{shown[-1].rpartition(' ')[0]} …"
    return shown


def price_name(name: str) -> str:
    if name == OVERRIDES:
        return "Conditional prices"
    return PRICES[name][0] if name in PRICES else name.replace("_", " ").capitalize()


def override_texts(overrides: Sequence[Mapping[str, Any]]) -> list[str]:
    """Prices under conditions, one sentence for each set of them."""
    found = []
    for one in overrides:
        conditions = []
        if "min_prompt_tokens" in one:
            conditions.append(f"above {number(Decimal(one['min_prompt_tokens']))} prompt tokens")
        if "utc_start" in one and "utc_end" in one:
            conditions.append(f"from {_clock(one['utc_start'])} to {_clock(one['utc_end'])} UTC")
        if one.get("utc_days"):
            conditions.append("on " + ", ".join(map(str, one["utc_days"])))
        prices = [f"{PRICES[name][0]} {price_text(name, str(one[name]))}" for name in PRICES if name in one]
        found.append(f"{' '.join(conditions) or 'sometimes'}: {', '.join(prices)}")
    return found


def _clock(text: str) -> str:
    digits = str(text).partition(".")[0].rjust(4, "0")
    return f"{digits[:-2]}:{digits[-2:]}"


def _parsed(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return found if isinstance(found, list) else []


@dataclass(frozen=True)
class Happening:
    """One line of a model's history; ``where`` is the tag of the endpoint it is about, "" for the model.
    ``before`` and ``after`` are empty where there is nothing to lay side by side; ``kind`` colours it."""

    at: datetime
    where: str
    what: str
    before: str = ""
    after: str = ""
    kind: str = "neutral"


def happening(change: CatalogChange) -> Happening:
    what = CatalogChange.What
    if change.what == what.APPEARED:
        return Happening(change.at, change.tag, "Offered", kind="ok")
    if change.what == what.VANISHED:
        return Happening(change.at, change.tag, "No longer offered", kind="danger")
    if change.what == what.EXPIRY:
        before, after = (
            day(date.fromisoformat(text)) if text else "no end" for text in (change.before, change.after)
        )
        return Happening(change.at, change.tag, "End", before, after, "attention")
    before, after = (price_text(change.field, text) for text in (change.before, change.after))
    return Happening(
        change.at, change.tag, f"Price: {price_name(change.field)}", before, after, _direction(change)
    )


def _direction(change: CatalogChange) -> str:
    try:
        before, after = Decimal(change.before), Decimal(change.after)
    except InvalidOperation:
        return "neutral"
    rises = after < before if change.field == DISCOUNT else after > before
    return "attention" if rises else "ok"

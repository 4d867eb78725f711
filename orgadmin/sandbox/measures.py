"""What can be counted of use: whole numbers that add up over time, lanes and sources.

A measure is a running total over the grains of a lane since Monday. Amounts are nano-dollars.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orgadmin.sandbox.ledger import Gift
from orgadmin.sandbox.mix import Lane
from orgadmin.sandbox.traffic import NOTHING, Counts

Measure = Callable[[Lane, int, Counts], int]
"""Takes a lane, its grains since Monday and the counts that these make."""


def _billed(lane: Lane, grains: int) -> int:
    """Everything that requests of a lane cost, wherever it is paid."""
    return lane.parts * grains


def _extra(hundredths: int, lane: Lane, grains: int) -> int:
    return _billed(lane, grains) * hundredths // 100


MEASURES: Mapping[str, Measure] = {
    "requests": lambda lane, grains, counts: counts[0],
    "prompt": lambda lane, grains, counts: counts[1],
    "completion": lambda lane, grains, counts: counts[2],
    "reasoning": lambda lane, grains, counts: counts[3],
    "cached": lambda lane, grains, counts: counts[4],
    "credits": lambda lane, grains, counts: (lane.fee if lane.byok else lane.parts) * grains,
    "inference": lambda lane, grains, counts: 0 if lane.byok else lane.parts * grains,
    "byok": lambda lane, grains, counts: lane.parts * grains if lane.byok else 0,
    "fees": lambda lane, grains, counts: lane.fee * grains,
    "upstream": lambda lane, grains, counts: _billed(lane, grains),
    "byok_requests": lambda lane, grains, counts: counts[0] if lane.byok else 0,
    "guarded": lambda lane, grains, counts: counts[0] * lane.traffic.guarded // 1000,
    "echoed": lambda lane, grains, counts: counts[0] * lane.traffic.echoed // 1000,
    "saving": lambda lane, grains, counts: counts[4] * lane.traffic.saving,
    "data": lambda lane, grains, counts: -_extra(lane.traffic.data, lane, grains),
    "web": lambda lane, grains, counts: _extra(lane.traffic.web, lane, grains),
    "file": lambda lane, grains, counts: _extra(lane.traffic.file, lane, grains),
    "fetch": lambda lane, grains, counts: _extra(lane.traffic.fetch, lane, grains),
}


def measures_of_gift(gift: Gift, lane: Lane) -> dict[str, int]:
    """The same for an amount that was booked at once; what is not named is 0."""
    amounts = gift.amounts
    if gift.requests is None:
        counts = lane.traffic.counts_for(amounts.usage + amounts.byok)
    else:
        counts = NOTHING._replace(
            requests=gift.requests, prompt=gift.prompt_tokens, completion=gift.completion_tokens
        )
    return {
        **counts._asdict(),
        "credits": amounts.usage,
        "inference": amounts.usage,
        "byok": amounts.byok,
        "upstream": amounts.usage + amounts.byok,
        "byok_requests": counts.requests if amounts.byok and not amounts.usage else 0,
    }


FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "error")
_SHARES = (0, 60, 90, 4, 6)
"""Thousandths of what is left that each reason but `stop` takes; `stop` keeps the rest."""


def part_of(total: int, reason: str) -> int:
    """The part of a running total that ended for this reason. The parts add up to the total.

    Each reason takes its share of what the ones before it left, so no part ever runs backwards.
    """
    for name, share in zip(FINISH_REASONS[1:], _SHARES[1:], strict=True):
        taken = total * share // 1000
        if name == reason:
            return taken
        total -= taken
    return total


def ending_with(measure: Measure, reason: str) -> Measure:
    """The same measure for requests that ended for one reason."""

    def part(lane: Lane, grains: int, counts: Counts) -> int:
        return part_of(measure(lane, grains, counts), reason)

    return part

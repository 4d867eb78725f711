"""Adds up use: of some sources, over a range, into groups. Every breakdown of use comes from here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from orgadmin.sandbox.buckets import WeekPart, bucket_start, week_parts
from orgadmin.sandbox.catalog import model_named
from orgadmin.sandbox.ledger import Gift, Ledger
from orgadmin.sandbox.measures import MEASURES, Measure, ending_with, measures_of_gift
from orgadmin.sandbox.mix import Lane, lanes
from orgadmin.sandbox.moments import window_start
from orgadmin.sandbox.sources import Source

Group = TypeVar("Group", bound=Hashable)

GroupOf = Callable[[Source, Lane, str | None], Group | None]
"""The group that use of a source goes to, by lane and finish reason; None leaves it out."""

Place = tuple[int, Group]
Sums = dict[Place[Group], list[int]]
"""What was measured, by bucket (its first second, or 0) and group, in the order of the measures."""


@dataclass(frozen=True)
class Range:
    """From `start` to before `end` (seconds since 1970), nothing later than `now`.

    `by_day` cuts the pieces at midnights too, for what changes from day to day.
    """

    start: int
    end: int
    now: int
    granularity: str | None = None
    by_day: bool = False

    @property
    def last(self) -> int:
        return min(self.end, self.now)

    def holds(self, gift: Gift) -> bool:
        """What was booked in this very second has been booked, although the second is not over."""
        return self.start <= gift.at < min(self.end, self.now + 1)

    def parts(self) -> list[WeekPart]:
        if self.start >= self.last:
            return []
        return week_parts(self.start, self.last, self.granularity, by_day=self.by_day)


@dataclass(frozen=True, slots=True)
class Stream(Generic[Group]):
    """One lane of a source in one week, or the part of it that ended for one reason."""

    source: Source
    lane: Lane
    reason: str | None
    group: Group


Receiver = Callable[[Stream[Group], int, int, int, list[int]], None]
"""Takes the moment and the bucket at which a piece of a stream begins, the running total of the first
measure before it, and what was measured in it."""


def tally(
    sources: Iterable[Source], span: Range, measures: Sequence[str], group_of: GroupOf[Group]
) -> Sums[Group]:
    """The sums of the measures in each bucket and group. Groups in which nothing happened are left out."""
    sums: Sums[Group] = {}

    def receive(stream: Stream[Group], start: int, bucket: int, before: int, values: list[int]) -> None:
        add_to(sums, (bucket, stream.group), values)

    walk(sources, span, measures, group_of, receive)
    return {place: values for place, values in sums.items() if any(values)}


def add_to(sums: Sums[Group], place: Place[Group], values: Sequence[int]) -> None:
    known = sums.get(place)
    if known is None:
        sums[place] = list(values)
        return
    for index, value in enumerate(values):
        known[index] += value


def walk(
    sources: Iterable[Source],
    span: Range,
    measures: Sequence[str],
    group_of: GroupOf[Group],
    receive: Receiver[Group],
    reasons: Sequence[str | None] = (None,),
) -> None:
    """Hands every piece of use to `receive`; with finish reasons, a part for each of them."""
    parts = span.parts()
    running = [(reason, _functions(measures, reason)) for reason in reasons]
    for source in sources:
        for part in parts:
            for stream, functions, levels in _streams(source, part, running, group_of):
                _follow(stream, functions, part, levels, receive)
        for gift in source.ledger.gifts:
            if span.holds(gift) and source.start <= gift.at < source.end:
                lane = lane_of_gift(source.ledger, gift)
                group = group_of(source, lane, reasons[0])
                if group is not None:
                    measured = measures_of_gift(gift, lane)
                    stream = Stream(source, lane, reasons[0], group)
                    values = [measured.get(name, 0) for name in measures]
                    receive(stream, gift.at, bucket_start(span.granularity, gift.at), 0, values)


def _functions(measures: Sequence[str], reason: str | None) -> list[Measure]:
    functions = [MEASURES[name] for name in measures]
    return functions if reason is None else [ending_with(function, reason) for function in functions]


def _streams(
    source: Source,
    part: WeekPart,
    running: Sequence[tuple[str | None, list[Measure]]],
    group_of: GroupOf[Group],
) -> Iterator[tuple[Stream[Group], list[Measure], list[int]]]:
    """The streams of a source in one week, with its grains since Monday at every edge."""
    ledger = source.ledger
    edges = [min(max(edge, source.start), source.end) for edge in part.edges]
    if ledger.grains(edges[0]) == ledger.grains(edges[-1]):
        return
    before = ledger.grains(part.monday)
    levels = [ledger.grains(edge) - before for edge in edges]
    for lane in lanes(ledger.seed, ledger.profile, part.monday):
        for reason, functions in running:
            group = group_of(source, lane, reason)
            if group is not None:
                yield Stream(source, lane, reason, group), functions, levels


def _follow(
    stream: Stream[Group],
    functions: Sequence[Measure],
    part: WeekPart,
    levels: Sequence[int],
    receive: Receiver[Group],
) -> None:
    """Running totals at each edge; what happened in a piece is the difference of two."""
    lane = stream.lane
    counts_of = lane.traffic.counts
    level = levels[0]
    counts = counts_of(level)
    totals = [function(lane, level, counts) for function in functions]
    for start, bucket, following in zip(part.edges, part.buckets, levels[1:], strict=False):
        if following == level:
            continue
        counts = counts_of(following)
        reached = [function(lane, following, counts) for function in functions]
        values = [new - old for new, old in zip(reached, totals, strict=True)]
        receive(stream, start, bucket, totals[0], values)
        level, totals = following, reached


def lane_of_gift(ledger: Ledger, gift: Gift) -> Lane:
    """The lane an amount is booked in: the named model's, or the key's favourite of that week."""
    model = model_named(gift.model) if gift.model else None
    known = lanes(ledger.seed, ledger.profile, window_start("weekly", gift.at))
    if model is not None:
        same = (lane for lane in known if lane.model.id == model.id)
        return next(same, replace(known[0], model=model, provider=(*model.providers, "openrouter")[0]))
    byok = bool(gift.amounts.byok) and not gift.amounts.usage
    return next((lane for lane in known if lane.byok == byok), known[0])

"""What one key really spent: its habits, cut by being switched off, by expiry and by its limit.

A ledger is a list of spans in time order. Within a span the settings that matter to spending do not
change; a change closes one span and opens the next. So the past never changes when a setting does, and
any question about any moment of it can be answered again.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from orgadmin.sandbox.moments import window_end, window_start
from orgadmin.sandbox.usage import Profile, raw_grains


@dataclass(frozen=True, slots=True)
class Amounts:
    """Nano-dollars: `usage` billed to credits, `byok` paid at a provider of one's own."""

    usage: int
    byok: int

    def minus(self, other: Amounts) -> Amounts:
        return Amounts(self.usage - other.usage, self.byok - other.byok)


@dataclass(frozen=True, slots=True)
class Gift:
    """An amount booked at one moment, beside the habits: spent, or given back when it is below zero.

    `requests` None lets the numbers of requests and tokens follow from the amounts; `model` is the id of
    the model it is booked under, None for the key's favourite.
    """

    at: int
    amounts: Amounts
    requests: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model: str | None = None

    @property
    def used(self) -> bool:
        """False for a refund or a correction downwards, which nobody's request made."""
        return max(self.amounts.usage, self.amounts.byok, self.requests or 0) > 0


@dataclass(slots=True)
class Span:
    """A stretch of time with the same settings. `base` is the grains spent before it, `used` those of
    them that count against the limit in the window (or the lifetime) that was running when it began."""

    start: int
    stop: int | None
    cap: int | None
    reset: str | None
    base: int
    used: int
    window_starts: list[int] = field(default_factory=list, init=False)
    window_totals: list[int] = field(default_factory=list, init=False)


@dataclass(slots=True)
class Ledger:
    """The spending of one key. Moments are seconds since 1970, counts are grains."""

    seed: int
    profile: Profile
    spans: list[Span] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    _last: tuple[int, int] | None = field(default=None, init=False)

    def open(self, start: int, *, stop: int | None, limit: int | None, reset: str | None, byok: bool) -> None:
        """From `start` on these settings hold. `limit` is nano-dollars; `byok` says that BYOK counts."""
        self.close(start)
        share = self.profile.billed + (self.profile.own if byok else 0)
        cap = None if limit is None or share == 0 else self._cap(limit, share)
        used = 0
        if cap is not None:
            opened = self.amounts(window_start(reset, start)) if reset else Amounts(0, 0)
            spent = self.standing(start).minus(opened)
            used = (spent.usage + (spent.byok if byok else 0)) // share
        self.spans.append(Span(start, stop, cap, reset, self.grains(start), used))

    def _cap(self, limit: int, share: int) -> int:
        # The request that crosses the line is still served, so a limit is overshot by part of one.
        return -(-limit // share) + self.profile.step // 3 if limit > 0 else 0

    def close(self, moment: int) -> None:
        """Nothing is spent from `moment` on, until the next `open`."""
        self.spans = [span for span in self.spans if span.start < moment]
        if self.spans and (self.spans[-1].stop is None or self.spans[-1].stop > moment):
            self.spans[-1].stop = moment
        self._last = None

    def grains(self, moment: int) -> int:
        """Grains spent by habit up to a moment."""
        for span in reversed(self.spans):
            if span.start < moment:
                return self._within(span, moment if span.stop is None else min(moment, span.stop))
        return 0

    def _within(self, span: Span, end: int) -> int:
        if span.cap is None:
            return span.base + self._raw(span.start, end)
        if span.reset is None:
            return span.base + min(self._raw(span.start, end), max(0, span.cap - span.used))
        return self._within_windows(span, span.cap, span.reset, end)

    def _within_windows(self, span: Span, cap: int, reset: str, end: int) -> int:
        starts, totals = span.window_starts, span.window_totals
        if not starts:
            starts.append(span.start)
            totals.append(span.base)
        while (following := window_end(reset, starts[-1])) <= end:
            totals.append(totals[-1] + self._capped(span, cap, len(starts) - 1, starts[-1], following))
            starts.append(following)
        at = bisect_right(starts, end) - 1
        return totals[at] + self._capped(span, cap, at, starts[at], end)

    def _capped(self, span: Span, cap: int, number: int, start: int, end: int) -> int:
        used = span.used if number == 0 else 0
        return min(self._raw(start, end), max(0, cap - used))

    def _raw(self, start: int, end: int) -> int:
        return raw_grains(self.seed, self.profile, end) - raw_grains(self.seed, self.profile, start)

    def amounts(self, moment: int) -> Amounts:
        """Everything spent before a moment, in nano-dollars."""
        return self._amounts(moment, booked_before=moment)

    def standing(self, now: int) -> Amounts:
        """Everything spent by now, with what was booked in this very second."""
        return self._amounts(now, booked_before=now + 1)

    def window(self, reset: str, now: int) -> Amounts:
        """What was spent since the current UTC day, week or month began."""
        return self.standing(now).minus(self.amounts(window_start(reset, now)))

    def _amounts(self, moment: int, *, booked_before: int) -> Amounts:
        grains = self.grains(moment)
        usage, byok = grains * self.profile.billed, grains * self.profile.own
        for gift in self.gifts:
            if gift.at < booked_before:
                usage += gift.amounts.usage
                byok += gift.amounts.byok
        return Amounts(usage, byok)

    def last_used(self, moment: int) -> int | None:
        """The moment of the latest spending before `moment`, or None when nothing was ever spent."""
        booked = max((gift.at for gift in self.gifts if gift.used and gift.at <= moment), default=None)
        total = self.grains(moment)
        if total == 0:
            return booked
        if self._last is None or self._last[0] != total:
            self._last = (total, self._first_with(total, moment))
        return max(self._last[1], booked or 0)

    def _first_with(self, total: int, moment: int) -> int:
        """The first second by which `total` grains had been spent."""
        reach = 600
        while moment - reach > self.spans[0].start and self.grains(moment - reach) == total:
            reach *= 2
        low, high = max(self.spans[0].start, moment - reach), moment
        while high - low > 1:
            middle = (low + high) // 2
            if self.grains(middle) == total:
                high = middle
            else:
                low = middle
        return high

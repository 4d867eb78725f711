"""The figures that can be asked for, each a sum or a ratio of what `measures` counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.mix import Lane
from orgadmin.sandbox.money import dollars

YEAR = 365
MONTH = 31

Value = str | float | int | None
"""What a row holds: counts as text, money and rates as numbers, null for a cost that did not occur."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `window` is the longest range in days; `needs` are the measures it is made of.

    Kinds are `count`, `money`, `component` (money that is null when there is none), `ratio` (the first
    measure by the second) and `statistic` (an average over the requests).
    """

    name: str
    label: str
    kind: str
    window: int
    needs: tuple[str, ...]
    shown_as: str

    @property
    def is_rate(self) -> bool:
        return self.kind == "ratio"

    def exact(self, measured: Mapping[str, int]) -> float | None:
        """A number to sort by; None when there is nothing to say."""
        first, *rest = (measured[name] for name in self.needs)
        if self.kind in ("ratio", "statistic"):
            return first / rest[0] if rest[0] else None
        return first + sum(rest)

    def value(self, measured: Mapping[str, int]) -> Value:
        """What a row shows."""
        first, *rest = (measured[name] for name in self.needs)
        if self.kind == "count":
            return str(first + sum(rest))
        if self.kind == "money":
            return dollars(first + sum(rest))
        if self.kind == "component":
            return dollars(first + sum(rest)) if first or any(rest) else None
        if not rest[0]:
            return None
        return first / rest[0] if self.kind == "ratio" else round(first / rest[0] / _THOUSANDTHS, 2)


_THOUSANDTHS = 1_000_000
"""A statistic is a product of two factors that are counted in thousandths."""

STATISTICS = {
    "avg_latency": 1_000, "p50_latency": 820, "p90_latency": 1_900, "p99_latency": 4_200,
    "avg_throughput": 1_000, "p50_throughput": 1_020, "p90_throughput": 1_480, "p99_throughput": 1_900,
}  # fmt: skip
"""Thousandths of what is usual for a lane."""


def statistic(name: str, seed: int, lane: Lane, day: int) -> int:
    """Milliseconds or tokens a second that a request of a lane took on a day, in millionths."""
    slowness = _slowness(seed, lane.provider, day)
    if name.endswith("latency"):
        return lane.traffic.latency * STATISTICS[name] * slowness
    return lane.traffic.throughput * STATISTICS[name] * (2_000 - slowness)


@lru_cache(maxsize=20_000)
def _slowness(seed: int, provider: str, day: int) -> int:
    """Thousandths: how slow a provider was on a day. A bad day is one in thirty."""
    dice = Dice("slowness", seed, provider, day)
    return int(1_000 * dice.between(0.92, 1.08) * (1.6 if dice.happens(0.033) else 1.0))


def _count(name: str, label: str, *needs: str, window: int = YEAR) -> Metric:
    return Metric(name, label, "count", window, needs, "number")


def _money(name: str, label: str, *needs: str, window: int = YEAR, kind: str = "money") -> Metric:
    return Metric(name, label, kind, window, needs, "currency")


def _component(name: str, label: str, measure: str, window: int = YEAR) -> Metric:
    return _money(name, label, measure, window=window, kind="component")


def _ratio(name: str, label: str, part: str, whole: str, window: int = MONTH) -> Metric:
    return Metric(name, label, "ratio", window, (part, whole), "percent")


def _statistic(name: str) -> Metric:
    which, what = name.split("_")
    label = f"{'Average' if which == 'avg' else which.upper()} {what}"
    return Metric(name, label, "statistic", MONTH, (name, "requests"), what)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        _count("request_count", "Requests", "requests"),
        _count("tokens_total", "Tokens", "prompt", "completion"),
        _count("tokens_prompt", "Prompt tokens", "prompt"),
        _count("tokens_completion", "Completion tokens", "completion"),
        _count("reasoning_tokens", "Reasoning tokens", "reasoning"),
        _count("cached_tokens", "Cached tokens", "cached"),
        _count("byok_request_count", "BYOK requests", "byok_requests"),
        _count("guardrail_invoked_count", "Guardrail interventions", "guarded", window=MONTH),
        _count("response_cached_count", "Cached responses", "echoed", window=MONTH),
        _money("total_usage", "Total spend", "credits", "byok"),
        _money("credits_usage", "Credits spent", "credits"),
        _money("byok_usage", "BYOK spend", "byok"),
        _money("openrouter_usage", "Inference on credits", "inference", window=MONTH),
        _component("byok_fees", "BYOK fees", "fees", MONTH),
        _money("usage_upstream", "Provider cost", "upstream"),
        _component("usage_cache", "Effect of caching", "saving"),
        _component("usage_data", "Data logging discount", "data"),
        _component("usage_web", "Web search", "web"),
        _component("usage_upstream_web", "Web search at the provider", "web"),
        _component("usage_file", "File parsing", "file", MONTH),
        _component("usage_upstream_file", "File parsing at the provider", "file", MONTH),
        _component("usage_web_fetch", "Web fetch", "fetch", MONTH),
        _component("usage_upstream_web_fetch", "Web fetch at the provider", "fetch", MONTH),
        *(_statistic(name) for name in STATISTICS),
        _ratio("cache_hit_rate", "Cache hit rate", "cached", "prompt", YEAR),
        _ratio("guardrail_invoked_rate", "Guardrail rate", "guarded", "requests"),
        _ratio("response_cached_rate", "Response cache rate", "echoed", "requests"),
    )
}

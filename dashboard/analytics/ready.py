"""Questions to start from, each only where /analytics/meta offers all of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dashboard.analytics.question import Question
from orgadmin.openrouter.analytics import Meta


@dataclass(frozen=True)
class Ready:
    """A question and what it is called."""

    name: str
    question: Question


READY = (
    Ready("Spend trend", Question(metrics=("total_usage", "request_count"), range="31d")),
    Ready(
        "Top models by spend",
        Question(
            metrics=("total_usage", "tokens_total", "cache_hit_rate", "request_count"),
            dimensions=("model",),
            granularity="",
            range="31d",
            order="total_usage",
        ),
    ),
    Ready("p90 latency by provider", Question(metrics=("p90_latency",), dimensions=("provider",))),
    Ready(
        "Cache hit rate by model",
        Question(metrics=("cache_hit_rate", "cached_tokens"), dimensions=("model",), range="31d"),
    ),
    Ready(
        "Why answers ended",
        Question(metrics=("request_count",), dimensions=("finish_reason",)),
    ),
    Ready(
        "Guardrail hits",
        Question(
            metrics=("guardrail_invoked_count", "guardrail_invoked_rate"),
            dimensions=("model",),
            range="31d",
        ),
    ),
)


def ready_made(meta: Meta) -> Iterator[Ready]:
    metrics = {metric.name for metric in meta.metrics}
    dimensions = {dimension.name for dimension in meta.dimensions}
    widths = {one.name for one in meta.granularities} | {""}
    for one in READY:
        asked = one.question
        has_fields = metrics.issuperset(asked.metrics) and dimensions.issuperset(asked.dimensions)
        if has_fields and asked.granularity in widths:
            yield one

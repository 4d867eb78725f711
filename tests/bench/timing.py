"""Times that can be compared on a noisy machine: everything in turns, medians over many rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.effort import HEADER
from tests.bench.pages import Target
from tests.bench.visitor import Answer, Visitor

AS_BROWSERS = {"encoding": "gzip, br"}


@dataclass(frozen=True)
class Times:
    """Milliseconds over ``samples`` requests; ``effort``: the median of the web process's processor time."""

    median: float
    p95: float
    effort: float
    samples: int

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Times:
        ordered = sorted(answer.seconds for answer in answers)
        efforts = [float(answer.headers[HEADER.lower()]) for answer in answers]
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        return cls(
            median=round(statistics.median(ordered) * 1000, 2),
            p95=round(p95 * 1000, 2),
            effort=round(statistics.median(efforts) * 1000, 2),
            samples=len(ordered),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(visitor: Visitor, targets: Sequence[Target], *, rounds: int, repeats: int) -> dict[str, Times]:
    """Every target in every round, ``repeats`` times in a row, the order turned round each time.

    The first round warms caches and connections and is not counted.
    """
    taken: dict[str, list[Answer]] = {target.name: [] for target in targets}
    for number in range(rounds + 1):
        for target in targets if number % 2 else reversed(targets):
            found = [visitor.get(target.path, **AS_BROWSERS, **target.headers) for _ in range(repeats)]
            if number:
                taken[target.name] += [answer.without_body for answer in found]
    return {name: Times.of(answers) for name, answers in taken.items()}

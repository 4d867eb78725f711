"""A full sync against the sandbox in another process, the rate limit lifted."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.inventory.nouns import NOUNS
from orgadmin.sandbox.server import management_key
from tests.bench import serving
from tests.bench.population import connect, pull
from tests.bench.upstream import MEMBERS, WORKSPACES, options


def measure(keys: int, *, rounds: int) -> dict[str, Any]:
    """``first`` fills empty tables; ``again`` is the median of ``rounds`` pulls that find nothing new."""
    port = int(os.environ["BENCH_SANDBOX_PORT"])
    with serving.sandbox(port, keys):
        organization = connect(
            base_url=f"http://127.0.0.1:{port}/api/v1", management_key=management_key(options(keys).seed)
        )
        first = _everything(organization)
        again = [_everything(organization) for _ in range(rounds)]
    seconds = [run["seconds"] for run in again]
    return {
        "keys": keys,
        "first": first,
        "again": {
            "calls": again[0]["calls"],
            "seconds": round(statistics.median(seconds), 2),
            "longest": max(seconds),
            "rounds": rounds,
            "changed": sum(run["changed"] for run in again),
        },
        "calls_allowed": keys // 100 + 1 + WORKSPACES + -(-MEMBERS // 100),
    }


def _everything(organization: Organization) -> dict[str, Any]:
    began = time.perf_counter()
    runs = [pull(organization, kind) for kind in NOUNS]
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "calls": sum(run.calls for run in runs),
        "seen": sum(run.seen for run in runs),
        "changed": sum(run.added + run.changed + run.gone for run in runs),
    }

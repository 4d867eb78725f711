"""``make bench``: measures on SQLite and PostgreSQL, prints, writes ``var/bench.json``.

BENCH_PARTS (pages,sync,spend,rules,search), BENCH_SIZES (10000,100000), BENCH_DATABASES (sqlite,postgresql),
BENCH_ROUNDS (7), BENCH_REPEATS (3), BENCH_SYNC_KEYS (10000) and BENCH_USAGE_ROWS (1000000,5000000) make it
shorter or longer. DATABASE_URL names a PostgreSQL server other than the local one; a database of our own is
made there and dropped.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from tests.bench import databases, report
from tests.bench.serving import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
SYNC_ROUNDS = 5


def main() -> int:
    """Measure everything; the exit code says only whether it ran, not whether the aims were reached."""
    parts = _words("BENCH_PARTS", "pages,sync,spend,rules,search")
    sizes = [int(size) for size in _words("BENCH_SIZES", "10000,100000")] if "pages" in parts else []
    found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    aims: list[report.Aim] = []
    for name, database in _databases():
        found[name] = {}
        for size in sizes:
            say(f"\n{name}, {size:,} keys (milliseconds)")
            with database() as url:
                measured = stage("pages", size, url)
            found[name][str(size)] = measured
            _say_all(report.table(measured))
            aims += _titled(f"{name} {size:,}", report.page_aims(measured, size))
        if "sync" in parts:
            keys = int(os.environ.get("BENCH_SYNC_KEYS", "10000"))
            say(f"\n{name}, sync")
            with database() as url:
                measured = stage("sync", keys, url)
            found[name]["sync"] = measured
            _say_all(report.sync_lines(measured))
            aims += _titled(name, report.sync_aims(measured))
        if "spend" in parts:
            found[name]["spend"] = {}
            for rows in _words("BENCH_USAGE_ROWS", "1000000,5000000"):
                say(f"\n{name}, {int(rows):,} usage rows (milliseconds)")
                with database() as url:
                    measured = stage("spend", int(rows), url)
                found[name]["spend"][rows] = measured
                _say_all(report.spend_lines(measured))
            aims += _titled(name, report.spend_aims(found[name]["spend"]))
        if "rules" in parts:
            say(f"\n{name}, guardrails, workspaces, members and budgets (milliseconds)")
            with database() as url:
                measured = stage("rules", 10_000, url)
            found[name]["rules"] = measured
            _say_all(report.rules_lines(measured))
            aims += _titled(name, report.rules_aims(measured))
        if "search" in parts:
            say(f"\n{name}, the palette (milliseconds)")
            with database() as url:
                measured = stage("search", 20_000, url)
            found[name]["search"] = measured
            _say_all(report.pages_lines(measured))
            aims += _titled(name, report.search_aims(measured))
    found["aims"] = [vars(aim) for aim in aims]
    say("\nAims")
    _say_all(aim.line() for aim in aims)
    target = ROOT / "var" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    say(f"\nWritten to {target.relative_to(ROOT)}")
    return 0


def _databases() -> Iterator[tuple[str, Any]]:
    wanted = _words("BENCH_DATABASES", "sqlite,postgresql")
    if "sqlite" in wanted:
        yield "sqlite", databases.sqlite
    if "postgresql" in wanted:
        server = databases.postgresql_server()
        if server:

            def database() -> AbstractContextManager[str]:
                return databases.postgresql(server)

            yield "postgresql", database
        else:
            say("\npostgresql: skipped, no server answers (DATABASE_URL names another)")


def stage(kind: str, keys: int, url: str) -> dict[str, Any]:
    """One measurement in a process of its own. Raises CalledProcessError when it failed."""
    with tempfile.TemporaryDirectory(prefix="dashboard-bench-") as folder:
        done = subprocess.run(
            (sys.executable, "-m", "tests.bench.stage", kind, str(keys)),
            env=_environment(url, folder),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _environment(url: str, folder: str) -> Mapping[str, str]:
    """Production settings over plain HTTP, whatever the shell or ``.env`` say."""
    port = free_port()
    return {
        "BENCH_ROUNDS": "7",
        "BENCH_REPEATS": "3",
        "BENCH_SYNC_ROUNDS": str(SYNC_ROUNDS),
        **os.environ,
        "BENCH_PORT": str(port),
        "BENCH_SANDBOX_PORT": str(free_port()),
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        "DATA_DIR": folder,
        "DATABASE_URL": url,
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "CACHE_URL": "locmem://",
        "SECRET_KEY": "bench-only-" + "x" * 60,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS_ONLY": "0",
        "DEBUG": "0",
        "LOG_LEVEL": "ERROR",
        "ALLOW_PRIVATE_BASE_URL": "1",
        "OPENROUTER_RATE": "1000000",
    }


def machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }


def _titled(title: str, aims: Iterator[report.Aim]) -> list[report.Aim]:
    return [report.Aim(f"{title}: {aim.name}", aim.found, aim.allowed, aim.reached) for aim in aims]


def _words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def _say_all(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

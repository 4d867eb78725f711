"""``python -m dashboard.supervisor demo`` (or ``up``): what ``make demo`` and ``make up`` run."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from dashboard.env import BASE_DIR, env, read_files, whole
from dashboard.supervisor import premises
from dashboard.supervisor.child import Guard
from dashboard.supervisor.house import House, demo_env, programs, up_env
from dashboard.supervisor.journal import BoundedFile, Console, Journal
from dashboard.supervisor.keeper import Keeper
from dashboard.supervisor.programs import Program

SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")
# What a process says is read when it says it.
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
# Apart from each other by default: whoever tries the demo first and then goes on to the real thing meets no
# invented organization there.
DATA_DIRS = {"demo": BASE_DIR / "var" / "demo", "up": BASE_DIR / "var"}


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; returns the exit code: 0 stopped, 1 could not be prepared, 2 refused."""
    parser = argparse.ArgumentParser(prog="dashboard.supervisor", description=__doc__)
    parser.add_argument("kind", choices=("demo", "up"), help="with the sandbox, or with OpenRouter")
    kind = parser.parse_args(arguments).kind
    # Everything made from here on is for this user only: database, sockets, logs.
    os.umask(0o077)
    try:
        return _run(kind)
    except (premises.RefusalError, ImproperlyConfigured, EnvError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2


def _run(kind: str) -> int:
    data_dir = Path(env.str("DATA_DIR", "") or DATA_DIRS[kind]).resolve()
    premises.settle(data_dir, kind)
    lock = premises.lock(data_dir)
    premises.forget(data_dir)
    if kind == "up":
        read_files(data_dir)
    port = whole("PORT", 8000, least=1, most=65_535)
    with premises.listen(env.str("BIND", "127.0.0.1"), port, command=kind) as web:
        furnish = _demo if kind == "demo" else _up
        house = furnish(data_dir, port, web.fileno())
        return _keep(house, kind, lock)


def _demo(data_dir: Path, port: int, web: int) -> House:
    secrets = premises.stored_secrets(data_dir)
    missing = tuple(name for name in SECRETS if name not in secrets)
    if missing:
        premises.make_secrets(data_dir, missing=missing)
        secrets = premises.stored_secrets(data_dir)
    broker = premises.socket_path(data_dir)
    sandbox_port = premises.free_port(whole("SANDBOX_PORT", 8787, least=0, most=65_535))
    own = demo_env(data_dir=data_dir, port=port, sandbox_port=sandbox_port, broker=broker)
    premises.remember(data_dir, own)
    return House(
        data_dir=data_dir,
        port=port,
        web_socket=web,
        env={**os.environ, **secrets, **own, **UNBUFFERED},
        broker=broker,
        sandbox_port=sandbox_port,
    )


def _up(data_dir: Path, port: int, web: int) -> House:
    missing = tuple(name for name in SECRETS if not _given(name))
    if missing:
        premises.make_secrets(data_dir, missing=missing)
        read_files(data_dir)
    broker = None if _given("CELERY_BROKER_URL") else premises.socket_path(data_dir)
    known = up_env(port=port)
    premises.remember(data_dir, known)
    at = {"CELERY_BROKER_URL": f"redis+socket://{broker}"} if broker else {}
    return House(
        data_dir=data_dir,
        port=port,
        web_socket=web,
        env={**os.environ, **known, **at, "DATA_DIR": str(data_dir), **UNBUFFERED},
        broker=broker,
        sandbox_port=None,
    )


def _given(name: str) -> bool:
    return bool(env.str(name, "") or env.str(f"{name}_FILE", ""))


def _keep(house: House, kind: str, lock: int) -> int:
    console, logs = Console(), house.data_dir / "log"
    everything = env.bool("VERBOSE", False)

    def journal_for(program: Program) -> Journal:
        file = BoundedFile(logs / f"{program.name}.log")
        return Journal(program.name, file=file, say=console.say, noise=program.noise, everything=everything)

    console.say(f"Starting {kind}: data in {house.data_dir}, log files in {logs}. Ctrl-C stops everything.")
    guard = Guard(hold=(lock,))
    try:
        return Keeper(programs(house), journal_for=journal_for, say=console.say, guard=guard).run()
    finally:
        guard.close()


if __name__ == "__main__":
    sys.exit(main())

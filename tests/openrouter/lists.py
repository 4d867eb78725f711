"""Lists as upstream pages them, played by `responses`."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses

Row = dict[str, Any]


def sent_body() -> Any:
    """The body of the last request, its numbers as Decimals."""
    return json.loads(responses.calls[-1].request.body or "", parse_float=Decimal)


def last_query() -> dict[str, str]:
    """What the last request asked for behind its question mark."""
    return dict(parse_qsl(urlsplit(responses.calls[-1].request.url or "").query))


def serve_counted(url: str, rows: list[Row], *, most: int = 100) -> None:
    """A list with `offset`, `limit` and `total_count` that gives at most `most` rows a page."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset, limit = int(request.params["offset"]), min(int(request.params["limit"]), most)
        return 200, {}, json.dumps({"data": rows[offset : offset + limit], "total_count": len(rows)})

    responses.add_callback(responses.GET, url, callback=answer)


def serve_uncounted(url: str, rows: list[Row], *, after: Callable[[list[Row]], None] | None = None) -> None:
    """100 rows from `offset` and no total, like keys. `after` may change the rows after a page."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        text = json.dumps({"data": rows[offset : offset + 100]})
        if after:
            after(rows)
        return 200, {}, text

    responses.add_callback(responses.GET, url, callback=answer)

"""What a browser fetches to show a page for the first time: how many requests, how many bytes."""

from __future__ import annotations

import gzip
import re
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urljoin

from tests.bench.visitor import Visitor

_IN_HTML = re.compile(
    r"""<link[^>]+rel="(?:stylesheet|modulepreload|icon)"[^>]+href="(/[^"#]+)|<script[^>]+src="(/[^"#]+)"""
    r"""|<(?:img|use)[^>]+(?:src|href)="(/[^"#]+)"""
)
# Modules fetched at once; import() waits until its behaviour is used.
_IN_MODULE = re.compile(r"""(?:^|[;\s])import\s*(?:[\w{},*\s]+from\s*)?["']([^"']+)["']""")
_IN_STYLES = re.compile(r"""@import\s+(?:url\()?["']?([^"')]+)|url\(["']?(?!data:)([^"')#]+)""")


@dataclass(frozen=True)
class Weight:
    """``sent``: bytes on the wire as our server answers a browser; ``compressed``: with the page itself
    compressed too, which is left to the proxy in front."""

    requests: int
    sent: int
    compressed: int
    page: int
    page_compressed: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def first_load(visitor: Visitor, path: str) -> Weight:
    """Follow the page's own references the way a browser does."""
    page = visitor.get(path, encoding="gzip, br")
    plain = visitor.get(path).body
    waiting = [next(filter(None, found)) for found in _IN_HTML.findall(plain.decode())]
    sizes: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        if address in sizes:
            continue
        sizes[address] = len(visitor.get(address, encoding="gzip, br").body)
        waiting += _references(address, visitor)
    squeezed = min(len(page.body), len(gzip.compress(plain, 6)))
    return Weight(
        requests=1 + len(sizes),
        sent=len(page.body) + sum(sizes.values()),
        compressed=squeezed + sum(sizes.values()),
        page=len(plain),
        page_compressed=squeezed,
    )


def _references(address: str, visitor: Visitor) -> list[str]:
    if address.endswith(".js"):
        pattern = _IN_MODULE
    elif address.endswith(".css"):
        pattern = _IN_STYLES
    else:
        return []
    found = pattern.findall(visitor.get(address).body.decode())
    names = [name if isinstance(name, str) else next(filter(None, name)) for name in found]
    return [urljoin(address, name) for name in names]


def size(visitor: Visitor, path: str, **headers: str) -> dict[str, int]:
    """Bytes of one answer, as it is and compressed."""
    body = visitor.get(path, **headers).body
    return {"bytes": len(body), "compressed": len(gzip.compress(body, 6))}

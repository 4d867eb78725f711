from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_list
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of the organization. `role` is `org:admin` or `org:member` today."""

    id: str
    email: str
    first_name: str | None
    last_name: str | None
    role: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def page(client: OpenRouter, *, offset: int = 0, limit: int = LARGEST_PAGE) -> Page[Member]:
    """`GET /organization/members`, one request. NotFound means a personal account, which has no members."""
    check_window(offset, limit)
    answer = client.request("GET", "/organization/members", params={"offset": offset, "limit": limit})
    return Page(read_list(Member, answer), read_count(answer, "total_count"))


def walk(client: OpenRouter, *, limit: int = LARGEST_PAGE) -> Iterator[tuple[Member, ...]]:
    """Every member, page by page, each once."""
    return walk_counted(lambda offset: page(client, offset=offset, limit=limit), lambda row: row.id)

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgadmin.openrouter import workspaces
from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_list
from orgadmin.openrouter.transport import OpenRouter

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceMember:
    """A person in a workspace: `user_id` joins with the organization's members. `role` is `admin` or `member`
    today, which are not the organization's words. Nothing tells who was put there by an identity provider.
    """

    id: str
    workspace_id: str
    user_id: str
    role: str
    created_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedMembers:
    """What became of an addition. `added_count` counts memberships made or renewed and can be less than was
    asked for.
    """

    members: tuple[WorkspaceMember, ...]
    added_count: int


def page(
    client: OpenRouter, *, workspace_id: str, offset: int = 0, limit: int = LARGEST_PAGE
) -> Page[WorkspaceMember]:
    """`GET /workspaces/{id}/members`, one request. The default workspace answers everybody of the
    organization.

    NotFound where there is no such workspace, where the account is personal, and on servers that do not have
    this read: `everyone` tells them apart.
    """
    check_window(offset, limit)
    answer = client.request(
        "GET", path("workspaces", workspace_id, "members"), params={"offset": offset, "limit": limit}
    )
    return Page(read_list(WorkspaceMember, answer), read_count(answer, "total_count"))


def walk(
    client: OpenRouter, *, workspace_id: str, limit: int = LARGEST_PAGE
) -> Iterator[tuple[WorkspaceMember, ...]]:
    """Every member of a workspace, page by page, each once."""
    return walk_counted(
        lambda offset: page(client, workspace_id=workspace_id, offset=offset, limit=limit),
        lambda row: row.user_id,
    )


def everyone(client: OpenRouter, *, workspace_id: str) -> tuple[WorkspaceMember, ...] | None:
    """All members of a workspace, or None when upstream has the workspace but does not say who is in it.

    NotFound where there is no such workspace.
    """
    try:
        return tuple(row for rows in walk(client, workspace_id=workspace_id) for row in rows)
    except NotFound:
        workspaces.get(client, workspace_id=workspace_id)
        return None


def add(client: OpenRouter, *, workspace_id: str, user_ids: Sequence[str]) -> AddedMembers:
    """`POST /workspaces/{id}/members/add`: 1 to 100 members of the organization, who keep their role there.

    Whom upstream passes over is missing in the answer. Never repeated once bytes were sent; doing it again is
    harmless. Raises ValueError before sending for an empty list, one that is too long, or an empty id.
    """
    answer = client.request("POST", path("workspaces", workspace_id, "members", "add"), body=_body(user_ids))
    return AddedMembers(
        members=read_list(WorkspaceMember, answer, write=True),
        added_count=read_count(answer, "added_count", write=True),
    )


def remove(client: OpenRouter, *, workspace_id: str, user_ids: Sequence[str]) -> int:
    """`POST /workspaces/{id}/members/remove`: how many of 1 to 100 people were taken out, which can be less
    than was asked for. Whether upstream refuses a list whole or in part is not documented: read it again.

    InvalidRequest or Forbidden when one of them has active keys in the workspace, or was put there by the
    identity provider. Never repeated once bytes were sent. Raises ValueError as `add` does.
    """
    answer = client.request(
        "POST", path("workspaces", workspace_id, "members", "remove"), body=_body(user_ids)
    )
    return read_count(answer, "removed_count", write=True)


def _body(user_ids: Sequence[str]) -> dict[str, Any]:
    if not 1 <= len(user_ids) <= MOST_AT_ONCE or not all(user_ids):
        raise ValueError(f"1 to {MOST_AT_ONCE} people are added or removed at once, each by an id.")
    return {"user_ids": list(user_ids)}

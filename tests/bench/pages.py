"""What is measured: our pages, the admin's for the same rows, and a view that does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from orgadmin.inventory.models import Key, Workspace
from orgadmin.pages import PAGE_ROWS

MISS = "zzqx-no-such-key"


@dataclass(frozen=True)
class Target:
    """One address. ``rival`` names the admin's page with the same rows."""

    name: str
    path: str
    rival: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def targets() -> Sequence[Target]:
    """The addresses for the database as it is filled now."""
    alive = Key.objects.filter(gone_at=None)
    last = -(-alive.count() // PAGE_ROWS)
    rare = alive.order_by("id")[alive.count() // 2]
    workspace = Workspace.objects.get(slug="production")
    common, one = {"q": "translation"}, {"q": rare.hash[:12]}
    ours, admin = "/o/bench/keys/", "/admin/inventory/key/"
    chosen = {"workspace__id__exact": str(workspace.pk), "disabled__exact": "1"}

    def pair(name: str, query: dict[str, str], rival: dict[str, str]) -> list[Target]:
        return [
            Target(name, _address(ours, query), f"admin {name}"),
            Target(f"admin {name}", _address(admin, rival)),
        ]

    return [
        Target("hello", "/bench/hello/"),
        *pair("list, first page", {}, {}),
        Target("list, first page, fragment", ours, headers={"HX-Request": "true", "HX-Target": "list"}),
        *pair("list, last page", {"page": str(last)}, {"p": str(last)}),
        *pair("search, many hits", common, common),
        *pair("search, one hit", one, one),
        *pair("search, no hit", {"q": MISS}, {"q": MISS}),
        *pair("filter", {"workspace": "production", "state": "disabled"}, chosen),
        *pair("sort by owner", {"sort": "owner"}, {"o": "4"}),
        Target("detail", f"{ours}{rare.hash}/", "admin detail"),
        Target("admin detail", f"{admin}{rare.pk}/change/"),
    ]


def _address(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path

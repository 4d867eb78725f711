"""The sidebar: which pages there are, who sees them, and which one is open.

A new page adds one ``Entry`` here. An entry that needs a permission the person lacks is not shown, and a
group without entries has no heading.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True)
class Entry:
    """One page. ``needs`` are permissions of which any one is enough; ``count`` names a number of the
    organization's summary; ``key`` is pressed after ``g``; ``by_workspace`` pages take ``?workspace=``."""

    label: str
    target: str
    needs: tuple[str, ...]
    key: str = ""
    count: str = ""
    by_workspace: bool = False

    @property
    def namespace(self) -> str:
        return self.target.partition(":")[0]


GROUPS: Sequence[tuple[str, Sequence[Entry]]] = (
    (
        "",
        (
            Entry("Overview", "overview:show", ("read",), "o"),
            Entry("Spend", "spend:show", ("read", "own_keys"), "d", by_workspace=True),
            Entry("Credits", "credits:show", ("read",), "c"),
            Entry("Analytics", "analytics:show", ("read",), "y"),
        ),
    ),
    (
        "Control",
        (
            Entry("Keys", "keys:list", ("read", "own_keys"), "k", "keys", by_workspace=True),
            Entry("Guardrails", "guardrails:list", ("read",), "r", "guardrails"),
            Entry("Budgets", "budgets:list", ("read",), "b"),
            Entry("Workspaces", "workspaces:list", ("read",), "w", "workspaces"),
            Entry("Members", "members:list", ("read",), "m", "members"),
            Entry("BYOK", "byok:list", ("read",), "i", "credentials"),
            Entry("Observability", "observability:list", ("read",), "v", "destinations"),
            Entry("Presets", "presets:list", ("read",), "p", "presets", by_workspace=True),
        ),
    ),
    (
        "Watch",
        (
            Entry("Models", "catalog:list", ("read", "own_keys"), "l"),
            Entry("Audit log", "auditlog:list", ("read",), "a"),
            Entry("Sync", "syncs:list", ("read",), "s"),
        ),
    ),
    ("", (Entry("Settings", "connections:settings", ("read",), "e"),)),
)


@dataclass(frozen=True)
class Link:
    """An entry as one request sees it. ``count`` is None where there is none to show."""

    entry: Entry
    url: str
    is_open: bool
    count: int | None


@dataclass(frozen=True)
class Group:
    heading: str
    links: tuple[Link, ...]


def navigation(
    *,
    organization: str,
    may: Collection[str],
    namespace: str,
    summary: Mapping[str, object],
    workspace: str = "",
) -> tuple[Group, ...]:
    """The groups somebody with the permissions ``may`` sees, the page in ``namespace`` marked as open.

    Counts are of the whole organization, so only those who may read all of it see them, once it was synced.
    """
    counts = summary if "read" in may and summary.get("synced_at") else {}

    def link(entry: Entry) -> Link:
        url = reverse(entry.target, kwargs={"organization": organization})
        count = counts.get(entry.count)
        return Link(
            entry=entry,
            url=f"{url}?workspace={workspace}" if workspace and entry.by_workspace else url,
            is_open=entry.namespace == namespace,
            count=count if isinstance(count, int) else None,
        )

    groups = (
        Group(heading, tuple(link(entry) for entry in entries if any(need in may for need in entry.needs)))
        for heading, entries in GROUPS
    )
    return tuple(group for group in groups if group.links)

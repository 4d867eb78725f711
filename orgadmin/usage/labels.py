"""What the parts of use are called, and how an address names them: one query a dimension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.usage.models import (
    NO_KEY,
    UNKNOWN_KEY,
    Dimension,
    UsageModel,
    UsageProvider,
)


@dataclass(frozen=True)
class Label:
    """``text`` is for people, ``name`` what an address calls the part (hash, slug, permaslug ...), "" where
    it has no name. ``is_gone``: it is no longer at OpenRouter."""

    text: str
    name: str
    is_gone: bool = False
    note: str = ""


# What an address calls a part that is nobody's.
NONE = "none"
# Parts that no row of ours stands for. What the key of history is not known of is named apart.
NOBODY: Mapping[Dimension, Mapping[int, Label]] = {
    Dimension.KEY: {
        NO_KEY: Label(
            "Not from a key", NONE, note="Chat room, or a key deleted before this dashboard knew it"
        ),
        UNKNOWN_KEY: Label(
            "Unknown key", "unknown", note="From the time before this dashboard was connected"
        ),
    },
    Dimension.MEMBER: {0: Label("No member", NONE, note="Workspace keys, and keys of unknown owners")},
    Dimension.WORKSPACE: {0: Label("Unknown workspace", NONE)},
    Dimension.PROVIDER: {0: Label("Unknown provider", NONE, note="History does not tell the provider")},
    Dimension.MODEL: {0: Label("Unknown model", NONE)},
}


def labels(dimension: Dimension, parts: Iterable[int]) -> dict[int, Label]:
    """A label for every part; one that no row stands for any more is named by its number."""
    wanted = set(parts)
    nobody = NOBODY.get(dimension, {})
    found = {part: nobody[part] for part in wanted if part in nobody}
    found |= _of_rows(dimension, [part for part in wanted if part not in nobody])
    return {part: found.get(part, Label(f"#{part}", "")) for part in wanted}


def _of_rows(dimension: Dimension, parts: list[int]) -> dict[int, Label]:
    if not parts:
        return {}
    if dimension is Dimension.KEY:
        keys = Key.objects.filter(pk__in=parts).values_list("pk", "name", "hash", "gone_at")
        return {pk: Label(name, key_hash, gone is not None) for pk, name, key_hash, gone in keys}
    if dimension is Dimension.MEMBER:
        members = Member.objects.filter(pk__in=parts)
        return {member.pk: Label(str(member), member.uid, member.gone_at is not None) for member in members}
    if dimension is Dimension.WORKSPACE:
        rows = Workspace.objects.filter(pk__in=parts).values_list("pk", "name", "slug", "uid", "gone_at")
        return {
            pk: Label(name, _workspace_name(slug, uid, gone), gone is not None)
            for pk, name, slug, uid, gone in rows
        }
    if dimension is Dimension.PROVIDER:
        providers = UsageProvider.objects.filter(pk__in=parts).values_list("pk", "name")
        return {pk: Label(name, name) for pk, name in providers}
    models = UsageModel.objects.filter(pk__in=parts).values_list("pk", "slug", "permaslug")
    return {pk: Label(slug or permaslug, permaslug) for pk, slug, permaslug in models}


def _workspace_name(slug: str, uid: str, gone_at: datetime | None) -> str:
    """The slug, but where it may name another: it is given again after a deletion, and one word is ours."""
    return uid if gone_at is not None or slug == NONE else slug


def part_of(dimension: Dimension, name: str, organization_id: int) -> int | None:
    """The part that an address names; None when there is no such part in the organization."""
    for part, label in NOBODY.get(dimension, {}).items():
        if name == label.name:
            return part
    if dimension is Dimension.KEY:
        return (
            Key.objects.filter(organization=organization_id, hash=name).values_list("pk", flat=True).first()
        )
    if dimension is Dimension.MEMBER:
        return (
            Member.objects.filter(organization=organization_id, uid=name).values_list("pk", flat=True).first()
        )
    if dimension is Dimension.WORKSPACE:
        # A slug may be given again; whoever means the workspace that is gone says its id.
        rows = Workspace.objects.filter(Q(slug=name) | Q(uid=name), organization=organization_id)
        return rows.order_by(F("gone_at").asc(nulls_first=True)).values_list("pk", flat=True).first()
    if dimension is Dimension.PROVIDER:
        return UsageProvider.objects.filter(name=name).values_list("pk", flat=True).first()
    return UsageModel.objects.filter(permaslug=name).values_list("pk", flat=True).first()

"""The rotations that somebody who leaves has under way."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from orgadmin.accounts.models import User
from orgadmin.inventory.leavers import Holding
from orgadmin.inventory.models import Member
from orgadmin.keys.models import Rotation

MOST = 20


def rotations_under_way(member: Member, users: Sequence[User]) -> list[Holding]:
    """Not retired yet, of one of their keys or begun by them: one query."""
    theirs = Q(old__owner=member) | Q(new__owner=member) | Q(started_by__in=list(users))
    found = Rotation.objects.filter(
        theirs, organization=member.organization, retired_at=None, old__gone_at=None
    )
    rows = found.select_related("old", "new", "started_by").order_by("-id")[:MOST]
    return [_holding(member, row) for row in rows]


def _holding(member: Member, rotation: Rotation) -> Holding:
    slug = member.organization.slug
    address = reverse("keys:rotation", kwargs={"organization": slug, "rotation_id": rotation.pk})
    note = f"begun by {rotation.started_by}, the old key is not retired yet"
    return Holding("Rotation", f"{rotation.old} → {rotation.new}", address, note)

"""The destinations that single out a key of somebody who leaves."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from orgadmin.accounts.models import User
from orgadmin.inventory.leavers import Holding
from orgadmin.inventory.models import Key, Member
from orgadmin.observability.selectors import naming_keys
from orgadmin.observability.words import counted

MOST = 20


def destinations_of_keys(member: Member, _: Sequence[User]) -> list[Holding]:
    """Those whose allow-list names a key of theirs: two queries."""
    keys = Key.objects.filter(organization=member.organization, owner=member, gone_at=None)
    theirs = set(keys.values_list("hash", flat=True))
    found = []
    for one in naming_keys(member.organization, theirs)[:MOST]:
        named = set(one.api_key_hashes or ())
        others = len(named - theirs)
        note = f"names {counted(len(named & theirs), 'key')} of theirs, " + (
            f"and {counted(others, 'other')}" if others else "and no other: it sends nothing without them"
        )
        at = {"organization": member.organization.slug, "destination_uid": one.uid}
        address = reverse("observability:detail", kwargs=at)
        found.append(Holding("Destination", str(one), address, note))
    return found

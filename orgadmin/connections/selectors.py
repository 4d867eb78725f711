"""Reading people, invitations and what a connection consists of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.http import Http404
from django.utils import timezone

from orgadmin.accounts.models import InferenceKey, Invitation, Membership, Organization, Role
from orgadmin.inventory.models import Workspace

# Owners first: who may do most stands on top.
_RANK = Case(
    *(When(role=role, then=Value(place)) for place, role in enumerate(Role.values)),
    default=Value(len(Role.values)),
    output_field=IntegerField(),
)


def people_of(*, organization: Organization) -> list[Membership]:
    """Everybody who belongs, users loaded, by role and name."""
    return list(
        Membership.objects.filter(organization=organization)
        .select_related("user")
        .order_by(_RANK, "user__first_name", "user__last_name", "user__email")
    )


def membership_of(*, organization: Organization, membership_id: int) -> Membership:
    """One person of this organization. Http404 for somebody else's."""
    found = (
        Membership.objects.select_related("user", "organization")
        .filter(organization=organization, pk=membership_id)
        .first()
    )
    if found is None:
        raise Http404("Nobody with this number belongs to this organization.")
    return found


def open_invitations(*, organization: Organization, **filters: Any) -> list[Invitation]:
    """Invitations that can still be accepted, newest first; ``filters`` are fields of Invitation."""
    return list(
        Invitation.objects.select_related("organization", "invited_by").filter(
            organization=organization,
            accepted_at=None,
            revoked_at=None,
            expires_at__gt=timezone.now(),
            **filters,
        )
    )


def invitation_of(*, organization: Organization, invitation_id: int) -> Invitation:
    """One invitation of this organization, open or not. Http404 for somebody else's."""
    found = (
        Invitation.objects.select_related("organization")
        .filter(organization=organization, pk=invitation_id)
        .first()
    )
    if found is None:
        raise Http404("This organization has no invitation with this number.")
    return found


def inference_keys_of(*, organization: Organization) -> list[InferenceKey]:
    """The keys that were lent, whoever did so loaded, secrets left in the database."""
    rows = InferenceKey.objects.filter(organization=organization)
    return list(rows.select_related("added_by").defer("secret"))


def inference_key_of(*, organization: Organization, key_id: int) -> InferenceKey:
    """One of them. Http404 for somebody else's."""
    found = (
        InferenceKey.objects.select_related("organization")
        .defer("secret", "organization__management_key")
        .filter(organization=organization, pk=key_id)
        .first()
    )
    if found is None:
        raise Http404("This organization has no inference key with this number.")
    return found


def workspace_choices(*, organization: Organization) -> Sequence[tuple[str, str]]:
    """The workspaces the last pull found, as uid and name."""
    rows = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name", "id")
    return [(row.uid, row.name) for row in rows.only("uid", "name")]

"""Who belongs to an organization, and as what."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.models import Invitation, Membership, Organization, Role, User
from orgadmin.audit.services import Target, note
from orgadmin.connections.refusals import Refused
from orgadmin.connections.selectors import open_invitations


def person_set_role(*, actor: User, membership: Membership, role: str) -> bool:
    """Give somebody another role. False: they had it already.

    Raises Refused when they are the last owner, or left in the meantime.
    """
    with transaction.atomic():
        row = _locked(membership)
        before = row.role
        if before == role:
            return False
        if before == Role.OWNER:
            _refuse_last_owner(row)
        row.role = role
        row.save(update_fields=["role"])
        note(
            actor=actor,
            organization=row.organization,
            action="person.role",
            target=person(row.user),
            before={"role": before},
            after={"role": role},
        )
        if before == Role.OWNER:
            withdraw(
                actor=actor, invitations=_given_by(row), message="Whoever invited is no longer an owner."
            )
    return True


def person_remove(*, actor: User, membership: Membership) -> None:
    """Take somebody out of the organization; their account and the audit log stay.

    Invitations they gave are withdrawn with them. Raises Refused when they are the last owner, or left in the
    meantime.
    """
    with transaction.atomic():
        row = _locked(membership)
        if row.role == Role.OWNER:
            _refuse_last_owner(row)
        withdraw(actor=actor, invitations=_given_by(row), message="Whoever invited was removed.")
        note(
            actor=actor,
            organization=row.organization,
            action="person.remove",
            target=person(row.user),
            before={"role": row.role, "email": row.user.email},
        )
        row.delete()


def person_rename(*, actor: User, name: str) -> bool:
    """Be called something else, "" for the address alone. False: that was the name already.

    Each organization of theirs keeps an entry: its log names people by what they were called at the time.
    """
    before = actor.get_full_name()
    if before == name:
        return False
    with transaction.atomic():
        for membership in actor.memberships.select_related("organization"):
            note(
                actor=actor,
                organization=membership.organization,
                action="person.rename",
                target=person(actor),
                before={"name": before},
                after={"name": name},
            )
        actor.first_name, actor.last_name = name, ""
        actor.save(update_fields=["first_name", "last_name"])
    return True


def person(user: User) -> Target:
    return Target(type="person", id=str(user.pk), name=str(user))


def withdraw(*, actor: User, invitations: list[Invitation], message: str = "") -> int:
    """Close open invitations, each with its audit entry; how many were still open."""
    done = 0
    for invitation in invitations:
        rows = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if not rows.update(revoked_at=timezone.now()):
            continue
        done += 1
        note(
            actor=actor,
            organization=invitation.organization,
            action="invitation.revoke",
            target=invitation_target(invitation),
            before={"email": invitation.email, "role": invitation.role},
            message=message,
        )
    return done


def invitation_target(invitation: Invitation) -> Target:
    return Target(type="invitation", id=str(invitation.pk), name=invitation.email or "by link")


def _locked(membership: Membership) -> Membership:
    # Everybody who changes people of one organization queues for its row: two owners who demote each other
    # in the same instant would otherwise both see an owner left.
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    row = Membership.objects.select_related("user", "organization").filter(pk=membership.pk).first()
    if row is None:
        raise Refused("This person no longer belongs to the organization.")
    return row


def _refuse_last_owner(row: Membership) -> None:
    owners = Membership.objects.filter(organization=row.organization, role=Role.OWNER, user__is_active=True)
    if not owners.exclude(pk=row.pk).exists():
        raise Refused(f"{row.user} is the last owner. Make somebody else an owner first.", field="role")


def _given_by(row: Membership) -> list[Invitation]:
    return open_invitations(organization=row.organization, invited_by=row.user)

"""Inviting people, and what an invitation does to a session."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from orgadmin.accounts.models import Invitation, Membership, Organization, User
from orgadmin.accounts.selectors import verified_emails

SESSION_KEY = "invitation"


class InvitationRefused(Exception):
    """The invitation cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Invited:
    """A new invitation and its token, which is shown or sent once and kept nowhere."""

    invitation: Invitation
    token: str


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def invite(*, actor: User, organization: Organization, email: str, role: str) -> Invited:
    """Write an invitation, open for ``INVITATION_DAYS``. ``email`` empty: for whoever holds the link."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        email=email.lower(),
        role=role,
        token_hash=token_hash(token),
        invited_by=actor,
        expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS),
    )
    return Invited(invitation=invitation, token=token)


def find_open(token: str) -> Invitation | None:
    """The open invitation of a token, or None: used, revoked, expired and unknown look the same."""
    found = (
        Invitation.objects.select_related("organization", "invited_by")
        .filter(token_hash=token_hash(token))
        .first()
    )
    return found if found is not None and found.is_open else None


def remember(request: HttpRequest, invitation: Invitation) -> None:
    """Let the visitor sign up: the session carries the invitation's number, not its token."""
    request.session[SESSION_KEY] = invitation.pk


def forget(request: HttpRequest) -> None:
    """The invitation was answered: the session lets go of it."""
    request.session.pop(SESSION_KEY, None)


def invitation_in_session(request: HttpRequest) -> Invitation | None:
    """The open invitation that brought this visitor here, if there is one."""
    number = request.session.get(SESSION_KEY)
    if number is None:
        return None
    found = Invitation.objects.select_related("organization").filter(pk=number).first()
    return found if found is not None and found.is_open else None


def accept(*, user: User, invitation: Invitation) -> Membership:
    """Make the user what the invitation says, once.

    An invitation by e-mail is for the account with that address, which it thereby proves. Raises
    InvitationRefused when it is somebody else's, was used in the meantime, or another account proved that
    address as its own.
    """
    if invitation.email and invitation.email not in {user.email.lower(), *verified_emails(user=user)}:
        raise InvitationRefused(
            f"This invitation is for {invitation.email}. Sign out and open the link again with that address."
        )
    proven = EmailAddress.objects.filter(email__iexact=invitation.email, verified=True)
    if invitation.email and proven.exclude(user=user).exists():
        raise InvitationRefused(
            f"Another account here has {invitation.email} as its verified address. Sign out and open the "
            "link again with that account, or remove the address from it first."
        )
    with transaction.atomic():
        taken = Invitation.objects.filter(
            pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).update(accepted_at=timezone.now(), accepted_by=user)
        if not taken:
            raise InvitationRefused("This invitation was already used or withdrawn. Ask for a new one.")
        if invitation.email:
            prove_email(user, invitation.email)
        membership, _ = Membership.objects.get_or_create(
            user=user, organization=invitation.organization, defaults={"role": invitation.role}
        )
    return membership


def prove_email(user: User, email: str) -> None:
    """Make the address (lower case) a verified one of this user."""
    address, _ = EmailAddress.objects.get_or_create(
        user=user, email=email, defaults={"primary": not EmailAddress.objects.filter(user=user).exists()}
    )
    if not address.verified:
        address.verified = True
        address.save(update_fields=["verified"])

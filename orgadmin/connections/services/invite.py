"""Inviting people: by an e-mail that proves its address, or by a link shown once."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from orgadmin.accounts.invitations import InvitationRefused, Invited, accept, invite
from orgadmin.accounts.models import Invitation, Membership, Organization, User
from orgadmin.accounts.selectors import verified_emails
from orgadmin.audit.services import note
from orgadmin.connections.drafts import InvitationDraft
from orgadmin.connections.mail import send_invitation
from orgadmin.connections.refusals import EMAIL, Refused
from orgadmin.connections.selectors import open_invitations
from orgadmin.connections.services.people import invitation_target, person, withdraw


def person_invite(*, actor: User, organization: Organization, draft: InvitationDraft) -> str:
    """Invite somebody and answer with the link, which is kept nowhere.

    With an e-mail address the link goes there and the answer is empty: that it arrived only there is what
    proves the address. An earlier invitation to the same address is withdrawn. Raises Refused when
    that person belongs already, or the mail could not be sent.
    """
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        if draft.email:
            _refuse_present(organization, draft.email)
            earlier = open_invitations(organization=organization, email=draft.email)
            withdraw(actor=actor, invitations=earlier, message="A newer invitation takes its place.")
        made = invite(actor=actor, organization=organization, email=draft.email, role=draft.role)
        note(
            actor=actor,
            organization=organization,
            action="person.invite",
            target=invitation_target(made.invitation),
            after={
                "email": draft.email,
                "role": draft.role,
                "by": "e-mail" if draft.email else "link",
                "expires_at": made.invitation.expires_at,
            },
        )
    link = _link(made)
    if not draft.email:
        return link
    try:
        send_invitation(made.invitation, link=link)
    except OSError as error:
        withdraw(actor=actor, invitations=[made.invitation], message="The e-mail could not be sent.")
        raise Refused(
            f"The e-mail could not be sent ({type(error).__name__}). Ask the operator to check EMAIL_URL, or "
            "invite with a link.",
            field=EMAIL,
        ) from None
    return ""


def _link(made: Invited) -> str:
    return f"{settings.PUBLIC_URL}{reverse('front:invitation', kwargs={'token': made.token})}"


def _refuse_present(organization: Organization, email: str) -> None:
    same = Q(user__email=email) | Q(
        user__emailaddress__email__iexact=email, user__emailaddress__verified=True
    )
    found = Membership.objects.select_related("user").filter(same, organization=organization).first()
    if found is not None:
        raise Refused(f"{found.user} belongs to this organization already, as {found.role}.", field=EMAIL)


def invitation_revoke(*, actor: User, invitation: Invitation) -> bool:
    """Withdraw an invitation. False: it was used or withdrawn already."""
    with transaction.atomic():
        return bool(withdraw(actor=actor, invitations=[invitation]))


def invitation_accept(*, actor: User, invitation: Invitation) -> Membership:
    """Join the organization as the invitation says.

    Other invitations to the same person are withdrawn: they could only be used after a removal, and undo it.
    Somebody who belongs already keeps their role, and the invitation stays open. Raises
    orgadmin.accounts.invitations.InvitationRefused, whose text says why and what to do.
    """
    with transaction.atomic():
        if Membership.objects.filter(user=actor, organization=invitation.organization).exists():
            raise InvitationRefused(f"You belong to {invitation.organization} already.")
        membership = accept(user=actor, invitation=invitation)
        note(
            actor=actor,
            organization=invitation.organization,
            action="person.join",
            target=person(actor),
            after={
                "role": membership.role,
                "email": actor.email,
                "invited_by": str(invitation.invited_by),
                "by": "e-mail" if invitation.email else "link",
            },
        )
        emails = {actor.email.lower(), *verified_emails(user=actor)}
        others = open_invitations(organization=invitation.organization, email__in=emails)
        withdraw(actor=actor, invitations=others, message="This person joined by another invitation.")
    return membership

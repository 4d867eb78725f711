"""The one e-mail of this slice, and whether any can be sent."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from orgadmin.accounts.models import Invitation, Role

_MAY = {
    Role.OWNER: "As an owner you will be able to do everything, the connection and the people included.",
    Role.ADMIN: "As an admin you will be able to make every change at OpenRouter.",
    Role.VIEWER: "As a viewer you will be able to read everything and change nothing.",
    Role.MEMBER: "As a member you will see and manage the API keys that are yours at OpenRouter.",
}


def sends_mail() -> bool:
    """Whether a mail server is configured, so that pages offer nothing that could not arrive."""
    return bool(settings.EMAIL_BACKEND != "dashboard.mail.NoMail")


def send_invitation(invitation: Invitation, *, link: str) -> None:
    """Send the link to the invited address. Raises OSError (SMTPException included) when that fails."""
    organization = " ".join(invitation.organization.name.split())
    inviter = " ".join(str(invitation.invited_by).split())
    days = max(1, round((invitation.expires_at - timezone.now()).total_seconds() / 86_400))
    send_mail(
        subject=f"{inviter} invites you to {organization}",
        message=(
            f"{inviter} ({invitation.invited_by.email}) invites you to the OpenRouter dashboard of "
            f"{organization}.\n\n"
            f"{_MAY[Role(invitation.role)]}\n\n"
            f"To accept, open this link within {days} {'day' if days == 1 else 'days'} and sign in, or sign "
            f"up with {invitation.email}:\n\n{link}\n\n"
            "The link works once and for this address only. If you did not expect it, ignore this message.\n"
        ),
        from_email=None,
        recipient_list=[invitation.email],
    )

"""What allauth asks of us: who may sign up, and how second factors are kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import structlog
from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from orgadmin.accounts.fields import decrypt, encrypt
from orgadmin.accounts.invitations import invitation_in_session
from orgadmin.accounts.models import User
from orgadmin.accounts.proof import proof_is_fresh

log = structlog.get_logger(__name__)


# What our e-mails' texts add to the package's context.
_ABOUT_US = {
    "dashboard": settings.PUBLIC_URL,
    "confirm_days": app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS,
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation only."""

    # In the words of the rest of the house.
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "cannot_remove_primary_email": "This is your primary address: make another one primary first.",
        "duplicate_email": "This e-mail address is one of yours already.",
        "email_password_mismatch": "E-mail address or password is not correct.",
        "email_taken": "Somebody has an account with this e-mail address already.",
        "max_email_addresses": "You cannot have more than %d e-mail addresses.",
        "too_many_login_attempts": "Too many failed tries to sign in. Wait a few minutes, then try again.",
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or say that it could not be sent: a mail server that is down is no error page."""
        try:
            super().send_mail(template_prefix, email, {**context, **_ABOUT_US})
        except OSError as error:
            log.error("mail not sent", template=template_prefix, error=type(error).__name__)
            messages.error(self.request, "The e-mail could not be sent. Ask whoever runs this dashboard.")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """One proof serves the whole dashboard: what sensitive acts accept, second factors accept too."""
        return bool(super().is_reauthentication_required(app=app, **kwargs)) and not proof_is_fresh(
            self.request
        )

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return invitation_in_session(request) is not None

    def clean_email(self, email: str) -> str:
        """An invitation by e-mail is for that address; another account could not accept it."""
        match = self.request.resolver_match
        if match is not None and match.url_name == "account_signup":
            invitation = invitation_in_session(self.request)
            if invitation is not None and invitation.email and invitation.email != email.lower():
                raise ValidationError(
                    f"This invitation is for {invitation.email}: sign up with that address."
                )
        return email

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whoever came through an invitation sent to an address reads its mail: no second mail is needed."""
        invitation = invitation_in_session(request)
        return invitation is not None and bool(invitation.email) and invitation.email == email.lower()

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Home, unless an invitation waits for an answer."""
        if invitation_in_session(request) is not None:
            return reverse("front:accept")
        return str(super().get_login_redirect_url(request))

    def post_login(
        self, request: HttpRequest, user: User, *, redirect_url: str | None, **how: Any
    ) -> HttpResponse:
        """Whoever came in without a password sets one first: the next proof will ask for it."""
        if not user.has_usable_password():
            after = redirect_url or self.get_login_redirect_url(request)
            redirect_url = f"{reverse('account_set_password')}?{urlencode({'next': after})}"
        answer: HttpResponse = super().post_login(request, user, redirect_url=redirect_url, **how)
        return answer

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)


class MfaAdapter(DefaultMFAAdapter):
    """Keeps TOTP secrets and recovery seeds encrypted; the package's default keeps them in clear."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": "Switch off two-step sign-in before you add an e-mail address.",
        "cannot_delete_authenticator": "Two-step sign-in cannot be switched off.",
        "cannot_generate_recovery_codes": "Recovery codes need two-step sign-in: switch it on first.",
        "unverified_email": "Two-step sign-in needs every e-mail address of yours to be confirmed.",
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

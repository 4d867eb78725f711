"""One-time sign-in links, for whoever can run commands where the dashboard runs."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlsafe_base64_decode, urlsafe_base64_encode

from orgadmin.accounts.models import User

VALID = timedelta(hours=24)


class SignInTokens(PasswordResetTokenGenerator):
    """Tokens that a sign-in, a new password or a new address uses up, and a day makes stale.

    The generator hashes the moment of the last sign-in, so signing in with a token is what ends it.
    """

    key_salt = "orgadmin.accounts.sign_in_links"

    def check_token(self, user: User | None, token: str | None) -> bool:
        if user is None or not token or not super().check_token(user, token):
            return False
        age: int = self._num_seconds(self._now()) - base36_to_int(token.partition("-")[0])
        return age < VALID.total_seconds()


tokens = SignInTokens()


def sign_in_link(*, email: str) -> str:
    """An absolute address that signs this person in once, within a day.

    Raises User.DoesNotExist for an address nobody active has.
    """
    user = User.objects.get(email=email.lower(), is_active=True)
    path = reverse(
        "front:sign-in",
        kwargs={"uid": urlsafe_base64_encode(force_bytes(user.pk)), "token": tokens.make_token(user)},
    )
    return f"{settings.PUBLIC_URL}{path}"


def user_of(uid: str) -> User | None:
    """The active user a link names, whether or not its token is good."""
    try:
        number = int(urlsafe_base64_decode(uid).decode("ascii"))
        return User.objects.filter(pk=number, is_active=True).first()
    except (ValueError, OverflowError):
        return None


def sign_in(request: HttpRequest, *, uid: str, token: str) -> HttpResponse | None:
    """Sign in with a link and answer with where to go; None when the link is used, stale or wrong.

    Goes through the same stages as a password: the session is renewed, and a person with a second factor
    is asked for it before anything else.
    """
    user = user_of(uid)
    if user is None or not tokens.check_token(user, token):
        return None
    record_authentication(request, user, method="link")
    response: HttpResponse = perform_login(request, user, redirect_url=reverse("home"))
    return response

"""Making users where there is no sign-up: for the operator at the terminal."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from orgadmin.accounts.models import User


def user_prepare(
    *, email: str, is_staff: bool = False, first_name: str = "", last_name: str = ""
) -> tuple[User, bool]:
    """The user with this address, its e-mail verified, and whether they are new.

    A new user has no password: a sign-in link lets them in, and they can set one. ``is_staff`` is granted,
    never taken away. Safe to repeat.
    """
    email = email.lower()
    with transaction.atomic():
        user = User.objects.filter(email=email).first()
        created = user is None
        if user is None:
            user = User.objects.create_user(email, None, first_name=first_name, last_name=last_name)
        if is_staff and not user.is_staff:
            user.is_staff = True
            user.save(update_fields=["is_staff"])
        address, _ = EmailAddress.objects.get_or_create(
            user=user, email=email, defaults={"verified": True, "primary": True}
        )
        if not address.verified:
            address.verified = True
            address.save(update_fields=["verified"])
    return user, created

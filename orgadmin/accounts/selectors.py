"""Reading users and organizations."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from orgadmin.accounts.models import Membership, Organization, User


def memberships_of(*, user: User) -> list[Membership]:
    """All the user's memberships with their organizations, by name: one query for access and switcher.

    The management key's ciphertext is left in the database; who needs it loads it.
    """
    return list(
        Membership.objects.filter(user=user)
        .select_related("organization")
        .defer("organization__management_key")
        .order_by("organization__name", "organization_id")
    )


def verified_emails(*, user: User) -> list[str]:
    """The user's verified e-mail addresses, lower case: what proves that an OpenRouter member is them."""
    return [
        email.lower()
        for email in EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    ]


def may_connect(*, user: User) -> bool:
    """Whether the user may connect another organization: staff, or an owner somewhere already."""
    return user.is_staff or Membership.objects.filter(user=user, role="owner").exists()


def connected_organizations() -> list[Organization]:
    """Those a pull can be made for."""
    return list(
        Organization.objects.exclude(status=Organization.Status.DISCONNECTED).filter(
            management_key__isnull=False
        )
    )

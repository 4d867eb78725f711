"""What stands ready before anybody signs in: the demo's organization, and the owner of a new installation."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from orgadmin.accounts.invitations import prove_email
from orgadmin.accounts.models import InferenceKey, Organization, User
from orgadmin.accounts.people import user_prepare
from orgadmin.audit.services import note
from orgadmin.connections.drafts import KeyAt, OrganizationDraft
from orgadmin.connections.inspection import Findings, inspect, key_hash
from orgadmin.connections.refusals import Refused
from orgadmin.connections.services.connect import keep_organization
from orgadmin.connections.services.people import person
from orgadmin.inventory.services import request_all_pulls
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import Patience

DEMO_OWNER, DEMO_SLUG = "owner@acme.example", "acme"
PASSWORD_FILE = "owner-password.txt"  # noqa: S105 (the name of a file)
# The sandbox starts beside us: a short try finds the default workspace, but nothing hangs on it.
GLANCE = Patience(tries=3, seconds=3, connect_timeout=1, read_timeout=2)


def owner_prepare(*, email: str) -> str:
    """Somebody who may connect the first organization, e-mail verified, no password yet; their address."""
    user, _ = user_prepare(email=email, is_staff=True)
    return user.email


def email_verify(*, email: str) -> bool:
    """Take an address for proven on the operator's word, where no mail can prove it. False: it was already.

    To a member it opens the keys of whoever has it at OpenRouter, so each of their organizations keeps an
    audit entry. Raises Refused when nobody has it, or when it is not clear whose it is.
    """
    with transaction.atomic():
        rows = EmailAddress.objects.filter(email__iexact=email)
        if rows.filter(verified=True).exists():
            return False
        # Whose account bears the address goes before whoever added it to theirs, which anybody can.
        owner = User.objects.filter(email=email.lower()).first()
        holders = [owner] if owner else [row.user for row in rows.select_related("user")]
        if not holders:
            raise Refused(
                f"Nobody here has the address {email}. They sign up, or add it to their account, first."
            )
        if len(holders) > 1:
            names = ", ".join(sorted(user.email for user in holders))
            raise Refused(f"Several accounts claim {email}: {names}. Have all but one remove it.")
        prove_email(holders[0], email.lower())
        for membership in holders[0].memberships.select_related("organization"):
            note(
                actor=None,
                organization=membership.organization,
                action="person.verify",
                target=person(holders[0]),
                after={"email": email.lower()},
                message="By the command manage.py verify_email.",
            )
    return True


def demo_prepare(
    *, base_url: str, management_key: str, inference_key: str = "", workspace_uid: str = ""
) -> str:
    """The demo's owner and organization, connected to the sandbox, and lent a key of one workspace; the
    owner's address.

    Safe to repeat. The sandbox may have moved to another port since the last time; an organization that its
    owner disconnected stays so.
    """
    owner, _ = user_prepare(email=DEMO_OWNER, is_staff=True, first_name="Maya", last_name="Keller")
    if not owner.has_usable_password():
        _set_password(owner)
    connection = KeyAt(base_url=base_url.rstrip("/"), management_key=Secret(management_key))
    organization = Organization.objects.filter(slug=DEMO_SLUG).first()
    if organization is None:
        draft = OrganizationDraft(name="Acme Research", slug=DEMO_SLUG, connection=connection)
        organization = keep_organization(owner=owner, draft=draft, findings=_glance(connection))
        if inference_key:
            _lend(organization, owner, Secret(inference_key), workspace_uid)
        request_all_pulls(organization=organization, requested_by=owner)
    elif organization.management_key is not None and _moved(organization, connection):
        request_all_pulls(organization=organization)
    return owner.email


def demo_password_file() -> Path | None:
    """Where the demo's owner finds their password; None when they chose another since."""
    path = Path(settings.DATA_DIR) / PASSWORD_FILE
    owner = User.objects.filter(email=DEMO_OWNER).first()
    if owner is None or not path.is_file():
        return None
    return path if owner.check_password(path.read_text(encoding="utf-8").strip()) else None


def _lend(organization: Organization, owner: User, key: Secret, workspace_uid: str) -> None:
    InferenceKey.objects.create(
        organization=organization,
        workspace_uid=workspace_uid,
        base_url=organization.base_url,
        secret=key,
        key_label=Secret.mask(key.reveal()),
        key_hash=key_hash(key),
        added_by=owner,
    )


def _glance(connection: KeyAt) -> Findings:
    try:
        return inspect(connection, patience=GLANCE)
    except Refused:
        key = connection.management_key
        return Findings(label=Secret.mask(key.reveal()), key_hash=key_hash(key))


def _moved(organization: Organization, connection: KeyAt) -> bool:
    """Follow the sandbox to its new address or seed; whether there was anything to do."""
    identity = key_hash(connection.management_key)
    if (organization.base_url, organization.key_hash) == (connection.base_url, identity):
        return False
    # The keys that were lent follow, if it is still the same account.
    if organization.key_hash == identity:
        lent = InferenceKey.objects.filter(organization=organization, base_url=organization.base_url)
        lent.update(base_url=connection.base_url)
    Organization.objects.filter(pk=organization.pk).update(
        base_url=connection.base_url,
        management_key=connection.management_key,
        key_hash=identity,
        key_label=Secret.mask(connection.management_key.reveal()),
        status=Organization.Status.CONNECTED,
        status_message="",
    )
    return True


def _set_password(owner: User) -> None:
    """The password that the file holds, or a new one put there for whoever owns the machine."""
    path = Path(settings.DATA_DIR) / PASSWORD_FILE
    password = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    if not password:
        password = secrets.token_urlsafe(15)
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(password + "\n")
    owner.set_password(password)
    owner.save(update_fields=["password"])

"""Connecting an organization.

OpenRouter is asked first and outside any transaction; what it said is then written, with its audit entry,
in one. A key is never part of what is audited: its masked label is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.audit.services import Target, note
from orgadmin.connections.addresses import check_reachable
from orgadmin.connections.drafts import OrganizationDraft
from orgadmin.connections.inspection import Findings, inspect, key_hash
from orgadmin.connections.refusals import KEY, SLUG, Refused
from orgadmin.connections.slugs import free_slug
from orgadmin.inventory.leases import lease
from orgadmin.inventory.services import request_all_pulls


def organization_connect(*, actor: User, draft: OrganizationDraft) -> Organization:
    """Check the key with OpenRouter, keep it, make ``actor`` owner, and queue the first pulls.

    Raises Refused with the field to blame; nothing is kept then.
    """
    check_reachable(draft.connection.base_url)
    identity = key_hash(draft.connection.management_key)
    with one_at_a_time(identity):
        refuse_connected_key(actor=actor, identity=identity)
        findings = inspect(draft.connection)
        organization = keep_organization(owner=actor, draft=draft, findings=findings)
    request_all_pulls(organization=organization, requested_by=actor)
    return organization


def keep_organization(*, owner: User, draft: OrganizationDraft, findings: Findings) -> Organization:
    """Write a new organization with its owner and audit entry. Refused when the short name is taken."""
    slug = draft.slug or free_slug(draft.name)
    try:
        with transaction.atomic():
            organization = Organization.objects.create(
                name=draft.name,
                slug=slug,
                base_url=draft.connection.base_url,
                management_key=draft.connection.management_key,
                key_label=findings.label,
                key_hash=findings.key_hash,
                default_workspace_uid=findings.default_workspace_uid,
                capabilities=dict(findings.capabilities),
            )
            Membership.objects.create(user=owner, organization=organization, role=Role.OWNER)
            note(
                actor=owner,
                organization=organization,
                action="organization.connect",
                target=target_of(organization),
                after={
                    "name": organization.name,
                    "slug": organization.slug,
                    "base_url": organization.base_url,
                    "key_label": organization.key_label,
                    "default_workspace_uid": organization.default_workspace_uid,
                },
            )
    except IntegrityError:
        raise Refused(f"The short name “{slug}” is taken. Choose another.", field=SLUG) from None
    return organization


def target_of(organization: Organization) -> Target:
    return Target(type="organization", id=organization.slug, name=organization.name)


@contextmanager
def one_at_a_time(identity: str) -> Iterator[None]:
    """Let a double click, or two owners with the same key, not both pass the test for "not connected yet"."""
    with lease(f"connect:{identity}") as held:
        if held is None:
            raise Refused(
                "This key is being connected right now. Wait a moment, then look at your organizations."
            )
        yield


def refuse_connected_key(*, actor: User, identity: str, but: Organization | None = None) -> None:
    """Two organizations with one key would be one account twice, each auditing the other as "outside"."""
    others = Organization.objects.filter(key_hash=identity)
    other = (others.exclude(pk=but.pk) if but is not None else others).first()
    if other is None:
        return
    if Membership.objects.filter(user=actor, organization=other).exists():
        raise Refused(f"This key is already connected, as “{other.name}”.", field=KEY)
    # Its name is not for somebody who does not belong to it, even though they hold its key.
    raise Refused(
        "This key is already connected to this dashboard, in an organization you do not belong to. Ask its "
        "owner for an invitation, or make another management key.",
        field=KEY,
    )

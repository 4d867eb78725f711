"""The inference keys that an organization lent the dashboard, and what came of using them."""

from __future__ import annotations

from django.utils import timezone

from orgadmin.accounts.models import InferenceKey, Organization


def lent_keys(organization: Organization) -> list[InferenceKey]:
    """Those that may be used, one a workspace: proven at the address that the organization has now."""
    return list(InferenceKey.objects.filter(organization=organization, base_url=organization.base_url))


def lent_key(organization: Organization, workspace_uid: str) -> InferenceKey | None:
    return InferenceKey.objects.filter(
        organization=organization, base_url=organization.base_url, workspace_uid=workspace_uid
    ).first()


def note_lent_key_refused(key: InferenceKey, message: str) -> None:
    """Mark the key, and only it, as one that OpenRouter does not take; one that was replaced meanwhile is
    left alone."""
    rows = InferenceKey.objects.filter(pk=key.pk, key_hash=key.key_hash, refused_at=None)
    rows.update(refused_at=timezone.now(), refusal=message[:500])


def note_presets_read(key: InferenceKey) -> None:
    """The key works, whatever was said of it before, and its workspace's presets are known."""
    now = timezone.now()
    InferenceKey.objects.filter(pk=key.pk, key_hash=key.key_hash).update(
        refused_at=None, refusal="", presets_read_at=now
    )

"""What wants a person, from the mirror, the audit log and the pulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import ActorKind, Entry
from orgadmin.inventory.models import Key, SyncRun

SOON = timedelta(days=14)


@dataclass(frozen=True)
class Notice:
    """Something that wants a person: how urgent in a word or two, what, and where to act."""

    badge: str
    kind: str
    name: str
    text: str
    action: str
    href: str


def notices(organization: Organization) -> list[Notice]:
    """The most urgent first; an empty list is good news."""
    return [
        *_failed_pulls(organization),
        *_exhausted(organization),
        *_expiring(organization),
        *_counted(organization),
        *_outside(organization),
    ]


def _at(name: str, organization: Organization, query: Mapping[str, str] | None = None, **kwargs: Any) -> str:
    address = reverse(name, kwargs={"organization": organization.slug, **kwargs})
    return f"{address}?{urlencode(query)}" if query else address


def _failed_pulls(organization: Organization) -> list[Notice]:
    newest: dict[str, SyncRun] = {}
    since = timezone.now() - timedelta(days=2)
    for run in SyncRun.objects.filter(organization=organization, created_at__gte=since).order_by("-id")[:200]:
        if not run.is_open:
            newest.setdefault(run.kind, run)
    failed = [run for run in newest.values() if run.state == SyncRun.State.FAILED]
    if not failed:
        return []
    text = failed[0].error if len(failed) == 1 else f"{len(failed)} kinds of sync failed the last time."
    return [Notice("sync", "danger", "Not in step", text, "Look", _at("syncs:list", organization))]


def _exhausted(organization: Organization) -> list[Notice]:
    number = organization.summary.get("exhausted", 0)
    if not number:
        return []
    if number == 1:
        live = Q(disabled=False) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        keys = Key.objects.filter(live, organization=organization, gone_at=None, limit_remaining__lte=0)
        text = "has reached its limit and refuses requests"
        return [
            Notice(
                "now", "danger", key.name, text, "Open", _at("keys:detail", organization, key_hash=key.hash)
            )
            for key in keys[:1]
        ]
    href = _at("keys:list", organization, {"state": "exhausted"})
    return [
        Notice(
            "now", "danger", f"{number} keys", "have reached their limit and refuse requests", "Review", href
        )
    ]


def _expiring(organization: Organization) -> list[Notice]:
    now = timezone.now()
    keys = (
        Key.objects.filter(
            organization=organization,
            gone_at=None,
            disabled=False,
            expires_at__gt=now,
            expires_at__lte=now + SOON,
        )
        .only("hash", "name", "expires_at")
        .order_by("expires_at")
    )
    found = []
    for key in keys[:3]:
        assert key.expires_at is not None
        days = (key.expires_at - now).days
        badge = f"{days} d" if days else "today"
        href = _at("keys:rotate", organization, key_hash=key.hash)
        text = "expires; OpenRouter cannot extend it"
        found.append(Notice(badge, "attention", key.name, text, "Rotate", href))
    return found


def _counted(organization: Organization) -> list[Notice]:
    summary = organization.summary
    found = []
    if number := summary.get("unlimited"):
        words = "has no limit" if number == 1 else "have no limit"
        href = _at("keys:list", organization, {"limit": "without", "state": "active"})
        keys = f"{number:,} {'key' if number == 1 else 'keys'}"
        found.append(Notice("limit", "attention", keys, words, "Review", href))
    if number := summary.get("unguarded"):
        words = "is covered by no guardrail" if number == 1 else "are covered by no guardrail"
        href = _at("keys:list", organization, {"guardrail": "without", "state": "active"})
        keys = f"{number:,} {'key' if number == 1 else 'keys'}"
        found.append(Notice("guard", "neutral", keys, words, "Review", href))
    if number := summary.get("idle"):
        words = "has not been used for 30 days" if number == 1 else "have not been used for 30 days"
        href = _at("keys:list", organization, {"idle": "30", "state": "active"})
        keys = f"{number:,} {'key' if number == 1 else 'keys'}"
        found.append(Notice("idle", "neutral", keys, words, "Review", href))
    return found


def _outside(organization: Organization) -> list[Notice]:
    since = timezone.now() - timedelta(days=1)
    entries = Entry.objects.filter(organization=organization, actor_kind=ActorKind.OUTSIDE, at__gte=since)
    number = entries.count()
    if not number:
        return []
    changes = "1 change" if number == 1 else f"{number:,} changes"
    href = _at("auditlog:list", organization, {"actor": "outside"})
    return [Notice("24 h", "neutral", changes, "made outside this dashboard", "Compare", href)]

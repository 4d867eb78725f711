"""The page of one guardrail."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Member, MemberAssignment, Workspace
from tests.guardrails.conftest import at

pytestmark = pytest.mark.django_db


def test_every_rule_stands_there_with_its_meaning(desk: Client, strict: Guardrail) -> None:
    text = desk.get(at(strict.uid)).content.decode()
    for words in (
        "a/one",
        "every other model is refused",
        "never a pool",
        "BYOK spend counts too",
        "ZDR for Anthropic",
        "ticket-[0-9]+",
        "Named “Tickets”",
        "Not enforced",
        "unheard of",
    ):
        assert words in text, words


def test_who_holds_it_and_what_they_used_of_it(desk: Client, strict: Guardrail, synced: Organization) -> None:
    KeyAssignment.objects.all().delete()
    MemberAssignment.objects.all().delete()
    key, member = Key.objects.filter(organization=synced)[0], Member.objects.filter(organization=synced)[0]
    Key.objects.filter(pk=key.pk).update(usage_monthly=Decimal(20), byok_usage_monthly=Decimal(5))
    held = {"organization": synced, "uid": "x", "guardrail_uid": strict.uid}
    KeyAssignment.objects.create(key_hash=key.hash, key_name=key.name, **held)
    MemberAssignment.objects.create(user_id=member.uid, **held)
    text = desk.get(at(strict.uid)).content.decode()
    assert f'href="/o/acme/keys/{key.hash}/"' in text
    assert f'href="/o/acme/members/{member.uid}/"' in text
    assert "$25.00" in text
    assert "$100.00" in text
    Guardrail.objects.filter(pk=strict.pk).update(include_byok_in_budgets=False)
    assert "$25.00" not in desk.get(at(strict.uid)).content.decode()


def test_holders_come_in_pages(desk: Client, strict: Guardrail, synced: Organization) -> None:
    KeyAssignment.objects.bulk_create(
        KeyAssignment(
            organization=synced,
            key_hash=f"{number:064x}",
            uid=str(number),
            guardrail_uid=strict.uid,
            key_name=f"held {number:03}",
        )
        for number in range(60)
    )
    first = desk.get(at(strict.uid)).content.decode()
    assert "held 049" in first
    assert "held 050" not in first
    assert "Next keys" in first
    assert "held 059" in desk.get(at(strict.uid) + "?keys=2").content.decode()


def test_a_default_that_was_never_configured_has_a_page(desk: Client, workspace: Workspace) -> None:
    Guardrail.objects.filter(uid=workspace.default_guardrail_id).delete()
    text = desk.get(at(workspace.default_guardrail_id)).content.decode()
    assert "never configured" in text
    assert desk.get(at("unheard-of")).status_code == 404


def test_one_that_is_gone_says_so(desk: Client, strict: Guardrail) -> None:
    Guardrail.objects.filter(pk=strict.pk).update(gone_at="2026-01-01T00:00Z")
    assert "no longer exists" in desk.get(at(strict.uid)).content.decode()

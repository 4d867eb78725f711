"""What applies to somebody, read from the mirror."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    Member,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
)
from orgadmin.policy.layers import Source
from orgadmin.policy.subjects import (
    DEFAULT,
    KEY,
    MEMBER,
    layer_of,
    of_key,
    of_member,
    of_workspace,
    window_start,
)

pytestmark = pytest.mark.django_db


def guardrail(organization: Organization, name: str, **rules: Any) -> Guardrail:
    return Guardrail.objects.create(organization=organization, uid=f"uid-{name}", name=name, **rules)


@pytest.fixture
def key(synced: Organization) -> Key:
    """A key with an owner and a workspace, held by nothing."""
    KeyAssignment.objects.all().delete()
    MemberAssignment.objects.all().delete()
    WorkspaceBudgets.objects.all().delete()
    found = Key.objects.filter(owner__isnull=False, workspace__isnull=False, gone_at=None)
    key = found.select_related("owner", "workspace", "organization").first()
    assert key is not None
    return key


def hold(key: Key, own: Guardrail, owners: Guardrail) -> None:
    organization = key.organization
    assert key.owner is not None
    KeyAssignment.objects.create(organization=organization, key_hash=key.hash, guardrail_uid=own.uid, uid="1")
    MemberAssignment.objects.create(
        organization=organization, user_id=key.owner.uid, guardrail_uid=owners.uid, uid="2"
    )


def test_a_key_has_its_own_its_owners_and_its_workspaces(synced: Organization, key: Key) -> None:
    assert key.workspace is not None
    hold(key, guardrail(synced, "own"), guardrail(synced, "owners"))
    guardrail(synced, "default")
    Workspace.objects.filter(pk=key.workspace.pk).update(default_guardrail_id="uid-default")
    key.workspace.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        applied = of_key(key)
    assert [(rank, row.name) for rank, row in applied.guardrails] == [
        (DEFAULT, "default"),
        (MEMBER, "owners"),
        (KEY, "own"),
    ]
    assert len(queries) <= 5
    assert key.owner is not None
    assert [row.name for _, row in of_member(key.owner).guardrails] == ["owners"]
    assert [row.name for _, row in of_workspace(key.workspace).guardrails] == ["default"]


def test_a_default_guardrail_that_nobody_configured_is_no_rule(key: Key) -> None:
    assert of_key(key).guardrails == []


def test_a_guardrail_that_is_gone_holds_nobody(synced: Organization, key: Key) -> None:
    own = guardrail(synced, "own", gone_at=timezone.now())
    hold(key, own, own)
    assert of_key(key).guardrails == []


def test_each_budget_is_counted_on_its_own(synced: Organization, key: Key) -> None:
    assert key.owner is not None
    monthly = {"limit_usd": Decimal(50), "reset_interval": "monthly"}
    hold(
        key,
        guardrail(synced, "own", **monthly, include_byok_in_budgets=True),
        guardrail(synced, "owners", **monthly),
    )
    Key.objects.filter(pk=key.pk).update(limit=Decimal(20), limit_remaining=Decimal(5), limit_reset="daily")
    key.refresh_from_db()
    theirs = Key.objects.filter(owner=key.owner)
    found = {(budget.scope, budget.name): budget for budget in of_key(key).budgets}
    assert found["limit of the key", key.name].used == Decimal(15)
    assert found["budget of the key", "own"].used == key.usage_monthly + key.byok_usage_monthly
    assert found["budget of the member", "owners"].used == sum(row.usage_monthly for row in theirs)
    assert len(found) == 3


def test_counters_from_before_the_window_say_nothing(synced: Organization, key: Key) -> None:
    own = guardrail(synced, "own", limit_usd=Decimal(5), reset_interval="daily")
    hold(key, own, guardrail(synced, "owners"))
    assert of_key(key).budgets[-1].used is not None
    past = timezone.now() - timedelta(days=2)
    key.organization.summary = {**key.organization.summary, "asked_at": past.isoformat()}
    assert of_key(key).budgets[-1].used is None
    assert window_start("yearly") is None


def test_the_budgets_of_a_workspace_limit_everything_in_it(synced: Organization, key: Key) -> None:
    assert key.workspace is not None
    WorkspaceBudgets.objects.create(
        organization=synced, workspace_uid=key.workspace.uid, monthly=100, lifetime=1000
    )
    key.workspace.include_byok_in_budgets = True
    for budgets in (of_key(key).budgets, of_workspace(key.workspace).budgets):
        ours = [one for one in budgets if one.scope.startswith("budget of the workspace")]
        assert [(one.interval, one.limit, one.includes_byok) for one in ours] == [
            ("monthly", Decimal(100), True),
            (None, Decimal(1000), True),
        ]


def test_rules_are_read_as_they_are_meant(synced: Organization) -> None:
    row = guardrail(
        synced,
        "house",
        allowed_models=["openai/gpt-4o"],
        ignored_providers=["azure"],
        enforce_zdr_anthropic=True,
        enforce_zdr_other=True,
        enable_free_model_training=False,
        enable_paid_model_training=True,
        content_filter_builtins=[{"slug": "email", "action": "redact"}],
        content_filters=[{"pattern": "a+", "action": "block", "label": None}],
    )
    layer = layer_of(row, KEY)
    assert layer.source == Source(KEY, "house", "uid-house")
    assert layer.allowed_models == frozenset({"openai/gpt-4o"})
    assert layer.allowed_providers is None
    assert layer.ignored_providers == {"azure"}
    assert layer.zdr == {"anthropic", "other"}
    assert layer.forbidden == {"free_training"}
    assert layer.filters == {"email": "redact", "/a+/": "block"}
    row.lacks = ["enforce_zdr_xai"]
    assert layer_of(row, KEY).zdr == {"anthropic", "other", "xai"}


def test_members_without_keys_have_a_policy_too(synced: Organization) -> None:
    stranger = Member.objects.create(organization=synced, uid="user_new", email="new@house.test")
    assert of_member(stranger).guardrails == []

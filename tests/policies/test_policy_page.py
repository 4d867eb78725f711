"""The effective policy as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, MemberAssignment, Workspace
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
pytestmark = pytest.mark.django_db
PAGE = "/o/acme/policy/"


@pytest.fixture
def reader(synced: Organization, viewer: User, pulled: Pull, sign_in: SignIn) -> Client:
    pulled("activity")
    return sign_in(viewer)


def page_of(browser: Client, query: str = "") -> str:
    response: Any = browser.get(f"{PAGE}{query}")
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


@pytest.fixture
def key(synced: Organization) -> Key:
    key = Key.objects.filter(owner__isnull=False, gone_at=None).order_by("-usage_monthly")[0]
    Key.objects.filter(pk=key.pk).update(limit=None, limit_remaining=None)
    KeyAssignment.objects.filter(key_hash=key.hash).delete()
    MemberAssignment.objects.all().delete()
    Workspace.objects.update(default_guardrail_id="nobody-configured-it")
    return key


def held(key: Key, **rules: Any) -> Guardrail:
    row = Guardrail.objects.create(organization=key.organization, uid="house", name="House rules", **rules)
    KeyAssignment.objects.create(
        organization=key.organization, key_hash=key.hash, guardrail_uid=row.uid, uid="1"
    )
    return row


def test_somebody_is_found_and_led_to(reader: Client, key: Key) -> None:
    assert "Whose policy?" in page_of(reader)
    found = page_of(reader, f"?q={key.name}")
    assert f"?key={key.hash}" in found
    assert "Nobody is called" in page_of(reader, "?q=nobody-has-this-name")
    assert key.name in page_of(reader, f"?key={key.hash}")
    assert "There is no such key here" in page_of(reader, "?key=no-such-key")


def test_a_refusal_names_the_rule_and_the_guardrail(reader: Client, key: Key) -> None:
    held(key, ignored_models=["openai/gpt-4o"])
    page = page_of(reader, f"?key={key.hash}&model=openai/gpt-4o")
    assert "Refused" in page
    assert "is among the ignored models" in page
    assert "House rules" in page
    assert "Guardrail of the key" in page


def test_what_no_rule_refuses_is_allowed_as_far_as_can_be_known(reader: Client, key: Key) -> None:
    page = page_of(reader, f"?key={key.hash}&model=openai/gpt-4o")
    assert "Allowed, as far as can be known" in page
    assert "account-wide privacy settings are in no API" in page
    assert "No guardrail applies" in page


def test_what_is_left_is_counted(reader: Client, key: Key) -> None:
    everything = page_of(reader, f"?key={key.hash}")
    held(key, allowed_models=["openai/gpt-4o"])
    page = page_of(reader, f"?key={key.hash}")
    assert "1 of " in page
    assert "1 of " not in everything.split("Models that are left")[1][:80]


def test_a_word_leads_to_the_models_that_are_called_like_it(reader: Client, key: Key) -> None:
    page = page_of(reader, f"?key={key.hash}&model=gpt")
    assert "Several models are called like that" in page
    assert "No model that is known here" in page_of(reader, f"?key={key.hash}&model=nothing-like-it")


def test_it_takes_a_handful_of_queries(reader: Client, key: Key) -> None:
    held(key, allowed_models=["openai/gpt-4o"], limit_usd=5, reset_interval="daily")
    for query in (f"?key={key.hash}", f"?member={key.owner.uid if key.owner else ''}", f"?q={key.name}"):
        with CaptureQueriesContext(connection) as queries:
            page_of(reader, query)
        # Three of them are the session, the user and the memberships.
        assert len(queries) <= 12, query


def test_nothing_of_another_organization_is_shown(
    reader: Client, key: Key, sandbox: RunningSandbox, synced: Organization
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url=sandbox.url)
    Key.objects.filter(pk=key.pk).update(organization=other)
    page = page_of(reader, f"?key={key.hash}")
    assert "There is no such key here" in page
    assert key.name not in page

"""Assigning as a person does it: choose, see what it would mean, do it, see what came of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel, CatalogProvider
from orgadmin.guardrails.assigning import KEYS, MEMBERS, Subject, subjects_of_keys
from orgadmin.guardrails.meaning import meaning
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Member, MemberAssignment, Workspace
from orgadmin.inventory.summary import refresh_summary, summary_of
from orgadmin.usage.clock import today
from orgadmin.usage.models import UsageModel, UsageProvider
from orgadmin.usage.store import Scope, replace_facts
from tests.conftest import SignIn
from tests.guardrails.test_assigning import guardrail, keys
from tests.sandbox_server import RunningSandbox
from tests.usage.facts import fact

__all__ = ["guardrail", "keys"]
pytestmark = pytest.mark.django_db
ASSIGN, START = "/o/acme/guardrails/assign/", "/o/acme/guardrails/assign/start/"


@pytest.fixture
def browser(admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


def page_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    text: str = answer.content.decode()
    return text


def sent(guardrail: Guardrail | None, keys: list[Key], **more: str) -> dict[str, Any]:
    chosen = guardrail.uid if guardrail else "none"
    return {
        "kind": "keys",
        "guardrail": chosen,
        "selected": [key.hash for key in keys],
        "form_token": str(uuid.uuid4()),
        **more,
    }


def test_a_key_is_found_and_a_guardrail_chosen(
    browser: Client, guardrail: Guardrail, keys: list[Key]
) -> None:
    page = page_of(browser.get(ASSIGN, {"kind": "keys", "q": keys[0].name}))
    assert f'value="{keys[0].hash}"' in page
    assert f'<option value="{guardrail.uid}">' in page
    defaults = Workspace.objects.values_list("default_guardrail_id", flat=True)
    assert not [uid for uid in defaults if f'value="{uid}"' in page]
    assert "Nobody is called" in page_of(browser.get(ASSIGN, {"kind": "members", "q": "nobody at all"}))


def test_its_own_page_leads_to_assigning_it(browser: Client, guardrail: Guardrail, keys: list[Key]) -> None:
    page = page_of(browser.get(f"/o/acme/guardrails/{guardrail.uid}/"))
    assert f"/o/acme/guardrails/assign/?kind=members&amp;guardrail={guardrail.uid}" in page
    sheet = page_of(browser.get(ASSIGN, {"kind": "keys", "guardrail": guardrail.uid, "q": keys[0].name}))
    assert f'name="selected" value="{keys[0].hash}"' in sheet
    assert f"Assign {guardrail.name}" in sheet


def test_the_preview_names_who_is_moved_from_where_and_changes_nothing(
    browser: Client, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    left = Guardrail.objects.get(uid=KeyAssignment.objects.get(key_hash=keys[1].hash).guardrail_uid)
    page = page_of(browser.post(ASSIGN, sent(guardrail, keys)))
    assert "1 newly covered key, 1 moved from another guardrail, 1 covered already" in page
    assert left.name in page
    assert "Assign to 2 keys" in page
    assert sandbox.sandbox.requests().counts == {}
    assert not Entry.objects.filter(target_type="key_assignment").exists()


def test_it_is_done_and_told_by_name(
    browser: Client, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    page = page_of(browser.post(START, sent(guardrail, keys)))
    assert f"3 keys now hold {guardrail.name}" in page
    for key in keys:
        assert sandbox.sandbox.guardrail(guardrail.uid)
        assert KeyAssignment.objects.get(key_hash=key.hash).guardrail_uid == guardrail.uid
    log = page_of(browser.get("/o/acme/audit-log/"))
    assert "Move key to another guardrail" in log
    assert guardrail.name in log


def test_lists_and_pages_say_which_guardrail_somebody_holds(
    browser: Client, guardrail: Guardrail, keys: list[Key]
) -> None:
    page_of(browser.post(START, sent(guardrail, keys[:1])))
    one = page_of(browser.get(f"/o/acme/keys/{keys[0].hash}/"))
    assert f">{guardrail.name}</a>" in one
    assert "Assign guardrail to key" in one
    listed = page_of(browser.get("/o/acme/keys/", {"q": keys[0].name}))
    assert f'title="Guardrail of the key">{guardrail.name}' in listed
    member = Member.objects.filter(gone_at=None)[0]
    wanted = {"kind": "members", "guardrail": guardrail.uid, "selected": member.uid}
    page_of(browser.post(START, {**wanted, "form_token": str(uuid.uuid4())}))
    theirs = page_of(browser.get(f"/o/acme/members/{member.uid}/"))
    assert f">{guardrail.name}</a>" in theirs
    assert "guardrail to" in theirs or "another guardrail" in theirs


def test_who_was_left_out_can_be_tried_again(
    browser: Client, guardrail: Guardrail, sandbox: RunningSandbox, synced: Organization
) -> None:
    ghost = Key.objects.create(organization=synced, hash="f" * 64, name="known here alone", sort_name="known")
    page = page_of(browser.post(START, sent(guardrail, [ghost])))
    assert "1 key left out" in page
    assert "known here alone" in page
    assert "Try 1 again" in page


def test_taking_off_says_what_still_applies(browser: Client, guardrail: Guardrail, keys: list[Key]) -> None:
    its = keys[2]
    page = page_of(browser.post(ASSIGN, sent(None, [its])))
    assert "This key will hold no guardrail of its own" in page
    page = page_of(browser.post(START, sent(None, [its])))
    assert "1 key without a guardrail of its own" in page
    assert not KeyAssignment.objects.filter(key_hash=its.hash, gone_at=None).exists()


def test_a_refusal_is_told_where_it_was_asked(
    browser: Client, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=400, path="/guardrails/*", message="Not like that.", times=5)
    page = page_of(browser.post(START, sent(guardrail, keys)), status=502)
    assert "Not like that." in page
    assert "Assign to 2 keys" in page


def test_more_than_fit_are_not_dropped_without_a_word(browser: Client, guardrail: Guardrail) -> None:
    wanted = sent(guardrail, []) | {"selected": [f"{number:064x}" for number in range(250)]}
    assert "Only the first 200" in page_of(browser.post(ASSIGN, wanted))


def test_a_guardrail_of_somebody_else_is_not_there(
    browser: Client, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url=sandbox.url)
    Guardrail.objects.filter(pk=guardrail.pk).update(organization=other)
    page_of(browser.post(START, sent(guardrail, keys)), status=404)
    assert "POST /guardrails/{id}/assignments/keys" not in sandbox.sandbox.requests().counts


# --- what it would have meant ---


def used(organization: Organization, key: Key, member: int = 0) -> UsageModel:
    """Yesterday: ten dollars on one model at one provider, two on another model."""
    yesterday = today() - timedelta(days=1)
    one = UsageModel.objects.create(permaslug="house/one", slug="house/one")
    two = UsageModel.objects.create(permaslug="house/two", slug="house/two")
    UsageProvider.objects.get_or_create(pk=1, defaults={"name": "Alpha Cloud"})
    facts = [
        fact(yesterday, key=key.pk, member=member, model=one.pk, nano=10 * 10**9),
        fact(yesterday, key=key.pk, member=member, model=two.pk, nano=2 * 10**9),
    ]
    replace_facts(organization_id=organization.pk, scopes=[Scope(key.pk, yesterday, yesterday)], facts=facts)
    return one


def test_dollars_that_would_have_been_refused(
    browser: Client, synced: Organization, guardrail: Guardrail, keys: list[Key]
) -> None:
    used(synced, keys[0])
    Guardrail.objects.filter(pk=guardrail.pk).update(
        allowed_models=None, ignored_models=["house/one"], allowed_providers=None, ignored_providers=None,
        enforce_zdr_other=None,
    )  # fmt: skip
    guardrail.refresh_from_db()
    said = meaning(guardrail, KEYS, subjects_of_keys(keys[:1]))
    assert (said.dollars, said.refused, said.rerouted) == (Decimal(12), Decimal(10), Decimal(0))
    page = page_of(browser.post(ASSIGN, sent(guardrail, keys[:1])))
    assert "Of the $12.00 spent in the last 30 days, models for <strong>$10.00</strong>" in page
    assert "house/one" in page


def test_a_member_is_measured_by_all_their_keys(
    synced: Organization, guardrail: Guardrail, keys: list[Key]
) -> None:
    MemberAssignment.objects.all().delete()
    member = Member.objects.filter(gone_at=None).first()
    assert member is not None
    used(synced, keys[0], member=member.pk)
    Guardrail.objects.filter(pk=guardrail.pk).update(ignored_models=["house/one"])
    guardrail.refresh_from_db()
    said = meaning(guardrail, MEMBERS, [Subject(member.uid, str(member))])
    assert said.fresh[0].impact is not None
    assert said.fresh[0].impact.dollars == Decimal(12)


def test_the_number_of_queries_does_not_depend_on_the_number_of_subjects(
    synced: Organization, guardrail: Guardrail, keys: list[Key]
) -> None:
    everybody = list(Key.objects.filter(gone_at=None))
    used(synced, everybody[0])
    counts = []
    for some in (everybody[:2], everybody):
        with CaptureQueriesContext(connection) as queries:
            meaning(guardrail, KEYS, subjects_of_keys(some))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_keys_that_nothing_covers_are_counted_and_listed(
    browser: Client, synced: Organization, guardrail: Guardrail, sandbox: RunningSandbox
) -> None:
    KeyAssignment.objects.all().delete()
    MemberAssignment.objects.all().delete()
    Workspace.objects.update(default_guardrail_id="nobody-configured-it")
    key = Key.objects.filter(gone_at=None, disabled=False, owner__isnull=False).first()
    assert key is not None
    assert key.owner is not None
    address = "/o/acme/keys/?guardrail=without"
    assert f'name="selected" value="{key.hash}"' in page_of(browser.get(f"{address}&q={key.hash}"))
    organization = Organization.objects.get(pk=synced.pk)
    active = Key.objects.filter(gone_at=None, disabled=False, expires_at=None).exclude(limit_remaining__lte=0)
    assert summary_of(organization)["unguarded"] >= active.count()

    MemberAssignment.objects.create(
        organization=synced, user_id=key.owner.uid, guardrail_uid=guardrail.uid, uid="1"
    )
    assert f'name="selected" value="{key.hash}"' not in page_of(browser.get(f"{address}&q={key.hash}"))
    assert f'name="selected" value="{key.hash}"' in page_of(
        browser.get(f"/o/acme/keys/?guardrail=with&q={key.hash}")
    )
    refresh_summary(organization)
    overview = page_of(browser.get("/o/acme/"))
    assert "covered by no guardrail" in overview
    assert "/o/acme/keys/?guardrail=without&amp;state=active" in overview

    Workspace.objects.update(default_guardrail_id=guardrail.uid)
    assert summary_of(organization)["unguarded"] == 0


def test_the_catalog_says_who_a_provider_is_and_whether_it_keeps_data(
    synced: Organization, guardrail: Guardrail, keys: list[Key]
) -> None:
    used(synced, keys[0])
    CatalogProvider.objects.create(organization=synced, slug="alpha", name="Alpha Cloud")
    model = CatalogModel.objects.create(
        organization=synced, slug="house/one", permaslug="house/one", listed_as="house/one", name="One"
    )
    endpoint = CatalogEndpoint.objects.create(
        organization=synced, model=model, tag="alpha", permaslug="house/one", provider="alpha", is_zdr=False
    )

    def said(**rules: Any) -> tuple[Decimal, list[tuple[str, str, bool]]]:
        nothing = dict.fromkeys(
            ("allowed_models", "ignored_models", "allowed_providers", "ignored_providers")
        )
        Guardrail.objects.filter(pk=guardrail.pk).update(**{**nothing, "enforce_zdr_other": None, **rules})
        guardrail.refresh_from_db()
        (line,) = (found := meaning(guardrail, KEYS, subjects_of_keys(keys[:1]))).fresh
        assert line.impact is not None
        hits = [(hit.used.model, hit.rule, hit.is_certain) for hit in line.impact.hits]
        return found.rerouted, hits

    assert said(allowed_providers=["alpha"]) == (Decimal(0), [])
    assert said(ignored_providers=["alpha"])[0] == Decimal(12)
    # Of the other model the catalog knows nothing.
    kept = [("house/one", "zdr", True), ("house/two", "zdr", False)]
    assert said(enforce_zdr_other=True) == (Decimal(12), kept)
    CatalogEndpoint.objects.filter(pk=endpoint.pk).update(is_zdr=True)
    assert said(enforce_zdr_other=True) == (Decimal(2), kept[1:])

"""Every limit in one table, and raising one."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    Member,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
)
from orgadmin.keys import raise_views
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.policy.subjects import of_key
from tests.conftest import SignIn, Sync
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
pytestmark = pytest.mark.django_db
LIST = "/o/acme/budgets/"


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Client:
    hurry(monkeypatch)
    return sign_in(admin)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def lines(browser: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = browser.get(f"{LIST}csv/{query}")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def only(organization: Organization) -> tuple[Key, Member, Guardrail, Workspace]:
    """One key with a limit of 100, of which 80 are used; of one member; a guardrail of 50 a month that both
    hold; nothing else is limited."""
    Key.objects.update(limit=None, limit_remaining=None)
    Guardrail.objects.update(limit_usd=None)
    WorkspaceBudgets.objects.update(gone_at=timezone.now())
    key = Key.objects.exclude(owner=None).exclude(workspace=None).order_by("pk")[0]
    owner, workspace = key.owner, key.workspace
    assert owner is not None
    assert workspace is not None
    Key.objects.filter(owner=owner).exclude(pk=key.pk).update(owner=None)
    Key.objects.filter(pk=key.pk).update(
        name="bot",
        limit=100,
        limit_remaining=20,
        limit_reset="monthly",
        usage_monthly=30,
        byok_usage_monthly=10,
    )
    guardrail = Guardrail.objects.create(
        organization=organization,
        uid=str(uuid.uuid4()),
        name="Strict",
        workspace_uid=workspace.uid,
        limit_usd=50,
        reset_interval="monthly",
        include_byok_in_budgets=True,
    )
    KeyAssignment.objects.all().delete()
    MemberAssignment.objects.all().delete()
    KeyAssignment.objects.create(
        organization=organization, key_hash=key.hash, uid="a", guardrail_uid=guardrail.uid
    )
    MemberAssignment.objects.create(
        organization=organization, user_id=owner.uid, uid="b", guardrail_uid=guardrail.uid
    )
    return key, owner, guardrail, workspace


def test_each_limit_has_a_line_nearest_to_its_end_first(desk: Client, synced: Organization) -> None:
    _, owner, _, _ = only(synced)
    found = lines(desk)
    assert [(row["kind"], row["of"], row["set_by"]) for row in found] == [
        ("guardrail", str(owner), "Strict"),
        ("guardrail", "bot", "Strict"),
        ("key", "bot", ""),
    ]
    assert [(row["limit_usd"], row["used_usd"], row["left_usd"]) for row in found] == [
        ("50.00", "40.00", "10.00"),
        ("50.00", "40.00", "10.00"),
        ("100.00", "80.00", "20.00"),
    ]
    assert {row["share_used"] for row in found} == {"0.8000"}
    page = text_of(desk.get(LIST))
    assert f'href="/o/acme/members/{owner.uid}/"' in page
    assert "budget of the guardrail" in page
    assert "Add $50…" in page


def test_default_guardrails_limit_every_key_and_owner_in_the_workspace(
    desk: Client, synced: Organization
) -> None:
    _, _, guardrail, workspace = only(synced)
    KeyAssignment.objects.all().delete()
    MemberAssignment.objects.all().delete()
    Workspace.objects.filter(pk=workspace.pk).update(default_guardrail_id=guardrail.uid)
    keys = Key.objects.filter(workspace=workspace, gone_at=None)
    owners = keys.exclude(owner=None).values("owner").distinct().count()
    found = lines(desk, "?kind=guardrail")
    assert len(found) == keys.count() + owners
    assert {row["set_by"] for row in found} == {f"default of {workspace}"}


def test_workspaces_are_estimated(desk: Client, synced: Organization, pulled: Pull) -> None:
    for kind in ("activity", "today"):
        pulled(kind)
    found = lines(desk, "?kind=workspace")
    budgets = sum(len(row.limits) for row in WorkspaceBudgets.objects.all())
    assert len(found) == budgets > 0
    assert all(row["used_is_an_estimate"] == "yes" for row in found)
    assert any(Decimal(row["used_usd"]) > 0 for row in found)
    assert "estimate" in text_of(desk.get(f"{LIST}?kind=workspace"))


def test_filters(desk: Client, synced: Organization) -> None:
    only(synced)
    assert [row["kind"] for row in lines(desk, "?kind=key")] == ["key"]
    assert len(lines(desk, "?q=strict")) == 2
    assert len(lines(desk, "?q=bot+strict")) == 1
    assert lines(desk, "?state=over") == []
    assert len(lines(desk, "?state=near")) == 3
    assert lines(desk, "?interval=daily") == []
    assert len(lines(desk, "?interval=monthly")) == 3
    assert "No limit matches" in text_of(desk.get(f"{LIST}?q=nobody"))
    assert len(lines(desk, "?kind=nonsense&state=x&interval=y")) == 3


def test_what_was_counted_before_the_window_began_is_not_known(desk: Client, synced: Organization) -> None:
    only(synced)
    past = timezone.now() - timedelta(days=40)
    synced.summary = {**synced.summary, "asked_at": past.isoformat()}
    synced.save()
    assert {row["used_usd"] for row in lines(desk)} == {""}
    assert {row["exceeded"] for row in lines(desk)} == {"not known"}
    assert len(lines(desk, "?state=unknown")) == 3


def test_a_deleted_key_counts_for_its_owner_in_the_windows_it_lived_in(
    desk: Client, synced: Organization
) -> None:
    key, owner, _, _ = only(synced)
    for gone_at, used in ((timezone.now(), 7), (timezone.now() - timedelta(days=70), 900)):
        Key.objects.create(
            organization=synced,
            hash=f"{used:064x}",
            name=f"K {used}",
            owner=owner,
            usage_monthly=used,
            gone_at=gone_at,
        )
    table = {row["of"]: row["used_usd"] for row in lines(desk, "?kind=guardrail")}
    assert table == {str(owner): "47.00", "bot": "40.00"}
    budgets = of_key(Key.objects.select_related("owner", "workspace", "organization").get(pk=key.pk)).budgets
    theirs = next(one for one in budgets if one.scope == "budget of the member")
    assert theirs.used == Decimal(47)


@pytest.mark.parametrize(("moment", "words"), [("01T00:30", "too early to tell"), ("16T00:00", "on ")])
def test_the_pace_of_a_limit_for_ever_is_that_of_the_month(
    desk: Client, synced: Organization, moment: str, words: str
) -> None:
    key, *_ = only(synced)
    Key.objects.filter(pk=key.pk).update(limit_reset=None, usage_monthly=20)
    now = datetime.fromisoformat(f"2027-03-{moment}:00+00:00")
    synced.summary = {**synced.summary, "asked_at": now.isoformat()}
    synced.save()
    with time_machine.travel(now, tick=False):
        desk.force_login(User.objects.get(email="adam@house.test"))
        (row,) = lines(desk, "?kind=key")
    assert row["exceeded"].startswith(words)


def test_a_window_that_rolled_over_since_the_keys_were_asked_is_not_known(
    desk: Client, synced: Organization
) -> None:
    only(synced)
    last = datetime.fromisoformat("2027-03-31T23:59:00+00:00")
    synced.summary = {**synced.summary, "asked_at": last.isoformat()}
    synced.save()
    for now, known in ((last, True), (last + timedelta(minutes=2), False)):
        with time_machine.travel(now, tick=False):
            desk.force_login(User.objects.get(email="adam@house.test"))
            assert all(bool(row["used_usd"]) is known for row in lines(desk))


def test_no_limits_and_an_account_without_budgets(desk: Client, synced: Organization) -> None:
    only(synced)
    Key.objects.update(limit=None)
    Guardrail.objects.update(limit_usd=None)
    synced.capabilities["workspace_budgets"] = False
    synced.save()
    page = text_of(desk.get(LIST))
    assert "No limits" in page
    assert "has no budgets of workspaces" in page


def test_who_only_reads_raises_nothing(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    only(synced)
    page = text_of(sign_in(viewer).get(LIST))
    assert "bot" in page
    assert "Add $50" not in page


def test_it_asks_as_often_for_many_as_for_few(desk: Client, synced: Organization) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(LIST).status_code == 200
        return len(queries)

    asked()
    few = asked()
    workspace = Workspace.objects.order_by("pk")[0]
    Key.objects.bulk_create(
        Key(
            organization=synced,
            hash=f"{n:064x}",
            name=f"K {n}",
            limit=10,
            limit_remaining=5,
            workspace=workspace,
        )
        for n in range(300)
    )
    assert asked() == few
    # The session, the user and the memberships are three of them.
    assert few <= 11


def test_the_overview_loads_those_near_their_end(desk: Client, synced: Organization) -> None:
    only(synced)
    assert "/o/acme/budgets/panel/" in text_of(desk.get("/o/acme/"))
    panel = text_of(desk.get(f"{LIST}panel/"))
    assert "bot · monthly" in panel
    assert "80" in panel
    Guardrail.objects.update(limit_usd=5000)
    assert "None is used by 80%" in text_of(desk.get(f"{LIST}panel/"))


# --- so much more ---


def more(amount: str = "50") -> dict[str, str]:
    return {"amount": amount, "form_token": str(uuid.uuid4())}


def bodies(sandbox: RunningSandbox) -> list[Any]:
    return [call.body for call in sandbox.sandbox.requests().last if call.method != "GET"]


@pytest.fixture
def limited(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Key:
    workspace = Workspace.objects.order_by("pk")[0]
    made = sandbox.sandbox.outside.create_key(
        name="bot", workspace_id=workspace.uid, limit=100, limit_reset="monthly"
    )
    sync("keys")
    sandbox.sandbox.clear_requests()
    return Key.objects.get(hash=made)


def test_a_keys_limit_grows_by_what_it_is_now(desk: Client, limited: Key, sandbox: RunningSandbox) -> None:
    address = f"/o/acme/keys/{limited.hash}/raise/?back=budgets"
    assert "with $50 more $150.00" in text_of(desk.get(address))
    sandbox.sandbox.outside.update_key(limited.hash, limit=120)
    form = more()
    answer = desk.post(address, form, follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert "The limit of bot is now $170.00." in text_of(answer)
    assert bodies(sandbox) == [{"limit": 170}]
    assert "nothing was added twice" in text_of(desk.post(address, form, follow=True))
    assert bodies(sandbox) == [{"limit": 170}]
    act = Entry.objects.filter(action="key.update", actor_kind="person", about=None).latest("id")
    assert (act.before, act.after) == ({"limit": "120.00"}, {"limit": "170.00"})


@pytest.mark.parametrize("amount", ["", "0", "-5", "much", "1e99"])
def test_what_is_no_amount_is_not_sent(
    desk: Client, limited: Key, sandbox: RunningSandbox, amount: str
) -> None:
    assert desk.post(f"/o/acme/keys/{limited.hash}/raise/", more(amount)).status_code == 400
    assert bodies(sandbox) == []


def test_a_limit_that_is_gone_meanwhile_is_said(desk: Client, limited: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.update_key(limited.hash, limit=None, limit_reset=None)
    answer = desk.post(f"/o/acme/keys/{limited.hash}/raise/", more())
    assert answer.status_code == 409
    assert "no limit any more" in text_of(answer)
    assert desk.get(f"/o/acme/keys/{limited.hash}/raise/").status_code == 404


def test_a_guardrails_budget_grows_for_everybody(
    desk: Client, limited: Key, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    uid = sandbox.sandbox.outside.create_guardrail(
        name="Strict", workspace_id=limited.workspace_uid, limit_usd=20, reset_interval="daily"
    )
    sandbox.sandbox.outside.assign_guardrail(uid, keys=[limited.hash])
    sync()
    sandbox.sandbox.clear_requests()
    address = f"/o/acme/guardrails/{uid}/raise/"
    assert "1 key and 0 members, each for themselves" in text_of(desk.get(address))
    form = more("5.50")
    assert "is now $25.50" in text_of(desk.post(address, form, follow=True))
    assert bodies(sandbox) == [{"limit_usd": 25.5, "reset_interval": "daily"}]
    assert "nothing was added twice" in text_of(desk.post(address, form, follow=True))
    assert len(bodies(sandbox)) == 1


def test_a_refusal_is_told(desk: Client, limited: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(method="PATCH", path="/keys/*", kind="status", status=400, message="Not now")
    form = more()
    answer = desk.post(f"/o/acme/keys/{limited.hash}/raise/", form)
    assert answer.status_code == 400
    assert "OpenRouter: Not now. It was not raised." in text_of(answer)
    assert form["form_token"] not in text_of(answer)


def test_where_nobody_knows_there_is_no_second_try(
    desk: Client, limited: Key, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(**_: Any) -> Any:
        raise OpenRouterError("The connection broke.", outcome_unknown=True)

    monkeypatch.setattr(raise_views, "key_raise_limit", lost)
    answer = desk.post(f"/o/acme/keys/{limited.hash}/raise/?back=budgets", more(), follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert "Nobody knows yet whether the change took effect" in text_of(answer)
    assert "Raise it" not in text_of(answer)

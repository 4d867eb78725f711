"""The budgets of a workspace: what is seen, in which order OpenRouter hears of it, what the log says."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Workspace, WorkspaceBudgets
from orgadmin.workspaces import budgeting
from orgadmin.workspaces.budget_forms import seen_text
from orgadmin.workspaces.selectors import limits_of
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled
from tests.workspaces.conftest import at, log, outside, sent

__all__ = ["pull", "pulled"]
pytestmark = pytest.mark.django_db


def form(workspace: Workspace, **amounts: Any) -> dict[str, Any]:
    limits = {name: str(limit) for name, limit in limits_of(workspace).items()}
    seen = seen_text(limits_of(workspace), bool(workspace.include_byok_in_budgets))
    return {**limits, **amounts, "seen": seen, "form_token": str(uuid.uuid4())}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def limits(workspace: Workspace) -> dict[str, Decimal]:
    return limits_of(workspace)


@pytest.fixture
def funded(lab: Workspace, sandbox: RunningSandbox, sync: Sync) -> Workspace:
    """Ten a day, a hundred a week, a thousand a month."""
    for interval, usd in (("daily", 10), ("weekly", 100), ("monthly", 1000)):
        sandbox.sandbox.outside.set_budget(lab.uid, interval, usd)
    sync("workspace-budgets")
    sandbox.sandbox.clear_requests()
    Entry.objects.all()._raw_delete("default")
    return lab


def test_the_first_budgets_are_set_one_by_one(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    answer = desk.post(at(lab, "budgets"), form(lab, daily="10", monthly="$1,000"), follow=True)
    assert "Budgets saved." in text_of(answer)
    assert sent(sandbox) == [
        ("PUT", "daily", {"limit_usd": 10}),
        ("PUT", "monthly", {"limit_usd": 1000}),
    ]
    assert log() == [
        ("workspace_budgets.create", "started"),
        ("workspace_budgets.create", "ok"),
        ("workspace_budgets.update", "started"),
        ("workspace_budgets.update", "ok"),
    ]
    assert limits(lab) == {"daily": Decimal(10), "monthly": Decimal(1000)}


def test_the_next_pull_takes_them_for_ours(desk: Client, lab: Workspace, sync: Sync) -> None:
    desk.post(at(lab, "budgets"), form(lab, daily="10", monthly="1000", counts_byok="on"))
    desk.post(at(lab, "budgets"), form(lab, daily="", monthly="900", counts_byok="on"))
    sync("workspaces", "workspace-budgets")
    assert outside() == []


def test_raised_from_the_widest_down_lowered_from_the_narrowest_up(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    desk.post(at(funded, "budgets"), form(funded, daily="150", weekly="1500", monthly="15000"))
    assert [step for _, step, _ in sent(sandbox)] == ["monthly", "weekly", "daily"]
    sandbox.sandbox.clear_requests()
    desk.post(at(funded, "budgets"), form(funded, daily="1", weekly="10", monthly="100"))
    assert [step for _, step, _ in sent(sandbox)] == ["daily", "weekly", "monthly"]
    assert limits(funded) == {"daily": Decimal(1), "weekly": Decimal(10), "monthly": Decimal(100)}


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ({"daily": "100"}, "This must be less than the weekly budget, which is $100.00."),
        ({"weekly": "2000"}, "This must be less than the monthly budget, which is $1,000.00."),
        ({"monthly": "0"}, "A budget is an amount above zero."),
        ({"monthly": "-5"}, "A budget is an amount above zero."),
        ({"monthly": "much"}, "Write an amount in US dollars"),
    ],
)
def test_what_cannot_be_is_said_while_typing_and_not_sent(
    desk: Client, funded: Workspace, sandbox: RunningSandbox, amounts: dict[str, str], words: str
) -> None:
    typed = desk.get(at(funded, "budgets", "check"), form(funded, **amounts))
    assert typed.status_code == 200
    assert words in text_of(typed)
    answer = desk.post(at(funded, "budgets"), form(funded, **amounts))
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert sandbox.sandbox.requests().total == 0
    assert "In order" in text_of(desk.get(at(funded, "budgets", "check"), form(funded)))


def test_the_byok_switch_travels_with_a_budget(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    desk.post(at(funded, "budgets"), form(funded, counts_byok="on"))
    assert sent(sandbox) == [("PUT", "daily", {"limit_usd": 10, "include_byok_in_budgets": True})]
    funded.refresh_from_db()
    assert funded.include_byok_in_budgets is True
    entry = Entry.objects.filter(outcome="started").latest("id")
    assert entry.before == {"daily": "10", "include_byok_in_budgets": False}
    assert entry.after == {"daily": "10.00", "include_byok_in_budgets": True}


def test_without_a_budget_there_is_no_switch(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    answer = desk.post(at(lab, "budgets"), form(lab, counts_byok="on"))
    assert "keeps this switch with a budget" in text_of(answer)
    assert sandbox.sandbox.requests().total == 0


def test_a_refusal_in_the_middle_stops_the_rest_and_says_so(
    desk: Client, funded: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(
        method="PUT",
        path="/workspaces/*/budgets/weekly",
        kind="status",
        status=400,
        message="Not today",
        times=9,
    )
    answer = desk.post(at(funded, "budgets"), form(funded, daily="150", weekly="1500", monthly="15000"))
    page = text_of(answer)
    assert answer.status_code == 400
    assert "Done: monthly is now $15,000.00. Not done: weekly, and what came after it." in page
    assert "Not today" in page
    assert limits(funded) == {"daily": Decimal(10), "weekly": Decimal(100), "monthly": Decimal(15000)}
    assert log()[-3:] == [
        ("workspace_budgets.update", "ok"),
        ("workspace_budgets.update", "started"),
        ("workspace_budgets.update", "failed"),
    ]
    sync("workspace-budgets")
    assert outside() == []


def test_a_lost_answer_is_read_again_and_the_rest_goes_on(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(method="PUT", path="/workspaces/*/budgets/monthly", kind="drop_after", times=9)
    answer = desk.post(at(funded, "budgets"), form(funded, weekly="1500", monthly="15000"), follow=True)
    assert "Budgets saved." in text_of(answer)
    assert limits(funded)["weekly"] == Decimal(1500)
    assert {outcome for _, outcome in log()} == {"started", "ok"}


def test_a_lost_switch_is_not_taken_for_done_because_the_limit_is_the_same(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(method="PUT", path="/workspaces/*/budgets/*", kind="drop_before", times=9)
    answer = desk.post(at(funded, "budgets"), form(funded, counts_byok="on"))
    assert answer.status_code == 502
    assert log()[-1] == ("workspace_budgets.update", "failed")
    funded.refresh_from_db()
    assert not funded.include_byok_in_budgets


def test_a_switch_that_somebody_else_set_meanwhile_stays(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    opened = form(funded, monthly="2000")
    Workspace.objects.filter(pk=funded.pk).update(include_byok_in_budgets=True)
    desk.post(at(funded, "budgets"), opened)
    assert sent(sandbox) == [("PUT", "monthly", {"limit_usd": 2000})]


def test_a_conflict_keeps_the_switch_that_was_wanted(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    opened = form(funded, monthly="2000", counts_byok="on")
    sandbox.sandbox.outside.set_budget(funded.uid, "monthly", 1200)
    page = text_of(desk.post(at(funded, "budgets"), opened))
    assert re.search(r'name="counts_byok"[^>]* checked', page)


def test_what_nobody_knows_is_settled_by_the_next_pull(
    desk: Client, funded: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(method="PUT", path="/workspaces/*/budgets/weekly", kind="drop_after", times=9)
    wanted = form(funded, weekly="1500", monthly="15000")
    with pytest.MonkeyPatch.context() as patch:
        # Nobody answers the question what came of it either.
        patch.setattr(budgeting, "_took_effect", lambda *_: False)
        answer = desk.post(at(funded, "budgets"), wanted)
    assert answer.status_code == 502
    assert "Nobody knows yet whether the change took effect" in text_of(answer)
    assert log()[-1] == ("workspace_budgets.update", "unknown")
    assert limits(funded) == {"daily": Decimal(10), "weekly": Decimal(100), "monthly": Decimal(15000)}
    sandbox.sandbox.clear_faults()
    sync("workspace-budgets")
    assert log()[-1] == ("workspace_budgets.update", "ok")
    assert outside() == []
    assert limits(funded)["weekly"] == Decimal(1500)


def test_budgets_changed_elsewhere_are_not_overwritten_unseen(
    desk: Client, funded: Workspace, sandbox: RunningSandbox
) -> None:
    wanted = form(funded, monthly="2000")
    sandbox.sandbox.outside.set_budget(funded.uid, "monthly", 1200)
    answer = desk.post(at(funded, "budgets"), wanted)
    assert answer.status_code == 409
    assert "Monthly was $1,000.00 and is $1,200.00 now." in text_of(answer)
    assert sent(sandbox) == []
    assert outside() == ["workspace_budgets.update"]


def test_a_plan_without_budgets_is_explained_and_remembered(
    desk: Client, lab: Workspace, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.account.budgets.plan = "forbidden"
    answer = desk.post(at(lab, "budgets"), form(lab, daily="10"))
    assert "require an Enterprise plan" in text_of(answer)
    assert log()[-1] == ("workspace_budgets.create", "failed")
    synced.refresh_from_db()
    assert synced.is_connected
    assert "they come with its Enterprise plan" in text_of(desk.get(at(lab, "budgets")))
    sandbox.sandbox.account.budgets.plan = "enterprise"
    desk.post(at(lab, "budgets"), form(lab, daily="10"))
    assert "they come with its Enterprise plan" not in text_of(desk.get(at(lab, "budgets")))


def test_an_account_without_budgets_says_so(
    desk: Client, lab: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.account.budgets.plan = "absent"
    sync("workspace-budgets")
    page = text_of(desk.get(at(lab, "budgets", "panel")))
    assert "has no budgets of workspaces" in page
    assert "Set budgets" not in page


def test_the_page_shows_what_is_used_by_our_estimate(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync, pulled: Pull
) -> None:
    for kind in ("activity", "today"):
        pulled(kind)
    row = max(WorkspaceBudgets.objects.all(), key=lambda row: len(row.limits))
    page = text_of(desk.get(f"/o/acme/workspaces/{row.workspace_uid}/budgets/panel/"))
    assert "Used, estimated" in page
    for limit in row.limits.values():
        assert f"{limit:,.2f}".removesuffix(".00") in page


# --- so much more ---


def test_fifty_more(desk: Client, funded: Workspace, sandbox: RunningSandbox) -> None:
    address = at(funded, "budgets", "weekly", "raise")
    page = text_of(desk.get(address))
    assert 'value="50"' in page
    assert "Now $100.00" in page
    # Somebody raised it since: the amount is added to what it is now.
    sandbox.sandbox.outside.set_budget(funded.uid, "weekly", 120)
    token = str(uuid.uuid4())
    answer = desk.post(address, {"amount": "50", "form_token": token}, follow=True)
    assert "is now $170.00" in text_of(answer)
    assert sent(sandbox) == [("PUT", "weekly", {"limit_usd": 170})]
    again = desk.post(address, {"amount": "50", "form_token": token}, follow=True)
    assert "nothing was added twice" in text_of(again)
    assert limits(funded)["weekly"] == Decimal(170)


def test_it_cannot_outgrow_the_wider_one(desk: Client, funded: Workspace, sandbox: RunningSandbox) -> None:
    answer = desk.post(
        at(funded, "budgets", "daily", "raise"), {"amount": "95", "form_token": str(uuid.uuid4())}
    )
    assert answer.status_code == 409
    assert "The daily budget would be $105.00, and the weekly budget is $100.00" in text_of(answer)
    assert sent(sandbox) == []


def test_there_is_nothing_to_raise_where_there_is_no_budget(desk: Client, lab: Workspace) -> None:
    assert desk.get(at(lab, "budgets", "daily", "raise")).status_code == 404
    assert desk.get(at(lab, "budgets", "yearly", "raise")).status_code == 404

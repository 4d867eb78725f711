"""Reading the log: acts, histories, and the words for them."""

from __future__ import annotations

from decimal import Decimal

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.selectors import act_of, history_of, people_who_acted
from orgadmin.audit.services import Target
from orgadmin.audit.words import action_words, changes


def test_a_history_includes_the_create_that_did_not_know_the_id_yet(
    organization: Organization, admin: User, django_assert_num_queries
) -> None:
    started = audit.start(
        actor=admin, organization=organization, action="key.create", target=Target("key", "", "one")
    )
    audit.finish(started, outcome=Outcome.OK, target=Target("key", "h1", "one"))
    edited = audit.start(
        actor=admin, organization=organization, action="key.update", target=Target("key", "h1", "one")
    )
    audit.finish(edited, outcome=Outcome.UNKNOWN)
    audit.finish(edited, outcome=Outcome.OK)
    audit.note(actor=admin, organization=organization, action="key.update", target=Target("key", "h2", "two"))
    with django_assert_num_queries(3):
        acts = history_of(organization=organization, target_types=["key"], target_id="h1", limit=20)
    assert [act.entry for act in acts] == [edited, started]
    assert [len(act.outcomes) for act in acts] == [2, 1]
    assert [act.outcome for act in acts] == ["ok", "ok"]
    assert acts[1].target_id == "h1"


def test_a_history_is_as_long_as_asked(organization: Organization, admin: User) -> None:
    for _ in range(9):
        started = audit.start(
            actor=admin, organization=organization, action="key.update", target=Target("key", "h1", "one")
        )
        audit.finish(started, outcome=Outcome.OK)
    acts = history_of(organization=organization, target_types=["key"], target_id="h1", limit=4)
    assert [act.entry.pk for act in acts] == list(
        Entry.objects.filter(about=None).order_by("-id").values_list("pk", flat=True)[:4]
    )
    assert history_of(organization=organization, target_types=["key"], target_id="", limit=4) == []


def test_a_history_takes_in_what_bears_other_ids(organization: Organization, admin: User) -> None:
    def noted(noun: str, uid: str) -> Entry:
        return audit.note(
            actor=admin, organization=organization, action=f"{noun}.update", target=Target(noun, uid, "x")
        )

    ours = [noted("member", "u1"), noted("workspace_member", "w1/u1"), noted("workspace_member", "w2/u1")]
    for noun, uid in (("workspace_member", "w1/u2"), ("member", "w1/u1"), ("workspace_member", "u1")):
        noted(noun, uid)
    acts = history_of(
        organization=organization,
        target_types=["member"],
        target_id="u1",
        limit=20,
        also={"workspace_member": ["w1/u1", "w2/u1"]},
    )
    assert [act.entry for act in acts] == ours[::-1]


def test_an_act_is_found_by_any_of_its_rows(organization: Organization, admin: User) -> None:
    started = audit.start(
        actor=admin, organization=organization, action="key.update", target=Target("key", "h1", "one")
    )
    outcome = audit.finish(started, outcome=Outcome.FAILED, message="No.", request_id="req-1")
    for row in (started, outcome):
        act = act_of(organization=organization, entry_id=row.pk)
        assert act is not None
        assert (act.entry, act.outcome, act.message, act.request_id) == (started, "failed", "No.", "req-1")
    assert act_of(organization=organization, entry_id=10**9) is None


def test_people_who_left_are_still_named(organization: Organization, admin: User, viewer: User) -> None:
    audit.note(actor=admin, organization=organization, action="key.update", target=Target("key", "h", "k"))
    admin.memberships.all().delete()
    assert people_who_acted(organization=organization) == [admin]


def test_actions_have_words() -> None:
    assert action_words("key.create") == "Create key"
    assert action_words("organization.rekey") == "Replace management key"
    assert action_words("guardrail.assign-members") == "Assign members guardrail"
    assert action_words("strange") == "Strange"


def test_changes_have_words() -> None:
    found = changes(
        {"limit": "20", "name": "a", "disabled": True, "same": 1},
        {"limit": None, "name": "b", "disabled": False, "same": 1},
    )
    assert [(change.label, change.before, change.after) for change in found] == [
        ("Name", "a", "b"),
        ("Disabled", True, False),
        ("Limit", Decimal(20), None),
    ]
    assert found[2].none == "unlimited"
    assert all(change.is_worth_a_glance for change in found)


def test_the_same_money_spelled_twice_is_no_change() -> None:
    assert changes({"limit": "5"}, {"limit": "5.00"}) == []


def test_what_was_created_is_told_by_what_was_set() -> None:
    found = changes(None, {"name": "a", "limit": "5", "limit_reset": None, "disabled": False})
    assert [change.name for change in found if change.is_worth_a_glance] == ["limit"]


def test_workspaces_and_owners_are_named_where_known() -> None:
    (change,) = changes({"workspace_uid": "w-1"}, {"workspace_uid": "w-2"}, {"w-1": "Research"})
    assert (change.label, change.before, change.after) == ("Workspace", "Research", "w-2")

"""Writing the log: append-only, one use of a form, nothing that looks like a key."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import ActorKind, AppendOnlyError, Entry, Outcome
from orgadmin.audit.services import AlreadySubmitted, Target, comparable

KEY = Target("key", "h1", "one")
SECRET = "sk-or-v1-" + "0123456789abcdef" * 4


@pytest.fixture
def entry(organization: Organization, admin: User) -> Entry:
    return audit.start(actor=admin, organization=organization, action="key.update", target=KEY)


def test_no_way_of_the_models_edits_or_deletes_an_entry(entry: Entry) -> None:
    entry.message = "It was not me."
    for act in (
        entry.save,
        entry.delete,
        lambda: Entry.objects.update(message=""),
        lambda: Entry.objects.all().delete(),
        lambda: Entry.objects.bulk_update([entry], ["message"]),
    ):
        with pytest.raises(AppendOnlyError):
            act()
    assert Entry.objects.get().message == ""


def test_a_new_entry_does_not_take_the_place_of_an_old_one(entry: Entry) -> None:
    forged = Entry(
        pk=entry.pk,
        organization=entry.organization,
        actor_kind=ActorKind.SYSTEM,
        action="key.forge",
        outcome=Outcome.OK,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        forged.save()
    assert Entry.objects.get().action == "key.update"


def test_an_outcome_is_a_second_row(entry: Entry, admin: User) -> None:
    outcome = audit.finish(entry, outcome=Outcome.FAILED, message="No.", request_id="req-1")
    assert (outcome.about, outcome.actor, outcome.action) == (entry, admin, "key.update")
    assert (outcome.target_id, outcome.target_name) == ("h1", "one")
    assert Entry.objects.get(pk=entry.pk).outcome == Outcome.STARTED


def test_a_form_counts_once(organization: Organization, admin: User) -> None:
    token = uuid.uuid4()
    first = audit.start(
        actor=admin, organization=organization, action="key.create", target=KEY, form_token=token
    )
    with pytest.raises(AlreadySubmitted) as refused:
        audit.start(actor=admin, organization=organization, action="key.create", target=KEY, form_token=token)
    assert refused.value.entry == first
    assert Entry.objects.count() == 1


def test_nothing_that_looks_like_a_key_is_kept(organization: Organization, admin: User) -> None:
    entry = audit.start(
        actor=admin,
        organization=organization,
        action="key.create",
        target=KEY,
        before={"note": f"was {SECRET}"},
        after={"note": SECRET, "limit": Decimal("2.50")},
    )
    audit.finish(entry, outcome=Outcome.FAILED, message=f"The key {SECRET} is not welcome.")
    for row in Entry.objects.values():
        assert SECRET not in str(row)
    assert Entry.objects.get(about=None).after == {"note": "sk-or-v1-•••", "limit": "2.50"}


def test_nor_is_it_kept_in_a_name_or_deep_inside_a_value(organization: Organization, admin: User) -> None:
    target = Target("key", "h1", f"pasted {SECRET}")
    values = {"list": [{SECRET: {"deep": SECRET}}, (SECRET,)]}
    entry = audit.start(
        actor=admin, organization=organization, action="key.update", target=target, before=values
    )
    audit.finish(entry, outcome=Outcome.OK, target=target, after=values, request_id=SECRET)
    outside = audit.outside_entry(
        organization=organization, action="key.update", target=target, before=values, after=values
    )
    outside.save()
    assert Entry.objects.count() == 3
    for row in Entry.objects.values():
        assert SECRET not in str(row)
    assert Entry.objects.filter(target_name="pasted sk-or-v1-•••").count() == 3


def test_what_a_database_refuses_is_left_out(organization: Organization, admin: User) -> None:
    target = Target("key", "h\x001", "half \ud83d")
    values = {"na\x00me": "half \ud83d", "list": ["nul\x00", {"deep": "\ud83d"}]}
    entry = audit.start(
        actor=admin, organization=organization, action="key.update", target=target, after=values
    )
    audit.finish(entry, outcome=Outcome.FAILED, message="bad \x00 name", request_id="r\x00")
    started, outcome = Entry.objects.order_by("id")
    assert (started.target_id, started.target_name) == ("h1", "half ?")
    assert started.after == {"name": "half ?", "list": ["nul", {"deep": "?"}]}
    assert (outcome.message, outcome.upstream_request_id) == ("bad  name", "r")


def test_who_acts_without_a_person_is_the_dashboard(organization: Organization) -> None:
    entry = audit.note(actor=None, organization=organization, action="key.update", target=KEY)
    assert (entry.actor_kind, entry.actor_name, entry.outcome) == (
        ActorKind.SYSTEM,
        "This dashboard",
        Outcome.OK,
    )


def test_long_names_fit(organization: Organization, admin: User) -> None:
    target = Target("key", "x" * 500, "y" * 5000)
    entry = audit.start(actor=admin, organization=organization, action="key.update", target=target)
    outcome = audit.finish(entry, outcome=Outcome.OK, request_id="z" * 900)
    assert (len(entry.target_id), len(outcome.target_name), len(outcome.upstream_request_id)) == (
        100,
        300,
        200,
    )


@pytest.mark.parametrize(
    ("column", "stored", "live"),
    [
        ("limit", "12.50", Decimal("12.5")),
        ("limit", "0.000001", Decimal("1E-6")),
        ("usage", 7, Decimal(7)),
        ("limit", "0.00", Decimal(0)),
        ("expires_at", "2027-01-31T00:00:00Z", datetime(2027, 1, 31, tzinfo=UTC)),
        ("expires_at", "2027-01-31T00:00:00+00:00", datetime(2027, 1, 31, tzinfo=UTC)),
        ("limit", None, None),
        ("disabled", True, True),
        ("name", "batch", "batch"),
        ("io_logging_sampling_rate", 0.1, 0.1),
        ("io_logging_api_key_ids", [1, 2], [1, 2]),
    ],
)
def test_what_the_log_stores_compares_with_what_is_live(column: str, stored: object, live: object) -> None:
    assert comparable(column, stored) == comparable(column, live)


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("limit", None, ""),
        ("limit", Decimal(1), Decimal(2)),
        ("limit", "0", None),
        ("limit", "9e9999999", Decimal(9)),
        ("limit", "NaN", Decimal(9)),
        ("disabled", False, "0"),
        ("name", "a", "b"),
        ("name", "100", "1e2"),
        ("name", "7", "007"),
        ("name", "1.50", "1.5"),
        ("name", "9e9999999", "9"),
        ("name", "at 2027-01-31T00:00:00Z", "at 2027-01-31T00:00:00+00:00"),
    ],
)
def test_what_differs_differs(column: str, one: object, other: object) -> None:
    assert comparable(column, one) != comparable(column, other)

"""Creates that left nobody knowing: a pull that met everything and none of them says that they failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.pull import Pull
from tests.inventory.pulling import log_of, pull, pulled
from tests.sandbox_server import RunningSandbox

LONG_AGO = timedelta(minutes=10)


def create(organization: Organization, actor: User, *, ago: timedelta = LONG_AGO) -> Entry:
    """The ``started`` of a create whose answer never came."""
    with time_machine.travel(timezone.now() - ago, tick=False):
        return audit.start(
            actor=actor,
            organization=organization,
            action="key.create",
            target=Target(type="key", id="", name="twin"),
            after={"name": "twin", "limit": None},
        )


def lost(organization: Organization, actor: User, *, ago: timedelta = LONG_AGO) -> Entry:
    started = create(organization, actor, ago=ago)
    audit.finish(started, outcome=Outcome.UNKNOWN)
    return started


def outcomes(started: Entry) -> list[str]:
    return [entry.outcome for entry in started.outcomes.order_by("id")]


def test_what_never_appeared_has_failed(synced: Organization, admin: User) -> None:
    started = lost(synced, admin)
    pulled(synced)
    assert outcomes(started) == ["unknown", "failed"]
    said = log_of(synced)[-1]
    assert (said.action, said.actor, said.target_name) == ("key.create", admin, "twin")
    assert (
        said.message == "No sync found such a key: it was not created, or was deleted before anybody saw it."
    )
    pulled(synced)
    assert len(log_of(synced)) == 3


@pytest.mark.parametrize("kind", ["workspaces", "members"])
def test_only_a_pull_of_keys_can_tell(synced: Organization, admin: User, kind: str) -> None:
    started = lost(synced, admin)
    pulled(synced, kind)
    assert outcomes(started) == ["unknown"]


def test_what_appeared_was_created(synced: Organization, admin: User, sandbox: RunningSandbox) -> None:
    started = lost(synced, admin)
    sandbox.sandbox.outside.create_key(name="twin")
    pulled(synced)
    assert outcomes(started) == ["unknown", "ok"]


def test_of_two_that_were_lost_the_one_that_appeared_was_created(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    acts = [lost(synced, admin), lost(synced, admin)]
    sandbox.sandbox.outside.create_key(name="twin")
    pulled(synced)
    assert [outcomes(act)[-1] for act in acts] == ["ok", "failed"]


def test_what_may_still_appear_is_waited_for(synced: Organization, admin: User) -> None:
    started = lost(synced, admin, ago=timedelta(minutes=2))
    pulled(synced)
    assert outcomes(started) == ["unknown"]


def test_a_pull_that_began_too_soon_says_nothing_however_long_it_takes(
    synced: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = lost(synced, admin, ago=timedelta(minutes=2))
    pages = Pull._pages

    def slowly(self: Pull) -> Iterator[object]:
        with time_machine.travel(timezone.now() + LONG_AGO):
            yield from pages(self)

    monkeypatch.setattr(Pull, "_pages", slowly)
    pulled(synced)
    assert outcomes(started) == ["unknown"]


def test_a_pull_that_did_not_meet_everything_says_nothing(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    started = lost(synced, admin)
    sandbox.sandbox.fault(kind="status", status=400, path="/keys", times=9)
    assert pull(synced).state == SyncRun.State.FAILED
    assert outcomes(started) == ["unknown"]


def test_a_key_left_alone_for_another_act_under_way_may_be_the_one(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    started = lost(synced, admin)
    again = create(synced, admin, ago=timedelta(0))
    sandbox.sandbox.outside.create_key(name="twin")
    pulled(synced)
    assert outcomes(started) == ["unknown"]

    audit.finish(again, outcome=Outcome.FAILED)
    pulled(synced)
    assert outcomes(started) == ["unknown", "ok"]


def test_an_act_of_which_nothing_was_written_down_may_have_made_a_key_that_is_known(
    synced: Organization, admin: User
) -> None:
    Key.objects.filter(pk=Key.objects.earliest("pk").pk).update(name="twin")
    started = create(synced, admin)
    pulled(synced)
    assert outcomes(started) == []


def test_what_is_forgotten_is_history(synced: Organization, admin: User) -> None:
    started = lost(synced, admin, ago=timedelta(days=3))
    pulled(synced)
    assert outcomes(started) == ["unknown"]

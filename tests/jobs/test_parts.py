"""Jobs made of several kinds of acts: an item names its own."""

from __future__ import annotations

import pytest

from orgadmin.accounts.models import Organization, User
from orgadmin.jobs import services
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.parts import Part, act_out, part_of
from orgadmin.jobs.services import NewJob, Skip, job_start
from tests.conftest import Bells


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    def skip(job: Job, item: JobItem) -> str:
        raise Skip(f"{item.target_id} needs nothing.")

    monkeypatch.setitem(services._ACTS, "tests.mixed", act_out)
    monkeypatch.setitem(services._ACTS, "tests.greet", lambda job, item: f"Hello {item.target_id}.")
    monkeypatch.setitem(services._ACTS, "tests.skip", skip)


def test_each_item_is_acted_on_as_it_says(organization: Organization, admin: User, bells: Bells) -> None:
    parts = [Part("tests.greet", "a:b", "Ada"), Part("tests.skip", "a:b", "Ada again")]
    new = NewJob("tests.mixed", "Mixed", [part.as_item for part in parts], {})
    job = job_start(actor=admin, organization=organization, new=new)
    assert [part_of(job, item) for item in job.items.order_by("id")] == parts
    bells.work()
    told = job.items.order_by("id").values_list("target_name", "state", "message")
    assert list(told) == [("Ada", "ok", "Hello a:b."), ("Ada again", "skipped", "a:b needs nothing.")]


def test_an_item_of_a_plain_job_is_its_own_target(organization: Organization, admin: User) -> None:
    new = NewJob("tests.greet", "Plain", [("tests.nothing:x", "Odd"), ("plain", "Plain")], {})
    job = job_start(actor=admin, organization=organization, new=new)
    assert [part_of(job, item) for item in job.items.order_by("id")] == [
        Part("tests.greet", "tests.nothing:x", "Odd"),
        Part("tests.greet", "plain", "Plain"),
    ]

"""Jobs whose items are acts of several kinds, each registered by the slice that knows how.

Slices are strangers to each other, so an act is known by name: it stands before the target in the item.
"""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.services import act_of, is_kind


@dataclass(frozen=True)
class Part:
    """One act on one target: ``kind`` is a registered kind of job, ``name`` what people call the target."""

    kind: str
    target: str
    name: str

    @property
    def as_item(self) -> tuple[str, str]:
        """Id and name of the item, as ``NewJob.targets`` wants them."""
        return f"{self.kind}:{self.target}", self.name


def part_of(job: Job, item: JobItem) -> Part:
    """What is to be done to an item; of a job with one kind of act, that act."""
    kind, colon, target = item.target_id.partition(":")
    if colon and is_kind(kind):
        return Part(kind, target, item.target_name)
    return Part(job.kind, item.target_id, item.target_name)


def act_out(job: Job, item: JobItem) -> str:
    """Do an item's own act. Raises what that raises."""
    part = part_of(job, item)
    return act_of(part.kind)(job, JobItem(pk=item.pk, job=job, target_id=part.target, target_name=part.name))

"""Taking everything from somebody who leaves, as one job: first their keys, then their guardrail, then their
places in workspaces. OpenRouter keeps people in a workspace while they have active keys there (FACTS 3.9)."""

from __future__ import annotations

from collections.abc import Iterator

from orgadmin.accounts.models import User
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.models import Member
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.parts import Part, act_out, part_of
from orgadmin.jobs.services import NewJob, job_start, register
from orgadmin.members.forms import OffboardDraft
from orgadmin.members.leaving import KIND, UNDONE, Leaving
from orgadmin.openrouter.errors import OpenRouterError

TAKE_OFF = "guardrails.take-off"
LEAVE = "workspaces.leave"


class KeysFirst(OpenRouterError):
    """A key of theirs may still work, and the guardrail is what limits it."""

    def __init__(self) -> None:
        super().__init__("Left on: it limits keys that could not be stopped. Try again once they are.")


def offboard_start(*, actor: User, leaving: Leaving, draft: OffboardDraft) -> Job:
    """A job over what they hold, fixed now. The same form gives the same job."""
    member = leaving.member
    return job_start(
        actor=actor,
        organization=member.organization,
        new=NewJob(
            kind=KIND,
            title=f"Offboard {member}"[:200],
            targets=(part.as_item for part in _parts(leaving, draft)),
            params={"user_id": member.uid, "member": str(member), "keys": draft.keys},
            form_token=token_of(draft.form_token, actor=actor, organization=member.organization),
        ),
    )


def _parts(leaving: Leaving, draft: OffboardDraft) -> Iterator[Part]:
    if draft.keys:
        yield from _keys(leaving.member, f"keys.{draft.keys}")
    if draft.takes_guardrail and leaving.guardrail is not None:
        yield Part(TAKE_OFF, leaving.guardrail.uid, f"Guardrail {leaving.guardrail.name}")
    if draft.leaves_workspaces:
        for place in leaving.places:
            yield Part(LEAVE, place.row.workspace_uid, f"Workspace {place.name}")


def _keys(member: Member, kind: str) -> Iterator[Part]:
    """All of their live keys: one that is disabled already may have been enabled elsewhere since."""
    keys = member.keys.filter(gone_at=None).order_by("sort_name", "pk").values_list("hash", "name")
    for key_hash, name in keys.iterator(chunk_size=1000):
        yield Part(kind, key_hash, name)


@register(KIND)
def offboard(job: Job, item: JobItem) -> str:
    if part_of(job, item).kind == TAKE_OFF and _keys_undone(job):
        raise KeysFirst
    return act_out(job, item)


def _keys_undone(job: Job) -> bool:
    return job.items.filter(target_id__startswith="keys.", state__in=UNDONE).exists()

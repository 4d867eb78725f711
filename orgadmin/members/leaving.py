"""What somebody who leaves still holds: here, at OpenRouter, and under way. All of it from the mirror."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from orgadmin.accounts.models import Invitation, Membership, User
from orgadmin.inventory import guardrails
from orgadmin.inventory.guardrails import Held
from orgadmin.inventory.leavers import Holding, holdings_of
from orgadmin.inventory.models import Key, Member, WorkspaceMember
from orgadmin.jobs.models import Job, JobItem
from orgadmin.members.selectors import Place, places_of
from orgadmin.usage.clock import ACTIVITY_DAYS, today
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import opening_of, settled_through
from orgadmin.usage.reading import Question, groups
from orgadmin.usage.spans import Span

# The job that takes it all from them (``orgadmin.members.offboarding``).
KIND = "members.offboard"
# Keys that are shown; whose facts are read is few. The job takes all of them.
SHOWN = 50
UNDONE = (JobItem.State.FAILED, JobItem.State.UNKNOWN)
MOST_NAMED = 50


@dataclass(frozen=True)
class HeldKey:
    """A live key of theirs: US dollars of the last 30 days, None while they are not known, and how many other
    people are in its workspace, None where that is everybody or nobody knows."""

    key: Key
    spent: Decimal | None
    others: int | None


@dataclass(frozen=True)
class Account:
    """Somebody who signs in here with their address; ``is_verified`` says whether that was ever proven."""

    membership: Membership
    is_verified: bool


@dataclass(frozen=True)
class Keys:
    """Their live keys: those shown, the most expensive of this month first, and how all of them stand."""

    shown: Sequence[HeldKey]
    number: int
    working: int
    disabled: int
    expired: int


@dataclass(frozen=True)
class Offboarding:
    """The last job that took things from them, and by name what it did not manage."""

    job: Job
    undone: Sequence[JobItem]


@dataclass(frozen=True)
class Leaving:
    """Everything that a person still holds. ``seen`` names it as it is now, so that a form can tell whether
    it changed since."""

    member: Member
    keys: Keys
    places: Sequence[Place]
    guardrail: Held | None
    accounts: Sequence[Account]
    invitations: Sequence[Invitation]
    jobs: Sequence[Job]
    holdings: Sequence[Holding]
    offboarding: Offboarding | None
    seen: str

    @property
    def is_clear(self) -> bool:
        """Whether there is nothing left that a job could take."""
        return not (self.keys.number or self.places or self.guardrail)


def leaving_of(member: Member) -> Leaving:
    """Of a member, present or gone, with the organization loaded."""
    accounts = _accounts(member)
    users = [account.membership.user for account in accounts]
    places = [place for place in places_of(member) if place.row.gone_at is None]
    guardrail = guardrails.of_members(member.organization, [member.uid]).get(member.uid)
    keys, hashes = _keys(member)
    held = [*hashes, *(place.row.place for place in places), guardrail.uid if guardrail else ""]
    return Leaving(
        member=member,
        keys=keys,
        places=places,
        guardrail=guardrail,
        accounts=accounts,
        invitations=_invitations(member),
        jobs=_open_jobs(member, users),
        holdings=holdings_of(member, users),
        offboarding=offboarding_of(member),
        seen=hashlib.sha256("\n".join(sorted(held)).encode()).hexdigest()[:16],
    )


def _keys(member: Member) -> tuple[Keys, list[str]]:
    live = member.keys.filter(gone_at=None)
    standing = list(live.order_by().values_list("hash", "disabled", "expires_at"))
    now = timezone.now()
    disabled = sum(off for _, off, _ in standing)
    expired = sum(not off and ends is not None and ends <= now for _, off, ends in standing)
    first = live.select_related("workspace").defer("extra", "search_text")
    rows = list(first.order_by("-usage_monthly", "sort_name", "pk")[:SHOWN])
    spent, others = _spent(member, rows), _others(member, rows)
    keys = Keys(
        [
            HeldKey(
                row, None if spent is None else spent.get(row.pk, Decimal(0)), others.get(row.workspace_uid)
            )
            for row in rows
        ],
        number=len(standing),
        working=len(standing) - disabled - expired,
        disabled=disabled,
        expired=expired,
    )
    return keys, [key_hash for key_hash, _, _ in standing]


def _spent(member: Member, keys: Sequence[Key]) -> Mapping[int, Decimal] | None:
    """What these keys spent in the last 30 days, today as far as it is known."""
    organization, day = member.organization, today()
    settled = settled_through(organization)
    if settled is None:
        return None
    since = day - timedelta(days=ACTIVITY_DAYS - 1)
    parts = frozenset(key.pk for key in keys)
    question = Question(organization.pk, Span(since, min(settled, day)), {Dimension.KEY: parts})
    spent = {part: amounts.total for part, amounts in groups(question, Dimension.KEY).items()}
    opening = opening_of(question, Dimension.KEY, max(since, settled + timedelta(days=1)))
    for _, part, amounts in opening.of(parts):
        spent[part] = spent.get(part, Decimal(0)) + amounts.total
    return spent


def _others(member: Member, keys: Sequence[Key]) -> Mapping[str, int]:
    """How many other people are in the workspaces of these keys: whoever else may use them."""
    organization = member.organization
    uids = {key.workspace_uid for key in keys} - {"", organization.default_workspace_uid}
    rows = WorkspaceMember.objects.filter(organization=organization, gone_at=None, workspace_uid__in=uids)
    counted = (
        rows.order_by()
        .values_list("workspace_uid")
        .annotate(number=Count("pk", filter=~Q(user_id=member.uid)))
    )
    return dict(counted)


def _accounts(member: Member) -> list[Account]:
    """The people of this dashboard, in this organization, who bear the member's address."""
    if not member.email:
        return []
    mine = EmailAddress.objects.filter(user=OuterRef("user"), email__iexact=member.email)
    found = Membership.objects.filter(
        Q(user__email__iexact=member.email) | Exists(mine), organization=member.organization
    )
    rows = found.select_related("user").annotate(is_verified=Exists(mine.filter(verified=True)))
    return [Account(row, row.is_verified) for row in rows.order_by("pk")]


def _invitations(member: Member) -> list[Invitation]:
    """Ways in that are still open to their address."""
    if not member.email:
        return []
    return list(
        Invitation.objects.filter(
            organization=member.organization,
            email__iexact=member.email,
            accepted_at=None,
            revoked_at=None,
            expires_at__gt=timezone.now(),
        )
    )


def _open_jobs(member: Member, users: Sequence[User]) -> list[Job]:
    """Jobs that they started and that are still at work."""
    if not users:
        return []
    open_states = [Job.State.QUEUED, Job.State.RUNNING]
    found: Any = Job.objects.filter(
        organization=member.organization, actor__in=list(users), state__in=open_states
    )
    return list(found[:MOST_NAMED])


def offboarding_of(member: Member) -> Offboarding | None:
    """The last job about them; None where there was none."""
    jobs = Job.objects.filter(organization=member.organization, kind=KIND, params__user_id=member.uid)
    job = jobs.select_related("actor").first()
    if job is None:
        return None
    return Offboarding(job, list(job.items.filter(state__in=UNDONE).order_by("id")[:MOST_NAMED]))

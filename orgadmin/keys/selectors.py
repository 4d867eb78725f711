"""Reading keys: who sees which, a page of them, one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable, OrderBy
from django.db.models.functions import Coalesce, Lower
from django.http import Http404
from django.utils import timezone

from orgadmin.access import PERMISSIONS, OrgRequest, Permission
from orgadmin.accounts.models import Membership, Organization, User
from orgadmin.audit.models import Entry, Outcome
from orgadmin.inventory.guardrails import is_guarded
from orgadmin.inventory.models import Key, Member, Workspace, member_name
from orgadmin.inventory.search import containing
from orgadmin.keys.filters import NO_OWNER, KeyFilters
from orgadmin.keys.models import Rotation
from orgadmin.pages import Page, page_of


def visible_keys(request: OrgRequest) -> QuerySet[Key]:
    """All keys of the organization for those who read it, else the keys whose creator the user is."""
    keys = Key.objects.filter(organization=request.organization)
    if request.reads_all:
        return keys
    mine = own_members(user=request.user, organization=request.organization)
    return keys.filter(owner__in=mine.values("pk"))


def own_members(*, user: User, organization: Organization) -> QuerySet[Member]:
    """The OpenRouter members that the user is, by verified e-mail address."""
    mine = EmailAddress.objects.filter(user=user, verified=True).values(folded=Lower("email"))
    members = Member.objects.filter(organization=organization, gone_at=None)
    return members.annotate(folded=Lower("email")).filter(folded__in=mine)


# More than a person scrolls through; beyond that the search finds owners by name.
MOST_OWNERS = 300
# What a member's name is made of, in the order of ``member_name``.
NAMING = ("uid", "email", "first_name", "last_name")


def owner_choices(request: OrgRequest, chosen: str) -> list[tuple[str, str]]:
    """What the owner filter offers, by upstream id and name; empty for those who only see their own keys.

    One query. The chosen owner is always among them, a former member by their id.
    """
    if not request.reads_all:
        return []
    members = Member.objects.filter(organization=request.organization, gone_at=None).values_list(*NAMING)
    offered = {NO_OWNER: "No owner"} | {row[0]: member_name(*row) for row in members[:MOST_OWNERS]}
    return list(({chosen: "Former member"} | offered if chosen else offered).items())


def visible_key(request: OrgRequest, key_hash: str) -> Key:
    """One key by its hash, with workspace and owner; Http404 when it is not there or not theirs to see."""
    found = (
        visible_keys(request)
        .select_related("workspace", "owner", "organization")
        .filter(hash=key_hash)
        .first()
    )
    if found is None:
        raise Http404("No such key.")
    return found


# --- lists ---


def filtered(keys: QuerySet[Key], filters: KeyFilters) -> QuerySet[Key]:
    """The keys that the filters let through, in no order."""
    keys = keys.exclude(gone_at=None) if filters.state == "gone" else keys.filter(gone_at=None)
    for condition in _conditions(filters):
        keys = keys.filter(condition)
    return keys


def _conditions(filters: KeyFilters) -> list[Q]:
    now = timezone.now()
    expired = Q(expires_at__lte=now)
    exhausted = Q(limit_remaining__lte=0)
    states = {
        "active": Q(disabled=False) & ~expired & ~exhausted,
        "disabled": Q(disabled=True),
        "expired": Q(disabled=False) & expired,
        "exhausted": Q(disabled=False) & ~expired & exhausted,
    }
    conditions = containing(filters.q)
    if filters.workspace:
        conditions.append(Q(workspace__slug=filters.workspace))
    if filters.state in states:
        conditions.append(states[filters.state])
    if filters.owner:
        conditions.append(
            Q(creator_user_id=None) if filters.owner == NO_OWNER else Q(creator_user_id=filters.owner)
        )
    if filters.limit:
        conditions.append(Q(limit__isnull=filters.limit == "without"))
    if filters.guardrail:
        conditions.append(is_guarded() if filters.guardrail == "with" else ~is_guarded())
    if filters.expires:
        conditions.append(Q(expires_at__gt=now, expires_at__lte=now + timedelta(days=int(filters.expires))))
    if filters.idle:
        since = now - timedelta(days=int(filters.idle))
        # OpenRouter may leave out when a key was used last; what it spent this month still tells.
        unspent = Q(usage_monthly=0, byok_usage_monthly=0)
        conditions.append(Q(active_at__lt=since) | Q(active_at=None, created_at__lt=since) & unspent)
    return conditions


def _state_order() -> Case:
    """As ``Key.state`` tells them apart, the best first."""
    return Case(
        When(disabled=True, then=Value(3)),
        When(expires_at__lte=timezone.now(), then=Value(2)),
        When(limit_remaining__lte=0, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


# Columns that may be empty sort behind the full ones, whichever way round.
_ORDERS: dict[str, tuple[Combinable, bool]] = {
    "name": (F("sort_name"), False),
    "workspace": (F("workspace__name"), True),
    "owner": (Coalesce(F("owner__first_name"), F("owner__email")), True),
    "today": (F("usage_daily"), False),
    "month": (F("usage_monthly"), False),
    "limit": (F("limit"), True),
    "used": (F("active_at"), True),
    "expires": (F("expires_at"), True),
    "created": (F("created_at"), True),
}


def ordering(sort: str, *, backwards: bool = False, query: str = "") -> list[OrderBy]:
    """The order a list is asked for, made total by the row's id; ``backwards`` is its exact mirror.

    The few hits of a search are to be fetched first and sorted then. Shown a bare column, a database may
    walk its index instead and look at every key until a page is full. By name, what is called as the query
    comes first, then what begins so.
    """
    name = sort.removeprefix("-")
    column, nullable = (_state_order(), False) if name == "state" else _ORDERS[name]
    if query:
        column = Coalesce(column, column)
    down = sort.startswith("-") is not backwards
    # Empty values last; seen from the back they come first.
    nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
    kept = nulls if nullable else {}
    first = column.desc(**kept) if down else column.asc(**kept)  # type: ignore[attr-defined]
    # The id goes the same way as the column: so both directions are one walk along one index.
    total = [first, OrderBy(F("id"), descending=down)]
    return [OrderBy(_nearness(query), descending=down), *total] if query and sort == "name" else total


def _nearness(query: str) -> Case:
    """How near a key's name is to what was searched for, the nearest first."""
    wanted = query.strip().casefold()
    return Case(
        When(sort_name=wanted, then=Value(0)),
        When(sort_name__startswith=wanted, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


# What a row of the list shows; a key has three times as many columns.
SHOWN = (
    "hash",
    "name",
    "label",
    "disabled",
    "limit",
    "limit_remaining",
    "limit_reset",
    "usage",
    "byok_usage",
    "usage_daily",
    "usage_monthly",
    "byok_usage_monthly",
    "created_at",
    "active_at",
    "expires_at",
    "gone_at",
    "creator_user_id",
    "workspace__name",
    "owner__first_name",
    "owner__last_name",
    "owner__email",
    "owner__uid",
    "owner__gone_at",
)


def keys_page(keys: QuerySet[Key], filters: KeyFilters, *, number: str | None) -> Page[Key]:
    """One page of the filtered keys, workspace and owner loaded: two queries whatever the size.

    The page's ids are found in an index first and only these rows are read; a page in the farther half is
    counted from the end.
    """
    found = filtered(keys, filters)
    total = found.count()

    def rows(offset: int, limit: int) -> Sequence[Key]:
        if not total:
            return []
        backwards = offset > total // 2
        if backwards:
            limit = min(limit, total - offset)
            offset = total - offset - limit
        order = ordering(filters.sort, backwards=backwards, query=filters.q)
        ids = found.order_by(*order).values("pk")[offset : offset + limit]
        page = Key.objects.filter(pk__in=ids).select_related("workspace", "owner").only(*SHOWN)
        page = page.order_by(*order)
        return list(reversed(page)) if backwards else list(page)

    return page_of(total, number, rows)


@dataclass(frozen=True)
class Choices:
    """What a key form can offer."""

    workspaces: Sequence[Workspace]
    members: Sequence[Member]


def choices(organization: Organization) -> Choices:
    return Choices(
        workspaces=list(Workspace.objects.filter(organization=organization, gone_at=None)),
        members=list(Member.objects.filter(organization=organization, gone_at=None)),
    )


def rotations_of(keys: QuerySet[Key]) -> QuerySet[Rotation]:
    """Rotations whose old key is among ``keys``, keys loaded, newest first.

    ``shows_successor`` says whether the new one is among them too: an administrator may have given it to
    somebody else, and then nothing of it is to be shown.
    """
    # Asked rotation by rotation: there are few of them, and the keys may be a hundred thousand.
    old, new = (Exists(keys.filter(pk=OuterRef(name))) for name in ("old", "new"))
    return (
        Rotation.objects.filter(old)
        .annotate(shows_successor=new)
        .select_related("organization", "old__workspace", "new__workspace", "old__organization", "started_by")
    )


def may_enable(*, user: User, key: Key, may_change: bool) -> bool:
    """A member may undo only a disabling of their own: an administrator's lock is not theirs to open."""
    return may_change or not key.disabled or disabled_by(user=user, key=key)


def disabled_by(*, user: User, key: Key) -> bool:
    """Whether the last who switched the key off or on, here or elsewhere, is this user, and it was off."""
    last = _switches().filter(organization=key.organization, target_id=key.hash).first()
    return last is not None and last.action == "key.disable" and last.actor_id == user.pk


def lockable(keys: QuerySet[Key]) -> QuerySet[Key]:
    """The disabled ones among ``keys`` that whoever disabled them may enable again, being no administrator.
    An administrator who disables them too makes that their own lock."""
    last = _switches().filter(organization=OuterRef("organization"), target_id=OuterRef("hash"))
    roles = [role for role, may in PERMISSIONS.items() if Permission.CHANGE in may]
    administrators = Membership.objects.filter(
        organization=OuterRef("organization"), user=OuterRef("last_actor"), role__in=roles
    )
    return (
        keys.filter(disabled=True, gone_at=None)
        .annotate(last_act=Subquery(last.values("action")[:1]), last_actor=Subquery(last.values("actor")[:1]))
        .filter(~Exists(administrators), last_act="key.disable", last_actor__isnull=False)
    )


def _switches() -> QuerySet[Entry]:
    """Each time that a key was switched off or on, the newest first."""
    switched = Entry.objects.filter(target_type="key", outcome=Outcome.OK, after__has_key="disabled")
    return switched.order_by("-id")

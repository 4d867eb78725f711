"""From the mirror to layers and budgets: what applies to one key, to one member, to everybody of a workspace.

A handful of queries each. A member's guardrail covers every key that the member made, beside the key's own;
the default guardrail of a workspace covers everything in it (FACTS 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum, Value

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    Member,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
)
from orgadmin.policy.layers import OTHER, ZDR_GROUPS, Budget, Layer, Source, stronger
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.pools import LIFETIME, pools_of

DEFAULT, MEMBER, KEY = 0, 1, 2
# What a switch forbids when it is off.
_SWITCHES: Mapping[str, str] = {
    "enable_paid_model_training": "paid_training",
    "enable_free_model_training": "free_training",
    "enable_free_model_publication": "free_publication",
}
_XAI = "enforce_zdr_xai"


@dataclass(frozen=True)
class Applied:
    """What applies: the guardrails by rank, as rows and as layers, and every budget."""

    guardrails: list[tuple[int, Guardrail]] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)

    @property
    def layers(self) -> list[Layer]:
        return [layer_of(guardrail, rank) for rank, guardrail in self.guardrails]


def layer_of(guardrail: Guardrail, rank: int) -> Layer:
    """The rules of one guardrail. Where a server does not know xAI's switch, "other" covers xAI too (FACTS
    trap 12)."""
    zdr = {group for group in ZDR_GROUPS if getattr(guardrail, f"enforce_zdr_{group}")}
    if OTHER in zdr and _XAI in guardrail.lacks:
        zdr.add("xai")
    return Layer(
        source=Source(rank, guardrail.name, guardrail.uid),
        allowed_models=_listed(guardrail.allowed_models),
        ignored_models=frozenset(guardrail.ignored_models or ()),
        allowed_providers=_listed(guardrail.allowed_providers),
        ignored_providers=frozenset(guardrail.ignored_providers or ()),
        zdr=frozenset(zdr),
        forbidden=frozenset(
            meaning for name, meaning in _SWITCHES.items() if getattr(guardrail, name) is False
        ),
        regions=_listed(guardrail.allowed_data_regions),
        filters=_filters(guardrail),
    )


def _listed(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _filters(guardrail: Guardrail) -> dict[str, str]:
    builtin = {one["slug"]: one["action"] for one in guardrail.content_filter_builtins or ()}
    custom: dict[str, str] = {}
    for one in guardrail.content_filters or ():
        name = f"/{one['pattern']}/"
        custom[name] = stronger(custom.get(name), one["action"])
    return {**builtin, **custom}


def of_key(key: Key) -> Applied:
    """What applies to a key: its own guardrail, its owner's, its workspace's default, and every limit."""
    counted = _Counted(key.organization)
    wanted = _held(key)
    if key.workspace is not None:
        wanted[DEFAULT] = key.workspace.default_guardrail_id
    found = _rows(key.organization, wanted)
    budgets: list[Budget] = []
    if key.limit is not None:
        left = key.limit_remaining
        used = key.limit - left if left is not None and counted.is_of_now(key.limit_reset) else None
        budgets.append(
            Budget("limit of the key", key.name, key.limit, key.limit_reset, key.include_byok_in_limit, used)
        )
    for rank, guardrail in found:
        of_the_key = guardrail.limit_usd is not None and rank != MEMBER
        if of_the_key:
            budgets.append(_budget(guardrail, "budget of the key", counted.by_key(key, guardrail)))
        if guardrail.limit_usd is not None and rank != KEY and key.owner is not None:
            budgets.append(
                _budget(guardrail, "budget of the member", counted.by_member(key.owner, guardrail))
            )
    if key.workspace is not None:
        budgets += _of_workspace(key.organization, key.workspace)
    return Applied(found, budgets)


def _held(key: Key) -> dict[int, str | None]:
    """The guardrails of the key and of its owner: one query."""
    mine = {"organization": key.organization_id, "gone_at": None}
    held = KeyAssignment.objects.filter(key_hash=key.hash, **mine).values_list(Value(KEY), "guardrail_uid")
    if key.owner is not None:
        theirs = MemberAssignment.objects.filter(user_id=key.owner.uid, **mine)
        held = held.union(theirs.values_list(Value(MEMBER), "guardrail_uid"))
    return dict(held)


def of_member(member: Member) -> Applied:
    """What applies to everything a member does, whichever key they use: their guardrail."""
    counted = _Counted(member.organization)
    found = _rows(member.organization, {MEMBER: _of_member(member)})
    budgets = [
        _budget(guardrail, "budget of the member", counted.by_member(member, guardrail))
        for _, guardrail in found
        if guardrail.limit_usd is not None
    ]
    return Applied(found, budgets)


def of_workspace(workspace: Workspace) -> Applied:
    """What applies to everything in a workspace: its default guardrail, whose budget is each key's and each
    member's own, so that there is no one figure of it here; and the workspace's own budgets."""
    found = _rows(workspace.organization, {DEFAULT: workspace.default_guardrail_id})
    return Applied(found, _of_workspace(workspace.organization, workspace))


def _of_workspace(organization: Organization, workspace: Workspace) -> list[Budget]:
    """Its budgets, with our estimate of what is used (``orgadmin.usage.pools``): one query where it has
    none, four where it has."""
    row = WorkspaceBudgets.objects.filter(
        organization=organization, workspace_uid=workspace.uid, gone_at=None
    ).first()
    if row is None:
        return []
    pools, with_byok = pools_of(organization), bool(workspace.include_byok_in_budgets)
    return [
        Budget(
            scope="budget of the workspace",
            name=f"{workspace.name}, by our estimate",
            limit=limit,
            interval=None if interval == LIFETIME else interval,
            includes_byok=with_byok,
            used=None if pools is None else pools.of(workspace.pk, interval).counted(with_byok=with_byok),
        )
        for interval, limit in row.limits.items()
    ]


def _of_member(member: Member) -> str | None:
    held = MemberAssignment.objects.filter(
        organization=member.organization_id, user_id=member.uid, gone_at=None
    )
    return held.values_list("guardrail_uid", flat=True).first()


def _rows(organization: Organization, wanted: Mapping[int, str | None]) -> list[tuple[int, Guardrail]]:
    uids = [uid for uid in wanted.values() if uid]
    rows = {
        row.uid: row
        for row in Guardrail.objects.filter(organization=organization, uid__in=uids, gone_at=None)
    }
    return [(rank, rows[uid]) for rank, uid in sorted(wanted.items()) if uid in rows]


# --- budgets ---


def _budget(guardrail: Guardrail, scope: str, used: Decimal | None) -> Budget:
    assert guardrail.limit is not None
    return Budget(
        scope=scope,
        name=guardrail.name,
        limit=guardrail.limit,
        interval=guardrail.reset_interval,
        includes_byok=bool(guardrail.include_byok_in_budgets),
        used=used,
    )


def window_start(interval: str | None) -> datetime | None:
    """When the window of a daily, weekly or monthly budget began (UTC; weeks on Monday); None for any other
    interval."""
    day = today()
    starts = {
        "daily": day,
        "weekly": day - timedelta(days=day.weekday()),
        "monthly": day.replace(day=1),
    }
    return midnight(starts[interval]) if interval in starts else None


class _Counted:
    """The counters of keys, as of the last pull; None where that was before the window began."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        asked = organization.summary.get("asked_at")
        self._asked = datetime.fromisoformat(asked) if asked else None

    def is_of_now(self, interval: str | None) -> bool:
        """Whether the keys were asked since the window of a limit began; one without a window has begun."""
        start = window_start(interval)
        if start is None:
            return interval is None
        return self._asked is not None and self._asked >= start

    def by_key(self, key: Key, guardrail: Guardrail) -> Decimal | None:
        columns = self._columns(guardrail)
        return None if columns is None else sum((getattr(key, name) for name in columns), Decimal(0))

    def by_member(self, member: Member, guardrail: Guardrail) -> Decimal | None:
        """What their keys used, deleted ones in the window they still lived in; what they use without a key
        is not in it."""
        columns, start = self._columns(guardrail), window_start(guardrail.reset_interval)
        if columns is None or start is None:
            return None
        keys = Key.objects.filter(
            Q(gone_at=None) | Q(gone_at__gte=start), organization=self._organization, owner=member
        )
        sums: dict[str, Any] = keys.aggregate(**{name: Sum(name) for name in columns})
        return sum((Decimal(value) for value in sums.values() if value is not None), Decimal(0))

    def _columns(self, guardrail: Guardrail) -> tuple[str, ...] | None:
        start = window_start(guardrail.reset_interval)
        if start is None or self._asked is None or self._asked < start:
            return None
        ours = f"usage_{guardrail.reset_interval}"
        return (ours, f"byok_{ours}") if guardrail.include_byok_in_budgets else (ours,)

"""Budgets of workspaces: US dollars for everything in a workspace together, at most one an interval.

Windows begin at 00:00 UTC, weeks on Monday, months on the 1st; the lifetime budget never resets. What is used
of one is nowhere in the API. Only enterprise plans have budgets; how another plan refuses is not documented,
so ask `errors.lacks_feature`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound, OpenRouterError, UnreadableAnswer
from orgadmin.openrouter.reading import read_data, read_list
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET, Unset

LIFETIME = "lifetime"
INTERVALS = ("daily", "weekly", "monthly", LIFETIME)
"""The narrowest first."""

METHOD_NOT_ALLOWED = 405


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceBudget:
    """One budget. `reset_interval` is None for the lifetime budget, which paths call `lifetime`."""

    id: str
    workspace_id: str
    limit_usd: Decimal
    reset_interval: str | None
    created_at: datetime | None
    updated_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def interval(self) -> str:
        """What paths and messages call its interval."""
        return LIFETIME if self.reset_interval is None else self.reset_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceBudgets:
    """The budgets of a workspace, and whether use of keys of one's own counts in all of them (None when an
    older server does not say).
    """

    budgets: tuple[WorkspaceBudget, ...]
    include_byok_in_budgets: bool | None

    def of(self, interval: str) -> WorkspaceBudget | None:
        """The budget of an interval, if there is one."""
        return next((budget for budget in self.budgets if budget.interval == interval), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One call on the way from some budgets to others; `limit_usd` None takes the budget away."""

    interval: str
    limit_usd: Decimal | None


def get_all(client: OpenRouter, *, workspace_id: str) -> WorkspaceBudgets:
    """`GET /workspaces/{id}/budgets`: at most four, in no order. NotFound where there is no such workspace,
    or for a plan without budgets.
    """
    answer = client.request("GET", path("workspaces", workspace_id, "budgets"))
    return WorkspaceBudgets(
        budgets=read_list(WorkspaceBudget, answer), include_byok_in_budgets=_counts_byok(answer)
    )


def get(client: OpenRouter, *, workspace_id: str, interval: str) -> WorkspaceBudget | None:
    """`GET /workspaces/{id}/budgets/{interval}`, or None where there is none.

    Not every server has this read, and a 404 does not tell why: the list then answers instead, with its own
    errors.
    """
    _check_interval(interval)
    try:
        answer = client.request("GET", path("workspaces", workspace_id, "budgets", interval))
    except OpenRouterError as failure:
        if not isinstance(failure, NotFound) and failure.status != METHOD_NOT_ALLOWED:
            raise
        return get_all(client, workspace_id=workspace_id).of(interval)
    return read_data(WorkspaceBudget, answer)


def put(
    client: OpenRouter,
    *,
    workspace_id: str,
    interval: str,
    limit_usd: Decimal,
    include_byok_in_budgets: bool | Unset = UNSET,
) -> WorkspaceBudget:
    """`PUT /workspaces/{id}/budgets/{interval}`: make or change the budget, safe to repeat.

    `include_byok_in_budgets` is one switch of the workspace for all its budgets, although it is sent with
    one. InvalidRequest when a wider interval would not be strictly larger, or a narrower one not strictly
    smaller; upstream's message names both limits. Raises ValueError before sending for an unknown interval
    and for a limit that is not above zero.
    """
    _check_interval(interval)
    if not limit_usd.is_finite() or limit_usd <= 0:
        raise ValueError("A budget is a finite amount above zero.")
    body: dict[str, Any] = {"limit_usd": limit_usd}
    if include_byok_in_budgets is not UNSET:
        body["include_byok_in_budgets"] = include_byok_in_budgets
    answer = client.request("PUT", path("workspaces", workspace_id, "budgets", interval), body=body)
    return read_data(WorkspaceBudget, answer, write=True)


def delete(client: OpenRouter, *, workspace_id: str, interval: str) -> None:
    """`DELETE /workspaces/{id}/budgets/{interval}`. Upstream answers the same when there was none. NotFound
    where there is no such workspace, or for a plan without budgets.
    """
    _check_interval(interval)
    answer = client.request("DELETE", path("workspaces", workspace_id, "budgets", interval))
    if answer.get("deleted", True) is not True:
        message = "OpenRouter did not confirm that the budget is deleted."
        raise UnreadableAnswer(message, outcome_unknown=True)


def misordered(limits: Mapping[str, Decimal]) -> tuple[str, str] | None:
    """Two neighbouring intervals, the narrower first, of which upstream would refuse the limits: the wider
    one must be strictly larger. None when all are in order. Only intervals that have a limit are compared.
    """
    present = [interval for interval in INTERVALS if interval in limits]
    return next(
        ((narrow, wide) for narrow, wide in pairwise(present) if limits[narrow] >= limits[wide]), None
    )


def steps(current: Mapping[str, Decimal], wanted: Mapping[str, Decimal]) -> tuple[Step, ...]:
    """The calls that lead from budgets in order to others in order, each of which upstream accepts.

    First what goes, then what grows from the widest down, then what shrinks from the narrowest up, and what
    is new last. Raises ValueError when `wanted` is out of order.
    """
    disorder = misordered(wanted)
    if disorder:
        raise ValueError(f"The {disorder[0]} budget must be less than the {disorder[1]} budget.")
    both = [interval for interval in INTERVALS if interval in current and interval in wanted]
    gone = [Step(interval, None) for interval in INTERVALS if interval in current and interval not in wanted]
    grown = [interval for interval in reversed(both) if wanted[interval] > current[interval]]
    shrunk = [interval for interval in both if wanted[interval] < current[interval]]
    new = [interval for interval in INTERVALS if interval in wanted and interval not in current]
    return (*gone, *(Step(interval, wanted[interval]) for interval in (*grown, *shrunk, *new)))


def _check_interval(interval: str) -> None:
    if interval not in INTERVALS:
        raise ValueError(f"There is no interval “{interval}”.")


def _counts_byok(answer: Mapping[str, Any]) -> bool | None:
    value = answer.get("include_byok_in_budgets")
    return value if isinstance(value, bool) else None

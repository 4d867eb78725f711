"""Who is in the invented organization's workspaces, and what the workspaces may spend."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orgadmin.sandbox.dice import Dice, uuid_text
from orgadmin.sandbox.moments import days
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.budgets import INTERVALS, BudgetRow
from orgadmin.sandbox.state.members import MemberRow
from orgadmin.sandbox.state.memberships import MembershipRow, role_of
from orgadmin.sandbox.state.workspaces import WorkspaceRow

_SHARE_OF_MONTH = {"lifetime": 15.0, "monthly": 1.0, "weekly": 0.3, "daily": 0.066}
_BUDGETED: dict[int, tuple[str, ...]] = {
    1: ("monthly", "weekly", "daily"),
    2: ("monthly",),
    3: ("lifetime", "daily"),
}
"""By the number of the workspace; the rest have none. The second one counts keys of one's own as well."""

MOST_OTHERS = 12
"""How many people at most are put into a workspace although they have no key there."""

_ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5)


def add_memberships(account: Account, born: datetime) -> None:
    """Everybody who made a key in a workspace, and a few of the others."""
    people = list(account.members)
    for number, workspace in enumerate(_by_age(account)):
        if not people or workspace.id == account.workspaces.default_id:
            continue
        dice = Dice("memberships", account.seed, number)
        ids = {key.creator_user_id for key in account.keys.of_workspace(workspace.id)}
        ids |= {dice.pick(people).id for _ in range(min(MOST_OTHERS, 1 + len(people) // 4))}
        for member in people:
            if member.id in ids:
                account.memberships.add(_membership(account, workspace, member, born, managed=number == 2))


def _membership(
    account: Account, workspace: WorkspaceRow, member: MemberRow, born: datetime, *, managed: bool
) -> MembershipRow:
    dice = Dice("membership", account.seed, workspace.id, member.id)
    return MembershipRow(
        id=uuid_text("membership", account.seed, workspace.id, member.id),
        workspace_id=workspace.id,
        user_id=member.id,
        role=role_of(member),
        created_at=min(workspace.created_at + days(dice.between(0, 20)), born),
        long=dice.happens(0.5),
        managed=managed and dice.happens(0.3),
    )


def add_budgets(account: Account, history: int, born: datetime) -> None:
    """Budgets of a few workspaces around what they spend. `history` is in days, and bought were about four
    times `top_up` in it."""
    month = account.top_up * 4 / max(30, history) * 30
    for number, workspace in enumerate(_by_age(account)):
        share = len(account.keys.of_workspace(workspace.id)) / max(1, len(account.keys))
        for interval in _BUDGETED.get(number, ()):
            created = min(workspace.created_at + days(3 + INTERVALS.index(interval)), born)
            account.budgets.add(
                BudgetRow(
                    id=uuid_text("budget", account.seed, workspace.id, interval),
                    workspace_id=workspace.id,
                    interval=interval,
                    limit_usd=_rounded(max(40.0, month * share) * _SHARE_OF_MONTH[interval]),
                    created_at=created,
                    updated_at=created,
                    long=number % 2 == 1,
                )
            )
        workspace.include_byok_in_budgets = number == 2


def _by_age(account: Account) -> Iterable[WorkspaceRow]:
    """The oldest first, as they were numbered."""
    return reversed(list(account.workspaces))


def _rounded(amount: float) -> float | int:
    """The next amount that somebody would type in."""
    scale = 1.0
    while amount >= scale * 10:
        scale *= 10
    limit = next((figure for figure in _ROUND if figure * scale >= amount), 10) * scale
    return int(limit) if limit == int(limit) else limit

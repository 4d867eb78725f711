"""The budgets of workspaces: at most one an interval, smaller the shorter it is, and only on some plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orgadmin.sandbox.errors import ForbiddenError, InvalidRequestError, NotFoundError

INTERVALS = ("daily", "weekly", "monthly", "lifetime")
"""The narrowest first."""

ENTERPRISE = "enterprise"
FORBIDDEN = "forbidden"
ABSENT = "absent"
PLANS = (ENTERPRISE, FORBIDDEN, ABSENT)


@dataclass(slots=True, eq=False)
class BudgetRow:
    """One budget. `limit_usd` is for everything in the workspace together; nothing says what is used."""

    id: str
    workspace_id: str
    interval: str
    limit_usd: float | int
    created_at: datetime
    updated_at: datetime
    long: bool = False


class Budgets:
    """All budgets. On a `plan` that is `forbidden` none can be set (403); where they are `absent` the
    account does not have them at all (404)."""

    def __init__(self, *, plan: str = ENTERPRISE) -> None:
        self.plan = plan
        self._rows: dict[tuple[str, str], BudgetRow] = {}

    def __iter__(self) -> Iterator[BudgetRow]:
        return iter(self._rows.values())

    def check_there(self) -> None:
        """Raises NotFoundError on a plan that knows no budgets."""
        if self.plan == ABSENT:
            raise NotFoundError("Workspace budgets are not available for this account")

    def check_settable(self) -> None:
        """Raises ServiceError on a plan that has none to set."""
        self.check_there()
        if self.plan == FORBIDDEN:
            raise ForbiddenError("Workspace budgets require an Enterprise plan")

    def add(self, row: BudgetRow) -> None:
        self._rows[row.workspace_id, row.interval] = row

    def take_over(self, rows: Iterable[BudgetRow]) -> None:
        """Holds these budgets and no others."""
        self._rows = {(row.workspace_id, row.interval): row for row in rows}

    def find(self, workspace_id: str, interval: str) -> BudgetRow | None:
        return self._rows.get((workspace_id, interval))

    def get(self, workspace_id: str, interval: str) -> BudgetRow:
        row = self.find(workspace_id, interval)
        if row is None:
            raise NotFoundError("Workspace budget not found")
        return row

    def of_workspace(self, workspace_id: str) -> list[BudgetRow]:
        """In the order they were first set."""
        return [row for row in self if row.workspace_id == workspace_id]

    def check_order(self, workspace_id: str, interval: str, limit: float | int) -> None:
        """Raises InvalidRequestError unless every wider budget there is stays larger, every narrower one
        smaller."""
        place = INTERVALS.index(interval)
        for row in sorted(self.of_workspace(workspace_id), key=lambda row: INTERVALS.index(row.interval)):
            other = INTERVALS.index(row.interval)
            if other < place and limit <= row.limit_usd:
                raise _disorder(interval, limit, "greater", row)
            if other > place and limit >= row.limit_usd:
                raise _disorder(interval, limit, "less", row)

    def remove(self, workspace_id: str, interval: str) -> None:
        """Does nothing where there is none."""
        self._rows.pop((workspace_id, interval), None)

    def drop_workspace(self, workspace_id: str) -> None:
        for interval in INTERVALS:
            self.remove(workspace_id, interval)


def _disorder(interval: str, limit: float | int, comparison: str, other: BudgetRow) -> InvalidRequestError:
    return InvalidRequestError(
        f"The {interval} budget (${limit:,.2f}) must be {comparison} than "
        f"the {other.interval} budget (${other.limit_usd:,.2f})"
    )

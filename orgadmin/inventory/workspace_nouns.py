"""How the budgets and the members of workspaces are mirrored: a call for each workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Member, Workspace
from orgadmin.inventory.workspace_models import INTERVALS, place_of
from orgadmin.openrouter import workspace_budgets, workspace_members
from orgadmin.openrouter.errors import NotFound
from orgadmin.openrouter.transport import OpenRouter


def plain_budgets(workspace_uid: str, found: workspace_budgets.WorkspaceBudgets) -> SimpleNamespace | None:
    """The client's budgets of one workspace as the columns hold them; None where there are none."""
    by_interval = {budget.interval: budget for budget in found.budgets}
    if not by_interval:
        return None
    made = {interval: budget.created_at for interval, budget in by_interval.items()}
    strangers = {name: budget for name, budget in by_interval.items() if name not in INTERVALS}
    return SimpleNamespace(
        workspace_uid=workspace_uid,
        **{name: by_interval[name].limit_usd if name in by_interval else None for name in INTERVALS},
        include_byok=found.include_byok_in_budgets,
        since={interval: moment.isoformat() for interval, moment in made.items() if moment},
        extra={name: str(budget.limit_usd) for name, budget in strangers.items()},
    )


def walk_budgets(client: OpenRouter, workspace_uid: str | None) -> Iterator[Sequence[Any]]:
    assert workspace_uid is not None
    found = plain_budgets(workspace_uid, workspace_budgets.get_all(client, workspace_id=workspace_uid))
    yield [found] if found else []


def confirm_budgets(client: OpenRouter, workspace_uid: str) -> Any:
    """Raises NotFound when the workspace has no budget any more, or is gone itself."""
    found = plain_budgets(workspace_uid, workspace_budgets.get_all(client, workspace_id=workspace_uid))
    if found is None:
        raise NotFound("This workspace has no budgets.")
    return found


def plain_member(found: workspace_members.WorkspaceMember, workspace_uid: str) -> SimpleNamespace:
    """The client's membership as the columns hold it."""
    return SimpleNamespace(
        place=place_of(workspace_uid, found.user_id),
        uid=found.id,
        workspace_uid=workspace_uid,
        user_id=found.user_id,
        role=found.role,
        created_at=found.created_at,
        extra=found.extra,
    )


def walk_members(client: OpenRouter, workspace_uid: str | None) -> Iterator[Sequence[Any]]:
    assert workspace_uid is not None
    for page in workspace_members.walk(client, workspace_id=workspace_uid):
        yield [plain_member(one, workspace_uid) for one in page]


def but_the_default(organization: Organization) -> Callable[[str], bool]:
    """Whether a workspace has members of its own: everybody is in the default one."""
    return lambda uid: uid != organization.default_workspace_uid


def names_of_workspaces(organization: Organization) -> dict[str, str]:
    return dict(Workspace.objects.filter(organization=organization).values_list("uid", "name"))


def names_of_both(organization: Organization) -> dict[str, str]:
    """What workspaces and members are called, by their ids."""
    people = {row.uid: str(row) for row in Member.objects.filter(organization=organization)}
    return {**names_of_workspaces(organization), **people}


def called_place(names: dict[str, str], workspace_uid: str, user_id: str) -> str:
    """ "Ada Lovelace in Research"."""
    return f"{names.get(user_id, user_id)} in {names.get(workspace_uid, workspace_uid)}"


BUDGET_COLUMNS = {name: name for name in (*INTERVALS, "include_byok", "since")}
MEMBER_COLUMNS = {name: name for name in ("uid", "workspace_uid", "user_id", "role", "created_at")}

"""How guardrails and their assignments are mirrored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence, Set
from types import SimpleNamespace
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import KeyAssignment, Member, MemberAssignment
from orgadmin.openrouter import guardrail_assignments, guardrails
from orgadmin.openrouter.errors import NotFound
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET

# Everything that a guardrail says; a change in any of it is worth an audit entry.
RULES = (
    "name",
    "description",
    "limit_usd",
    "reset_interval",
    "include_byok_in_budgets",
    "allowed_models",
    "ignored_models",
    "allowed_providers",
    "ignored_providers",
    "enforce_zdr_anthropic",
    "enforce_zdr_openai",
    "enforce_zdr_google",
    "enforce_zdr_xai",
    "enforce_zdr_other",
    "enable_paid_model_training",
    "enable_free_model_training",
    "enable_free_model_publication",
    "allow_safety_retention_google",
    "allow_safety_retention_other",
    "allowed_data_regions",
    "content_filter_builtins",
    "content_filters",
)
_FILTERS = ("content_filter_builtins", "content_filters")
# Of those that no list shows, so many are asked for in one pull.
MOST_BEYOND = 50


def plain(guardrail: guardrails.Guardrail) -> SimpleNamespace:
    """The client's object as columns hold it: filters as objects, and what the server did not send as null,
    named in ``lacks``."""
    values = {item.name: getattr(guardrail, item.name) for item in dataclasses.fields(guardrail)}
    lacks = sorted(name for name, value in values.items() if value is UNSET)
    for name in _FILTERS:
        if values[name] is not None:
            values[name] = [_filter(one) for one in values[name]]
    for name, value in values.items():
        if isinstance(value, tuple):
            values[name] = list(value)
    return SimpleNamespace(**{**values, **dict.fromkeys(lacks, None), "lacks": lacks})


def _filter(one: guardrails.BuiltinFilter | guardrails.CustomFilter) -> dict[str, Any]:
    """A filter as upstream spells it, its label included."""
    return {**one.body(), **({} if one.label is None else {"label": one.label})}


def walk_guardrails(client: OpenRouter, workspace_uid: str | None) -> Iterator[Sequence[Any]]:
    for page in guardrails.walk(client, workspace_id=workspace_uid):
        yield [plain(one) for one in page]


def confirm_guardrail(client: OpenRouter, uid: str) -> Any:
    return plain(guardrails.get(client, guardrail_id=uid))


def beyond_lists(client: OpenRouter, organization: Organization, seen: Set[str]) -> Iterator[Sequence[Any]]:
    """Guardrails that somebody holds and no list shows: those from before there were workspaces (FACTS trap
    4)."""
    held = {
        uid
        for model in (KeyAssignment, MemberAssignment)
        for uid in model.objects.filter(organization=organization, gone_at=None)
        .order_by()
        .values_list("guardrail_uid", flat=True)
        .distinct()
    }
    for uid in sorted(held - seen)[:MOST_BEYOND]:
        try:
            yield [confirm_guardrail(client, uid)]
        except NotFound:
            continue


def walk_key_assignments(client: OpenRouter, _: str | None) -> Iterator[Sequence[Any]]:
    yield from guardrail_assignments.key_walk(client)


def walk_member_assignments(client: OpenRouter, _: str | None) -> Iterator[Sequence[Any]]:
    yield from guardrail_assignments.member_walk(client)


def names_of_members(organization: Organization) -> dict[str, str]:
    return {row.uid: str(row) for row in Member.objects.filter(organization=organization)}


GUARDRAIL_COLUMNS = {
    **{name: name for name in RULES},
    "workspace_uid": "workspace_id",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "lacks": "lacks",
}
ASSIGNMENT_COLUMNS = {
    "uid": "id",
    "guardrail_uid": "guardrail_id",
    "assigned_by": "assigned_by",
    "created_at": "created_at",
}
# A move makes a new row upstream: what counts is which guardrail it is.
ASSIGNMENT_VOLATILE = frozenset({"uid", "assigned_by", "created_at", "key_name"})
GUARDRAIL_VOLATILE = frozenset({"created_at", "updated_at", "lacks"})

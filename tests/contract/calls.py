"""How the vendor's client makes each call that the sandbox serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openrouter import OpenRouter, components, operations
from pydantic import BaseModel

from tests.sandbox_server import RunningSandbox


@dataclass(frozen=True)
class Subject:
    """Things there are: a key's hash, a workspace without keys, a guardrail held by the key and a member."""

    key: str
    workspace: str
    guardrail: str
    member: str


def subject(running: RunningSandbox) -> Subject:
    outside = running.sandbox.outside
    outside.rename_workspace("sandbox", name="Emptied")
    row = running.sandbox.account.workspaces.get("sandbox")
    for key in running.sandbox.every_key(row.id):
        outside.delete_key(key["hash"])
    key, member = running.sandbox.every_key()[0]["hash"], next(iter(running.sandbox.account.members)).id
    guardrail = outside.create_guardrail(
        name="Held",
        content_filters=[{"pattern": "x", "action": "block", "label": None}],
        content_filter_builtins=[{"slug": "email", "action": "redact", "label": "[EMAIL]"}],
    )
    outside.assign_guardrail(guardrail, keys=[key], members=[member])
    return Subject(key, row.id, guardrail, member)


@dataclass(frozen=True)
class SdkCall:
    """`model` is what the whole answer must look like; `inference` says that any key may call; `unless`
    are fields that come only when there is something to say."""

    make: Callable[[OpenRouter, Subject], Any]
    model: type[BaseModel]
    inference: bool = False
    unless: frozenset[str] = frozenset()


# Only one builtin filter has a scope.
FILTER = frozenset({"scan_scope"})
INJECTION = components.ContentFilterBuiltinEntryInput(slug="regex-prompt-injection", action="flag")

CALLS: dict[str, SdkCall] = {
    "GET /key": SdkCall(
        lambda sdk, it: sdk.api_keys.get_current_key_metadata(),
        operations.GetCurrentKeyResponse,
        inference=True,
    ),
    "GET /keys": SdkCall(
        lambda sdk, it: sdk.api_keys.list(include_disabled=True, include_expired=True),
        operations.ListResponse,
    ),
    "POST /keys": SdkCall(lambda sdk, it: sdk.api_keys.create(name="x"), operations.CreateKeysResponse),
    "GET /keys/{hash}": SdkCall(lambda sdk, it: sdk.api_keys.get(hash=it.key), operations.GetKeyResponse),
    "PATCH /keys/{hash}": SdkCall(
        lambda sdk, it: sdk.api_keys.update(hash=it.key, name="y"), operations.UpdateKeysResponse
    ),
    "DELETE /keys/{hash}": SdkCall(
        lambda sdk, it: sdk.api_keys.delete(hash=it.key), operations.DeleteKeysResponse
    ),
    "GET /workspaces": SdkCall(lambda sdk, it: sdk.workspaces.list(), components.ListWorkspacesResponse),
    "POST /workspaces": SdkCall(
        lambda sdk, it: sdk.workspaces.create(name="x", slug="x"), components.CreateWorkspaceResponse
    ),
    "GET /workspaces/{id}": SdkCall(
        lambda sdk, it: sdk.workspaces.get(id=it.workspace), components.GetWorkspaceResponse
    ),
    "PATCH /workspaces/{id}": SdkCall(
        lambda sdk, it: sdk.workspaces.update(id=it.workspace, name="y"), components.UpdateWorkspaceResponse
    ),
    "DELETE /workspaces/{id}": SdkCall(
        lambda sdk, it: sdk.workspaces.delete(id=it.workspace), components.DeleteWorkspaceResponse
    ),
    "GET /guardrails": SdkCall(
        lambda sdk, it: sdk.guardrails.list(), components.ListGuardrailsResponse, unless=FILTER
    ),
    "POST /guardrails": SdkCall(
        lambda sdk, it: sdk.guardrails.create(name="x", content_filter_builtins=[INJECTION]),
        components.CreateGuardrailResponse,
    ),
    "GET /guardrails/{id}": SdkCall(
        lambda sdk, it: sdk.guardrails.get(id=it.guardrail), components.GetGuardrailResponse, unless=FILTER
    ),
    "PATCH /guardrails/{id}": SdkCall(
        lambda sdk, it: sdk.guardrails.update(id=it.guardrail, limit_usd=5, reset_interval="daily"),
        components.UpdateGuardrailResponse,
        unless=FILTER,
    ),
    "DELETE /guardrails/{id}": SdkCall(
        lambda sdk, it: sdk.guardrails.delete(id=it.guardrail), components.DeleteGuardrailResponse
    ),
    "GET /guardrails/assignments/keys": SdkCall(
        lambda sdk, it: sdk.guardrails.list_key_assignments(), components.ListKeyAssignmentsResponse
    ),
    "GET /guardrails/assignments/members": SdkCall(
        lambda sdk, it: sdk.guardrails.list_member_assignments(), components.ListMemberAssignmentsResponse
    ),
    "GET /guardrails/{id}/assignments/keys": SdkCall(
        lambda sdk, it: sdk.guardrails.list_guardrail_key_assignments(id=it.guardrail),
        components.ListKeyAssignmentsResponse,
    ),
    "POST /guardrails/{id}/assignments/keys": SdkCall(
        lambda sdk, it: sdk.guardrails.bulk_assign_keys(id=it.guardrail, key_hashes=[it.key]),
        components.BulkAssignKeysResponse,
    ),
    "POST /guardrails/{id}/assignments/keys/remove": SdkCall(
        lambda sdk, it: sdk.guardrails.bulk_unassign_keys(id=it.guardrail, key_hashes=[it.key]),
        components.BulkUnassignKeysResponse,
    ),
    "GET /guardrails/{id}/assignments/members": SdkCall(
        lambda sdk, it: sdk.guardrails.list_guardrail_member_assignments(id=it.guardrail),
        components.ListMemberAssignmentsResponse,
    ),
    "POST /guardrails/{id}/assignments/members": SdkCall(
        lambda sdk, it: sdk.guardrails.bulk_assign_members(id=it.guardrail, member_user_ids=[it.member]),
        components.BulkAssignMembersResponse,
    ),
    "POST /guardrails/{id}/assignments/members/remove": SdkCall(
        lambda sdk, it: sdk.guardrails.bulk_unassign_members(id=it.guardrail, member_user_ids=[it.member]),
        components.BulkUnassignMembersResponse,
    ),
    "GET /organization/members": SdkCall(
        lambda sdk, it: sdk.organization.list_members(), operations.ListOrganizationMembersResponseBody
    ),
    "GET /credits": SdkCall(lambda sdk, it: sdk.credits.get_credits(), operations.GetCreditsResponse),
    "GET /activity": SdkCall(
        lambda sdk, it: sdk.analytics.get_user_activity(request={}),
        components.ActivityResponse,
        unless=frozenset({"workspace_id"}),
    ),
    "GET /analytics/meta": SdkCall(
        lambda sdk, it: sdk.analytics.get_analytics_meta(), operations.GetAnalyticsMetaResponse
    ),
    "POST /analytics/query": SdkCall(
        lambda sdk, it: sdk.analytics.query_analytics(metrics=["total_usage"], dimensions=["model"]),
        operations.QueryAnalyticsResponse,
        unless=frozenset({"cachedAt", "warnings"}),
    ),
}

"""How the vendor's client makes each call that the sandbox serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openrouter import OpenRouter, components, operations
from pydantic import BaseModel

from orgadmin.sandbox.state.budgets import BudgetRow
from tests.sandbox_server import RunningSandbox

PRICES = frozenset({
    "audio", "audio_output", "discount", "image", "image_output", "image_token", "input_audio_cache",
    "input_cache_read", "input_cache_write", "input_cache_write_1h", "internal_reasoning", "overrides",
    "request", "utc_days", "utc_end", "utc_start", "web_search",
})  # fmt: skip
MODEL = PRICES | {"alias_target", "artificial_analysis", "benchmarks", "reasoning", "supports_max_tokens"}
ENDPOINT = PRICES | {
    "decisions", "embeddings", "image_generation", "perf_last_30m_by_workload", "rerank", "stt",
    "text_generation", "tts", "unknown", "video_generation",
}  # fmt: skip
BUDGET = "5b1f0a52-0f6c-4a5e-9c1d-2f8e6f0b7a11"


@dataclass(frozen=True)
class Subject:
    """Things there are: a key's hash, a workspace without keys but with a monthly budget, a member of the
    organization, a guardrail that the key and the member hold, a credential with every restriction, a
    destination. The slug is of a preset of the first key's workspace."""

    key: str
    workspace: str
    member: str
    guardrail: str
    credential: str
    destination: str
    slug: str = "support-bot"


def subject(running: RunningSandbox) -> Subject:
    outside = running.sandbox.outside
    outside.rename_workspace("sandbox", name="Emptied")
    row = running.sandbox.account.workspaces.get("sandbox")
    for key in running.sandbox.every_key(row.id):
        outside.delete_key(key["hash"])
    key, member = running.sandbox.every_key()[0]["hash"], next(iter(running.sandbox.account.members)).id
    now = running.sandbox.now()
    running.sandbox.account.budgets.add(BudgetRow(BUDGET, row.id, "monthly", 100, now, now))
    guardrail = outside.create_guardrail(
        name="Held",
        content_filters=[{"pattern": "x", "action": "block", "label": None}],
        content_filter_builtins=[{"slug": "email", "action": "redact", "label": "[EMAIL]"}],
    )
    outside.assign_guardrail(guardrail, keys=[key], members=[member])
    credential = outside.create_credential(
        provider="openai",
        workspace_id=row.id,
        name="Ours",
        allowed_models=["openai/gpt-5.2"],
        allowed_api_key_hashes=[key],
        allowed_user_ids=[member],
        declared_region="us",
        declared_zdr=False,
    )
    destination = outside.create_destination(
        kind="langfuse",
        name="Watched",
        config={"secretKey": "sk-l...AbCd", "publicKey": "pk-l...EfGh", "baseUrl": "https://x.test"},
        filter_rules={
            "enabled": True,
            "groups": [{"logic": "or", "rules": [{"field": "model", "operator": "equals", "value": "x"}]}],
        },
    )
    return Subject(key, row.id, member, guardrail, credential, destination)


@dataclass(frozen=True)
class SdkCall:
    """`model` is what the whole answer must look like; `unless` are fields that come only when there is
    something to say. `inference` says that any key may call, `public` that it takes none at all, `unmanaged`
    that a management key may not."""

    make: Callable[[OpenRouter, Subject], Any]
    model: type[BaseModel]
    inference: bool = False
    unless: frozenset[str] = frozenset()
    public: bool = False
    unmanaged: bool = False


def as_bearer(sdk: OpenRouter) -> operations.ListModelsUserSecurity:
    """The client's own key, for a call that wants to be given one."""
    security = sdk.sdk_configuration.security
    assert isinstance(security, components.Security)
    return operations.ListModelsUserSecurity(bearer=security.api_key or "")


# Only one builtin filter has a scope.
FILTER = frozenset({"scan_scope"})
# Of a destination's settings most are optional, and so is the value of a filter rule.
SETTINGS = frozenset({
    "headers", "value", "endpoint", "project", "workspaceId", "region", "sessionToken", "baseUrl", "method",
    "pathTemplate", "prefix", "table", "database", "schema", "warehouse", "url",
})  # fmt: skip
INSTRUCTION = components.ChatSystemMessage(role="system", content="Be kind.")
GREETING = components.MessagesMessageParam(role="user", content="Hello")
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
    "GET /observability/destinations": SdkCall(
        lambda sdk, it: sdk.observability.list(),
        components.ListObservabilityDestinationsResponse,
        unless=SETTINGS,
    ),
    "POST /observability/destinations": SdkCall(
        lambda sdk, it: sdk.observability.create(
            config={"apiKey": "0123456789abcdef"}, name="x", type_="posthog"
        ),
        components.CreateObservabilityDestinationResponse,
        unless=SETTINGS,
    ),
    "GET /observability/destinations/{id}": SdkCall(
        lambda sdk, it: sdk.observability.get(id=it.destination),
        components.GetObservabilityDestinationResponse,
        unless=SETTINGS,
    ),
    "PATCH /observability/destinations/{id}": SdkCall(
        lambda sdk, it: sdk.observability.update(id=it.destination, name="y", sampling_rate=0.5),
        components.UpdateObservabilityDestinationResponse,
        unless=SETTINGS,
    ),
    "DELETE /observability/destinations/{id}": SdkCall(
        lambda sdk, it: sdk.observability.delete(id=it.destination),
        components.DeleteObservabilityDestinationResponse,
    ),
    "GET /workspaces/{id}/budgets": SdkCall(
        lambda sdk, it: sdk.workspaces.list_budgets(workspace_ref=it.workspace),
        components.ListWorkspaceBudgetsResponse,
    ),
    "GET /workspaces/{id}/budgets/{interval}": SdkCall(
        lambda sdk, it: sdk.workspaces.get_budget(workspace_ref=it.workspace, interval="monthly"),
        components.GetWorkspaceBudgetResponse,
    ),
    "PUT /workspaces/{id}/budgets/{interval}": SdkCall(
        lambda sdk, it: sdk.workspaces.set_budget(
            workspace_ref=it.workspace, interval="lifetime", limit_usd=500.5
        ),
        components.UpsertWorkspaceBudgetResponse,
    ),
    "DELETE /workspaces/{id}/budgets/{interval}": SdkCall(
        lambda sdk, it: sdk.workspaces.delete_budget(workspace_ref=it.workspace, interval="monthly"),
        components.DeleteWorkspaceBudgetResponse,
    ),
    "GET /workspaces/{id}/members": SdkCall(
        lambda sdk, it: sdk.workspaces.list_members(id="default"), components.ListWorkspaceMembersResponse
    ),
    "POST /workspaces/{id}/members/add": SdkCall(
        lambda sdk, it: sdk.workspaces.bulk_add_members(id=it.workspace, user_ids=[it.member]),
        components.BulkAddWorkspaceMembersResponse,
    ),
    "POST /workspaces/{id}/members/remove": SdkCall(
        lambda sdk, it: sdk.workspaces.bulk_remove_members(id=it.workspace, user_ids=[it.member]),
        components.BulkRemoveWorkspaceMembersResponse,
    ),
    "GET /byok": SdkCall(lambda sdk, it: sdk.byok.list(), components.ListBYOKKeysResponse),
    "POST /byok": SdkCall(
        lambda sdk, it: sdk.byok.create(key="sk-provider-0123456789", provider="openai"),
        components.CreateBYOKKeyResponse,
    ),
    "GET /byok/{id}": SdkCall(lambda sdk, it: sdk.byok.get(id=it.credential), components.GetBYOKKeyResponse),
    "PATCH /byok/{id}": SdkCall(
        lambda sdk, it: sdk.byok.update(id=it.credential, disabled=True), components.UpdateBYOKKeyResponse
    ),
    "DELETE /byok/{id}": SdkCall(
        lambda sdk, it: sdk.byok.delete(id=it.credential), components.DeleteBYOKKeyResponse
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
    "GET /models": SdkCall(
        lambda sdk, it: sdk.models.list(output_modalities="all"),
        components.ModelsListResponse,
        unless=MODEL,
        public=True,
    ),
    "GET /models/count": SdkCall(
        lambda sdk, it: sdk.models.count(), components.ModelsCountResponse, public=True
    ),
    "GET /models/user": SdkCall(
        lambda sdk, it: sdk.models.list_for_user(security=as_bearer(sdk)),
        components.ModelsListResponse,
        inference=True,
        unmanaged=True,
        unless=MODEL,
    ),
    "GET /model/{author}/{slug}": SdkCall(
        lambda sdk, it: sdk.models.get(author="openai", slug="gpt-5.2"),
        components.ModelResponse,
        unless=MODEL,
        public=True,
    ),
    "GET /models/{author}/{slug}/endpoints": SdkCall(
        lambda sdk, it: sdk.endpoints.list(author="openai", slug="gpt-5.2"),
        operations.ListEndpointsResponse,
        unless=ENDPOINT,
        public=True,
    ),
    "GET /endpoints/zdr": SdkCall(
        lambda sdk, it: sdk.endpoints.list_zdr_endpoints(),
        operations.ListEndpointsZdrResponse,
        unless=ENDPOINT,
        public=True,
    ),
    "GET /embeddings/models": SdkCall(
        lambda sdk, it: sdk.embeddings.list_models(),
        components.ModelsListResponse,
        unless=MODEL,
        public=True,
    ),
    "GET /images/models": SdkCall(
        lambda sdk, it: sdk.images.list_models(), components.ImageModelsListResponse, public=True
    ),
    "GET /images/models/{author}/{slug}/endpoints": SdkCall(
        lambda sdk, it: sdk.images.list_model_endpoints(author="basalt", slug="canvas-1"),
        components.ImageModelEndpointsResponse,
        unless=frozenset({"variant"}),
        public=True,
    ),
    "GET /videos/models": SdkCall(
        lambda sdk, it: sdk.video_generation.list_videos_models(),
        components.VideoModelsListResponse,
        public=True,
    ),
    "GET /presets": SdkCall(
        lambda sdk, it: sdk.presets.list(), components.ListPresetsResponse, inference=True, unmanaged=True
    ),
    "GET /presets/{slug}": SdkCall(
        lambda sdk, it: sdk.presets.get(slug=it.slug),
        components.GetPresetResponse,
        inference=True,
        unmanaged=True,
    ),
    "GET /presets/{slug}/versions": SdkCall(
        lambda sdk, it: sdk.presets.list_versions(slug=it.slug),
        components.ListPresetVersionsResponse,
        inference=True,
        unmanaged=True,
    ),
    "GET /presets/{slug}/versions/{version}": SdkCall(
        lambda sdk, it: sdk.presets.get_version(slug=it.slug, version="2"),
        components.GetPresetVersionResponse,
        inference=True,
        unmanaged=True,
    ),
    "POST /presets/{slug}/chat/completions": SdkCall(
        lambda sdk, it: sdk.presets.create_presets_chat_completions(
            slug=it.slug, messages=[INSTRUCTION], temperature=0.5
        ),
        components.CreatePresetFromInferenceResponse,
        inference=True,
        unmanaged=True,
    ),
    "POST /presets/{slug}/messages": SdkCall(
        lambda sdk, it: sdk.presets.create_presets_messages(
            slug=it.slug, model="openai/gpt-5.2", messages=[GREETING], system="Be kind."
        ),
        components.CreatePresetFromInferenceResponse,
        inference=True,
        unmanaged=True,
    ),
    "POST /presets/{slug}/responses": SdkCall(
        lambda sdk, it: sdk.presets.create_presets_responses(slug="new-one", instructions="Be kind."),
        components.CreatePresetFromInferenceResponse,
        inference=True,
        unmanaged=True,
    ),
    "GET /providers": SdkCall(
        lambda sdk, it: sdk.providers.list(), operations.ListProvidersResponse, public=True
    ),
}

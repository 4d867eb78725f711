"""`/byok`: list, make, read, change and delete the provider keys that the account brought."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.credentials import CredentialRow, masked
from orgadmin.sandbox.wire.request import (
    Call,
    Check,
    Endpoint,
    Reply,
    boolean,
    list_of,
    one_of,
    or_null,
    recognised,
    text,
)

# What the service's own document lists.
PROVIDERS = (
    *("ai21", "aion-labs", "akashml", "alibaba", "amazon-bedrock", "amazon-nova", "ambient", "anthropic"),
    *("arcee-ai", "atlas-cloud", "avian", "azure", "baidu", "baseten", "black-forest-labs", "byteplus"),
    *("cerebras", "chutes", "cirrascale", "clarifai", "cloudflare", "cohere", "coreweave", "crusoe"),
    *("darkbloom", "databricks", "decart", "deepgram", "deepinfra", "deepseek", "dekallm", "digitalocean"),
    *("featherless", "fireworks", "fish-audio", "friendli", "gmicloud", "google-ai-studio"),
    *("google-vertex", "groq", "heygen", "inception", "inceptron", "inferact-vllm", "inference-net"),
    *("infermatic", "inflection", "io-net", "ionstream", "krea", "liquid", "makora", "mancer", "mara"),
    *("meta", "minimax", "mistral", "modal", "modelrun", "modular", "moonshotai", "morph", "ncompass"),
    *("nebius", "nex-agi", "nextbit", "novita", "nvidia", "open-inference", "openai", "parasail"),
    *("perceptron", "perplexity", "phala", "poolside", "quiver", "recraft", "reka", "relace", "runway"),
    *("sail-research", "sakana", "sakana-ai", "sambanova", "seed", "siliconflow", "sourceful", "stepfun"),
    *("streamlake", "switchpoint", "tencent", "tenstorrent", "thinkingmachines", "together", "upstage"),
    *("venice", "wafer", "wandb", "wandb-legacy", "xai", "xiaomi", "z-ai"),
)
MOST = 100

_PROVIDER = one_of(*PROVIDERS)


def _at_most(most: int, check_item: Check, *, least: int = 0) -> Check:
    check_list = list_of(check_item)

    def check(name: str, value: Any) -> list[Any]:
        found: list[Any] = check_list(name, value)
        if not least <= len(found) <= most:
            raise InvalidRequestError(f'Invalid "{name}": expected {least} to {most} items')
        return found

    return check


_CHANGES: dict[str, Check] = {
    "name": or_null(text(longest=255)),
    "key": text(shortest=1),
    "disabled": boolean,
    "is_fallback": boolean,
    "allowed_models": or_null(_at_most(MOST, text())),
    "allowed_user_ids": or_null(_at_most(MOST, text())),
    "allowed_api_key_hashes": or_null(_at_most(MOST, text(pattern=r"[a-f0-9]{64}"), least=1)),
    "is_required": boolean,
    "is_byok_only": boolean,
    "declared_region": or_null(one_of("global", "europe", "us")),
    "declared_zdr": or_null(boolean),
}


def list_credentials(call: Call) -> Reply:
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    provider = call.query.get("provider")
    if provider is not None:
        _PROVIDER("provider", provider)
    workspaces = call.account.workspaces
    workspace = workspaces.named(call.query.get("workspace_id"))
    rows = call.account.credentials.of(
        workspace.id, provider=provider, is_default=workspace.id == workspaces.default_id
    )
    page = [credential_object(row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def create_credential(call: Call) -> Reply:
    body = call.json_object()
    for name in ("provider", "key"):
        if name not in body:
            raise InvalidRequestError(f'Invalid "{name}": required')
    place = recognised(body, {"provider": _PROVIDER, "workspace_id": text()})
    fields = _fields(call.account, body)
    _check_together(fields)
    account = call.account
    workspace = account.workspaces.named(place.get("workspace_id"))
    account.created += 1
    row = CredentialRow(
        id=uuid_text("credential", account.seed, account.born, account.created),
        provider=place["provider"],
        workspace_id=workspace.id,
        sort_order=account.credentials.next_place(place["provider"], workspace.id),
        created_at=call.now,
        long=True,
        **fields,
    )
    account.credentials.add(row)
    return Reply({"data": credential_object(row)}, 201)


def get_credential(call: Call) -> Reply:
    return Reply({"data": credential_object(call.account.credentials.get(call.path["id"]))})


def update_credential(call: Call) -> Reply:
    row = call.account.credentials.get(call.path["id"])
    changes = _fields(call.account, call.json_object())
    if not changes:
        raise InvalidRequestError("No update fields provided")
    _check_together({"is_fallback": row.is_fallback, "is_byok_only": row.is_byok_only, **changes})
    for name, value in changes.items():
        setattr(row, name, value)
    return Reply({"data": credential_object(row)})


def delete_credential(call: Call) -> Reply:
    call.account.credentials.delete(call.account.credentials.get(call.path["id"]))
    return Reply({"deleted": True})


def _fields(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    """What is known of a body, checked; of the provider's key only what is shown of it."""
    fields = recognised(body, _CHANGES)
    if "key" in fields:
        fields["label"] = masked(fields.pop("key"))
    for key_hash in fields.get("allowed_api_key_hashes") or ():
        if account.keys.find(key_hash) is None:
            raise InvalidRequestError(f"Unknown API key hash {key_hash}")
    return fields


def _check_together(fields: dict[str, Any]) -> None:
    if fields.get("is_fallback") and fields.get("is_byok_only"):
        raise InvalidRequestError("is_byok_only cannot be combined with is_fallback")


def credential_object(row: CredentialRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "provider": row.provider,
        "name": row.name,
        "label": row.label,
        "disabled": row.disabled,
        "is_fallback": row.is_fallback,
        "sort_order": row.sort_order,
        "workspace_id": row.workspace_id,
        "allowed_models": row.allowed_models,
        "allowed_api_key_hashes": row.allowed_api_key_hashes,
        "allowed_user_ids": row.allowed_user_ids,
        "created_at": spell(row.created_at, long=row.long),
        "is_required": row.is_required,
        "is_byok_only": row.is_byok_only,
        "declared_region": row.declared_region,
        "declared_zdr": row.declared_zdr,
    }


ENDPOINTS = (
    Endpoint("GET", "/byok", list_credentials),
    Endpoint("POST", "/byok", create_credential),
    Endpoint("GET", "/byok/<id>", get_credential),
    Endpoint("PATCH", "/byok/<id>", update_credential),
    Endpoint("DELETE", "/byok/<id>", delete_credential),
)

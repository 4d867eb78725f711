"""The provider keys that the invented organization brought: every kind that a page must survive first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orgadmin.sandbox.dice import Dice, hex_digest, uuid_text
from orgadmin.sandbox.moments import days
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.credentials import CredentialRow, masked

# The number of the workspace, oldest first (None: all of them), the provider, what else is set. KEYS and
# PEOPLE stand for that many keys of the workspace and members.
_KINDS: tuple[tuple[int | None, str, dict[str, Any]], ...] = (
    (0, "openai", {"name": "OpenAI, main account"}),
    (0, "openai", {"name": "OpenAI, second account", "allowed_models": ["openai/gpt-5.2", "openai/gpt-5"]}),
    (0, "openai", {"name": "OpenAI, when all else fails", "is_fallback": True}),
    (1, "anthropic", {"name": "Claude for production", "keys": 3, "is_required": True}),
    (None, "google-vertex", {"name": "Vertex, all", "declared_region": "europe", "declared_zdr": True}),
    (2, "amazon-bedrock", {"name": "Bedrock trial", "disabled": True}),
    (3, "azure", {"name": "Azure – nur für <Labor>", "people": 2}),
    (1, "mistral", {"is_byok_only": True}),
    (0, "anthropic", {"name": "Claude, shared", "is_fallback": True, "people": 1, "keys": 1}),
)  # fmt: skip
_ORDINARY = ("openai", "anthropic", "google-ai-studio", "mistral", "groq", "together", "deepseek", "xai")


def add_credentials(account: Account, count: int, start: datetime) -> None:
    """`count` credentials, spread over the workspaces. Their chances are their own."""
    workspaces = list(account.workspaces)[::-1]
    for number in range(count):
        dice = Dice("credential", account.seed, number)
        ordinary = (dice.below(len(workspaces)), dice.pick(_ORDINARY), {"name": f"Provider account {number}"})
        place, provider, kept = _KINDS[number] if number < len(_KINDS) else ordinary
        workspace = None if place is None else workspaces[place % len(workspaces)]
        fields = dict(kept)
        keys, people = fields.pop("keys", 0), fields.pop("people", 0)
        workspace_id = workspace.id if workspace else None
        near = account.keys.of_workspace(workspace_id) if workspace_id else []
        if keys and near:
            fields["allowed_api_key_hashes"] = [key.hash for key in near[-keys:]]
        members = [member.id for member in account.members][:people]
        account.credentials.add(
            CredentialRow(
                id=uuid_text("credential", account.seed, number),
                provider=provider,
                label=masked("sk-" + hex_digest("provider key", account.seed, number)),
                workspace_id=workspace_id,
                sort_order=account.credentials.next_place(provider, workspace_id),
                created_at=start + days(1) + (account.born - start - days(1)) * dice.unit() * 0.9,
                long=number % 2 == 1,
                allowed_user_ids=members or None,
                **fields,
            )
        )

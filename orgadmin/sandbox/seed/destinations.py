"""Where the invented organization sends its traces: a handful, over several workspaces and types."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.dice import Dice, hex_digest, uuid_text
from orgadmin.sandbox.moments import days
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.destinations import DestinationRow
from orgadmin.sandbox.state.workspaces import WorkspaceRow
from orgadmin.sandbox.wire.destination_fields import is_secret, new_config

_STARTS = {"secretKey": "sk-lf-", "publicKey": "pk-lf-", "apiKey": "key-", "accessKeyId": "AKIA"}


def _rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({} if value is None else {"value": value})}


def _rules(*rules: dict[str, Any], logic: str = "and", enabled: bool = True) -> dict[str, Any]:
    return {"enabled": enabled, "groups": [{"logic": logic, "rules": list(rules)}]}


# The number of the workspace by age, how many of its keys are in the allow-list, and what is said.
_SEEDED: tuple[tuple[int, int, str, dict[str, Any], dict[str, Any]], ...] = (
    (1, 0, "langfuse", {"secretKey": "", "publicKey": ""}, {
        "name": "Production Langfuse", "broadcast_generation_cost": True,
    }),
    (1, 2, "datadog", {"apiKey": "", "mlApp": "support-bot"}, {
        "name": "Support in Datadog", "privacy_mode": True, "sampling_rate": 0.25,
        "filter_rules": _rules(_rule("total_cost", "gt", 0.05), _rule("finish_reason", "equals", "error"),
                               logic="or"),
    }),
    (3, 0, "s3", {
        "bucketName": "acme-research-traces", "accessKeyId": "", "secretAccessKey": "",
        "region": "eu-central-1",
    }, {"name": "Archive", "regions": ["europe"], "filter_rules": _rules(_rule("session_id", "exists"))}),
    (3, 1, "webhook", {
        "url": "https://hooks.acme-research.example/traces", "headers": {"Authorization": ""},
    }, {"name": "Trial", "enabled": False, "sampling_rate": 0.0001}),
    (0, 0, "otel-collector", {
        "endpoint": "https://otel.acme-research.example/v1/traces",
        "headers": {"Authorization": "", "X-Dataset": ""},
    }, {"name": "Collector", "sampling_rate": 0.1, "broadcast_generation_identity": True}),
    (1, 0, "langfuse", {"secretKey": "", "publicKey": "", "baseUrl": "https://cloud.langfuse.com"}, {
        "name": "Langfuse <EU> – Datenschutz", "privacy_mode": True, "sampling_rate": 0.5,
        "filter_rules": _rules(_rule("model", "starts_with", "anthropic/"), enabled=False),
    }),
)  # fmt: skip


def add_destinations(account: Account) -> None:
    """Those whose workspace there is. Their chances are their own: nothing else changes with them."""
    workspaces = list(account.workspaces)[::-1]
    for number, (place, allowed, kind, config, settings) in enumerate(_SEEDED):
        if place < len(workspaces):
            account.destinations.add(
                _row(account, number, workspaces[place], allowed, kind, config, settings)
            )


def _row(
    account: Account,
    number: int,
    workspace: WorkspaceRow,
    allowed: int,
    kind: str,
    config: dict[str, Any],
    settings: dict[str, Any],
) -> DestinationRow:
    dice = Dice("destination", account.seed, number)
    hashes = [key.hash for key in account.keys.of_workspace(workspace.id)][:allowed]
    made = min(workspace.created_at + days(dice.between(1, 9)), account.born)
    return DestinationRow(
        id=uuid_text("destination", account.seed, number),
        type=kind,
        workspace_id=workspace.id,
        config=new_config(kind, _filled(account.seed, number, kind, config)),
        created_at=made,
        updated_at=made + (account.born - made) * dice.unit() * 0.5,
        long=dice.happens(0.5),
        api_key_hashes=hashes or None,
        **settings,
    )


def _filled(seed: int, number: int, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """With secrets in their places."""

    def made(name: str) -> str:
        return _STARTS.get(name, "") + hex_digest("credential", seed, number, kind, name)[:32]

    headers = {name: f"Bearer {made(name)}" for name in config.get("headers", {})}
    secrets = {name: made(name) for name in config if is_secret(kind, name)}
    return {**config, **secrets, **({"headers": headers} if headers else {})}

"""Presets of the invented organization: in the three oldest workspaces, with histories of several versions,
and one of every kind that a page must survive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgadmin.sandbox.moments import days
from orgadmin.sandbox.state.account import Account

_TOOL = {
    "type": "function",
    "function": {
        "name": "look_up_order",
        "description": "Find an order by its number",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}},
            "required": ["number"],
        },
    },
}
_HELP = "You answer questions of customers.\nBe short and kind.\nSay so when you do not know."


@dataclass(frozen=True)
class _Story:
    """One preset: in which workspace (the oldest is 0), its versions in turn, which of them is served."""

    workspace: int
    slug: str
    versions: tuple[tuple[str | None, Mapping[str, Any]], ...]
    live: int = -1
    status: str = "active"
    description: str | None = None
    name: str | None = None
    long: bool = field(default=False)


_STORIES = (
    _Story(
        0, "support-bot",
        (
            (_HELP, {"model": "openai/gpt-5-mini", "temperature": 0.7, "max_tokens": 800}),
            (_HELP + "\nNever promise a refund.",
             {"model": "openai/gpt-5-mini", "temperature": 0.3, "max_tokens": 800, "tools": [_TOOL]}),
            (_HELP + "\nNever promise a refund.\nAnswer in the customer’s language.",
             {"model": "openai/gpt-5.2", "models": ["openai/gpt-5.2", "anthropic/claude-haiku-4.5"],
              "temperature": 0.3, "max_tokens": 1200, "tools": [_TOOL],
              "provider": {"data_collection": "deny", "sort": "throughput"}}),
        ),
        description="Answers in the help centre",
    ),
    _Story(
        0, "summaries",
        ((None, {"model": "anthropic/claude-haiku-4.5", "temperature": 0.2, "top_p": 0.95}),),
        long=True,
    ),
    _Story(
        0, "old-greeting", (("Greet people.", {"model": "openai/gpt-5-mini"}),),
        status="archived", description="Before the help centre moved",
    ),
    _Story(
        1, "support-bot",
        (
            (_HELP, {"model": "anthropic/claude-sonnet-4.5", "temperature": 0.4}),
            (_HELP + "\nEscalate anything about money.",
             {"model": "anthropic/claude-sonnet-4.5", "temperature": 0.4,
              "provider": {"only": ["anthropic", "amazon-bedrock"], "zdr": True}}),
        ),
        live=0, description="An older version is served on purpose",
    ),
    _Story(
        1, "extractor",
        ((None, {
            "model": "openai/gpt-5.2", "temperature": 0,
            "response_format": {"type": "json_schema", "json_schema": {
                "name": "invoice", "strict": True,
                "schema": {"type": "object", "properties": {"total": {"type": "number"}}}}},
        }),),
        status="disabled",
    ),
    _Story(
        2, "uebersetzer",
        (("Übersetze ins Deutsche.\nLass Eigennamen stehen.", {"models": ["openai/gpt-5-mini"], "seed": 7}),),
        name="Übersetzer", long=True,
    ),
)  # fmt: skip


def add_presets(account: Account, start: datetime, born: datetime) -> None:
    """Gives the account's oldest workspaces their presets; a story without its workspace is left out."""
    workspaces = [row.id for row in account.workspaces][::-1]
    admins = [member.id for member in account.members if member.role == "org:admin"]
    span = (born - start) / days(1)
    for number, story in enumerate(_STORIES):
        if story.workspace >= len(workspaces):
            continue
        row = None
        for turn, (prompt, config) in enumerate(story.versions):
            at = start + days(span * (0.2 + 0.1 * number + 0.03 * turn))
            row = account.preset_version(
                workspaces[story.workspace], story.slug, at, config=config, system_prompt=prompt,
                creator=admins[(number + turn) % len(admins)] if admins else None,
            )  # fmt: skip
        assert row is not None
        row.name, row.description, row.long = story.name or row.name, story.description, story.long
        row.designated_version_id = account.presets.versions(row)[story.live].id
        if story.status != "active":
            row.status, row.status_updated_at = story.status, row.updated_at

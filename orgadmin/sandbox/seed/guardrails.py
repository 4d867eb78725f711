"""The guardrails of the invented organization: every kind that a page must survive, then ordinary ones.

Their chances are their own, so that keys and use are the same with them and without.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orgadmin.sandbox.catalog import PROVIDERS
from orgadmin.sandbox.dice import Dice, uuid_text
from orgadmin.sandbox.moments import RESETS, days
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.guardrails import AssignmentRow, Assignments, GuardrailRow
from orgadmin.sandbox.wire.guardrail_fields import PLACEHOLDERS

KEYS_GUARDED = 0.4
MEMBERS_GUARDED = 0.35

_MODELS = ("allowed_models", "ignored_models")
_DEFAULT_OF = 1
"""The workspace (by age) whose default guardrail has been configured."""


def _builtin(slug: str, action: str, **more: str) -> dict[str, Any]:
    return {"slug": slug, "action": action, **more, "label": PLACEHOLDERS[slug]}


def _custom(pattern: str, action: str, label: str | None = None) -> dict[str, Any]:
    return {"pattern": pattern, "action": action, "label": label}


_INJECTION = "regex-prompt-injection"
_KEY_PATTERN = r"\b(sk-[a-zA-Z0-9]{20,48})\b"

_KINDS: tuple[tuple[int, dict[str, Any]], ...] = (
    (1, {
        "name": "Production baseline",
        "description": "Known vendors, no retention, and nobody's address in a prompt",
        "limit_usd": 200, "reset_interval": "monthly",
        "allowed_providers": ["openai", "anthropic", "google-vertex", "azure"],
        "enforce_zdr_anthropic": True, "enforce_zdr_openai": True, "enforce_zdr_google": False,
        "content_filter_builtins": [
            _builtin("email", "redact"), _builtin("phone", "redact"), _builtin("credit-card", "block"),
            _builtin(_INJECTION, "block", scan_scope="all_messages"),
        ],
    }),
    (0, {
        "name": "Interns",
        "description": "Five dollars a day and small models",
        "limit_usd": 5, "reset_interval": "daily",
        "allowed_models": ["openai/gpt-5-mini", "google/gemini-3-flash-preview"],
    }),
    (4, {
        "name": "Help desk: personal data",
        "content_filter_builtins": [
            *(_builtin(slug, "redact") for slug in ("email", "phone", "ssn", "ip-address")),
            _builtin("person-name", "redact"), _builtin("address", "redact"),
        ],
        "content_filters": [
            _custom(r"\bACME-\d{6}\b", "redact", "[CUSTOMER_NUMBER]"), _custom(_KEY_PATTERN, "block"),
        ],
    }),
    (2, {
        "name": "Watch for prompt injection",
        "description": "Records only, until we know what it catches",
        "content_filter_builtins": [_builtin(_INJECTION, "flag", scan_scope="user_only")],
    }),
    (2, {
        "name": "Open weights only",
        "ignored_providers": ["openai", "anthropic", "google-ai-studio", "google-vertex", "xai"],
        "enable_paid_model_training": False, "enable_free_model_training": True,
        "enable_free_model_publication": False,
    }),
    (0, {
        "name": "Europe <nur EU> & Schweiz",
        "allowed_data_regions": ["europe"],
        "enforce_zdr_anthropic": True, "enforce_zdr_openai": True, "enforce_zdr_google": True,
        "enforce_zdr_xai": True, "enforce_zdr_other": True,
        "allow_safety_retention_google": False, "allow_safety_retention_other": False,
    }),
    (3, {
        "name": "Team budget",
        "description": "Own provider keys count too",
        "limit_usd": 25.5, "reset_interval": "weekly", "include_byok_in_budgets": True,
    }),
    (-1, {
        "name": "Legacy policy",
        "description": "From before there were workspaces",
        "enforce_zdr": True, "enforce_zdr_anthropic": True, "enforce_zdr_openai": True,
        "enforce_zdr_google": True, "enforce_zdr_other": True,
        "allowed_models": ["openai/gpt-4-vision-preview", "openai/gpt-5.2"],
        "allowed_providers": ["openai", "long-gone-cloud"],
        "content_filter_builtins": [_builtin("email", "flag")],
        "content_filters": [_custom(r"(?<=password: )\S+", "redact", "[PASSWORD]")],
    }),
    (5, {"name": "Draft, not assigned"}),
    (1, {
        "name": "No previews",
        "ignored_models": ["google/gemini-3-flash-preview", "minimax/minimax-m2-her"],
        "limit_usd": 1000, "reset_interval": "monthly",
    }),
    (0, {"name": "Interns", "description": "The same name again", "limit_usd": 1, "reset_interval": "daily"}),
    (1, {
        "name": "Überwachung – 監視",
        "content_filters": [_custom(r"(?:streng|strictly) (?:geheim|secret)", "block", "Vertraulich")],
        "enforce_zdr_other": True,
    }),
)  # fmt: skip
_LEGACY, _DRAFT = 7, 8
_DEFAULT: dict[str, Any] = {
    "description": "Holds for everything in this workspace",
    "ignored_providers": ["deepseek"],
    "enforce_zdr_anthropic": True,
    "content_filter_builtins": [_builtin(_INJECTION, "flag", scan_scope="all_messages")],
}
_TEAMS = ("Payments", "Search", "Docs", "Growth", "Mobile", "Data", "Legal", "Platform", "Labs", "Partner")


def add_guardrails(account: Account, count: int, start: datetime) -> None:
    """`count` guardrails and their assignments, and the default one of the second workspace."""
    if count < 1:
        return
    maker = _Maker(account, start)
    rows = [maker.row(number) for number in range(count)]
    for row in rows:
        account.guardrails.add(row)
    maker.configure_default()
    held = [row for number, row in enumerate(rows) if number != _DRAFT]
    near: dict[str, list[GuardrailRow]] = {}
    for row in held:
        near.setdefault(row.workspace_id or "", []).append(row)
    for key in account.keys:
        dice = Dice("guarded key", account.seed, key.hash)
        if dice.happens(KEYS_GUARDED):
            # Rather a guardrail of the key's own workspace than another.
            choice = near.get(key.workspace_id, held) if dice.happens(0.8) else held
            maker.assign(account.guardrails.keys, key.hash, dice.pick(choice), since=key.created_at)
    for member in account.members:
        dice = Dice("guarded member", account.seed, member.id)
        if dice.happens(MEMBERS_GUARDED):
            maker.assign(account.guardrails.members, member.id, dice.pick(held), since=start)
    if count > _LEGACY:
        # No list shows this one: only who holds it leads there.
        for newest in list(account.keys)[-1:]:
            maker.assign(account.guardrails.keys, newest.hash, rows[_LEGACY], since=newest.created_at)
        for last in list(account.members)[-1:]:
            maker.assign(account.guardrails.members, last.id, rows[_LEGACY], since=start)


class _Maker:
    def __init__(self, account: Account, start: datetime) -> None:
        self._account = account
        self._start = start
        self._reach = account.born - start
        # Oldest first: the default workspace is number 0.
        self._workspaces = list(account.workspaces)[::-1]

    def row(self, number: int) -> GuardrailRow:
        dice = Dice("guardrail", self._account.seed, number)
        place, settings = _KINDS[number] if number < len(_KINDS) else self._ordinary(number, dice)
        created = self._start + self._reach * dice.between(0.02, 0.7)
        edited = created + (self._account.born - created) * dice.unit() if dice.happens(0.5) else None
        return GuardrailRow(
            id=uuid_text("guardrail", self._account.seed, number),
            workspace_id=None if place < 0 else self._workspaces[place % len(self._workspaces)].id,
            created_at=created,
            updated_at=edited,
            long=dice.happens(0.5),
            **settings | {name: self._canonical(settings[name]) for name in _MODELS if name in settings},
        )

    def _canonical(self, names: list[str]) -> list[str]:
        """What the catalog never heard of stays as it is."""
        return [self._account.shelf.canonical(name) or name for name in names]

    def _ordinary(self, number: int, dice: Dice) -> tuple[int, dict[str, Any]]:
        settings: dict[str, Any] = {"name": f"{dice.pick(_TEAMS)} policy {number}"}
        if dice.happens(0.6):
            settings |= {
                "limit_usd": dice.pick((2, 5, 10, 25, 50, 100, 250)),
                "reset_interval": dice.pick(RESETS),
            }
        if dice.happens(0.3):
            settings["allowed_providers"] = dice.shuffled(list(PROVIDERS))[: 2 + dice.below(8)]
        if dice.happens(0.3):
            settings |= dict.fromkeys(("enforce_zdr_openai", "enforce_zdr_anthropic"), dice.happens(0.8))
        if dice.happens(0.25):
            settings["content_filter_builtins"] = [_builtin("email", dice.pick(("redact", "block")))]
        return dice.below(len(self._workspaces)), settings

    def configure_default(self) -> None:
        if len(self._workspaces) <= _DEFAULT_OF:
            return
        workspace = self._workspaces[_DEFAULT_OF]
        self._account.guardrails.add(
            GuardrailRow(
                id=workspace.default_guardrail_id,
                name=workspace.default_guardrail_name,
                workspace_id=workspace.id,
                created_at=workspace.created_at + days(2),
                **_DEFAULT,
            )
        )

    def assign(self, holders: Assignments, subject: str, row: GuardrailRow, *, since: datetime) -> None:
        """At some moment after the guardrail was made and the subject was there."""
        dice = Dice("assignment", self._account.seed, subject)
        moment = max(row.created_at, since)
        holders.put(
            AssignmentRow(
                id=uuid_text("assignment", self._account.seed, subject),
                guardrail_id=row.id,
                subject=subject,
                created_at=moment + (self._account.born - moment) * dice.unit(),
                long=dice.happens(0.5),
                assigned_by=self._account.manager_id if dice.happens(0.8) else None,
            )
        )

"""The audit log in human words: what an act is called, what a field is called, and what its values mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

NOUNS: Mapping[str, str] = {
    "key": "Key",
    "workspace": "Workspace",
    "workspace_budgets": "Budgets of a workspace",
    "workspace_member": "Member of a workspace",
    "preset": "Preset",
    "inference_key": "Inference key",
    "member": "Member",
    "guardrail": "Guardrail",
    "credential": "BYOK credential",
    "destination": "Destination",
    "key_assignment": "Guardrail of a key",
    "member_assignment": "Guardrail of a member",
    "organization": "Connection",
    "person": "Person",
    "invitation": "Invitation",
    "saved_query": "Saved query",
    "day": "Day of use",
}

VERBS: Mapping[str, str] = {
    "create": "Create",
    "update": "Edit",
    "disable": "Disable",
    "enable": "Enable",
    "rotate": "Rotate",
    "delete": "Delete",
    "connect": "Connect",
    "rename": "Rename",
    "rekey": "Replace management key",
    "check": "Test connection",
    "disconnect": "Disconnect",
    "invite": "Invite",
    "join": "Join",
    "role": "Change role",
    "remove": "Remove",
    "revoke": "Withdraw",
    "explain": "Explain",
    "import": "Import",
}

# Where verb and noun side by side would read oddly.
_ACTIONS: Mapping[str, str] = {
    "organization.connect": "Connect organization",
    "organization.rename": "Rename organization",
    "organization.disconnect": "Disconnect organization",
    "organization.rekey": "Replace management key",
    "organization.check": "Test connection",
    "person.join": "Accept invitation",
    "person.role": "Change role",
    "person.verify": "Verify e-mail address",
    "invitation.revoke": "Withdraw invitation",
    "key_assignment.create": "Assign guardrail to key",
    "key_assignment.update": "Move key to another guardrail",
    "key_assignment.delete": "Take guardrail off key",
    "member_assignment.create": "Assign guardrail to member",
    "member_assignment.update": "Move member to another guardrail",
    "member_assignment.delete": "Take guardrail off member",
    "preset.update": "Change preset",
    "inference_key.create": "Add inference key",
    "inference_key.update": "Replace inference key",
    "inference_key.delete": "Remove inference key",
    "workspace_budgets.create": "Set budgets of workspace",
    "workspace_budgets.update": "Change budgets of workspace",
    "workspace_budgets.delete": "Remove budgets of workspace",
    "workspace_member.create": "Add member to workspace",
    "workspace_member.update": "Change role in workspace",
    "workspace_member.delete": "Remove member from workspace",
    **{
        f"credential.{verb}": f"{words} BYOK credential"
        for verb, words in (
            ("create", "Add"),
            ("update", "Edit"),
            ("disable", "Disable"),
            ("enable", "Enable"),
            ("delete", "Delete"),
        )
    },
    "credential.rekey": "Rotate provider key",
    "saved_query.create": "Save query",
    "day.explain": "Explain a day's difference",
    "day.import": "Import use from a file",
}

OUTCOMES: Mapping[str, str] = {
    "ok": "Done",
    "failed": "Failed",
    "unknown": "Unknown",
    "started": "In progress",
    "lost": "No answer recorded",
}


# Stands before the name of a setting of a destination.
CONFIG = "config."


@dataclass(frozen=True)
class FieldWords:
    """What a field is called; ``kind`` is money, moment, workspace, member, guardrail, keys, rules or
    plain; ``none`` reads null."""

    label: str
    kind: str = "plain"
    none: str = "none"


_FIELDS: Mapping[str, FieldWords] = {
    "name": FieldWords("Name"),
    "label": FieldWords("Label"),
    "disabled": FieldWords("Disabled"),
    "limit": FieldWords("Limit", "money", "unlimited"),
    "limit_reset": FieldWords("Limit resets", none="never"),
    "include_byok_in_limit": FieldWords("BYOK counts against limit"),
    "expires_at": FieldWords("Expires", "moment", "never"),
    "created_at": FieldWords("Created", "moment"),
    "creator_user_id": FieldWords("Owner", "member", "none (workspace key)"),
    "workspace_uid": FieldWords("Workspace", "workspace"),
    "default_workspace_uid": FieldWords("Default workspace", "workspace"),
    "external_user": FieldWords("External user"),
    "guardrail_uid": FieldWords("Guardrail", "guardrail"),
    "limit_usd": FieldWords("Budget of each key and member", "money"),
    "reset_interval": FieldWords("Budget resets", none="never"),
    "daily": FieldWords("Daily budget", "money"),
    "weekly": FieldWords("Weekly budget", "money"),
    "monthly": FieldWords("Monthly budget", "money"),
    "lifetime": FieldWords("Lifetime budget", "money"),
    "user_id": FieldWords("Member", "member"),
    "is_in_workspace": FieldWords("In the workspace"),
    "holders": FieldWords("Held again by", none="nobody"),
    "allowed_models": FieldWords("Allowed models", none="all"),
    "ignored_models": FieldWords("Ignored models"),
    "allowed_providers": FieldWords("Allowed providers", none="all"),
    "ignored_providers": FieldWords("Ignored providers"),
    "enforce_zdr_anthropic": FieldWords("ZDR for Anthropic models", none="not said"),
    "enforce_zdr_openai": FieldWords("ZDR for OpenAI models", none="not said"),
    "enforce_zdr_google": FieldWords("ZDR for Google models", none="not said"),
    "enforce_zdr_xai": FieldWords("ZDR for xAI models", none="not said"),
    "enforce_zdr_other": FieldWords("ZDR for other models", none="not said"),
    "enable_paid_model_training": FieldWords("Paid endpoints may train on data", none="not said"),
    "enable_free_model_training": FieldWords("Free endpoints may train on data", none="not said"),
    "enable_free_model_publication": FieldWords("Free endpoints may publish prompts", none="not said"),
    "allow_safety_retention_google": FieldWords("Google may keep data for safety", none="not said"),
    "allow_safety_retention_other": FieldWords("Others may keep data for safety", none="not said"),
    "allowed_data_regions": FieldWords("Allowed data regions", none="all"),
    "content_filter_builtins": FieldWords("Builtin filters"),
    "content_filters": FieldWords("Custom filters"),
    "provider": FieldWords("Provider"),
    "is_fallback": FieldWords("Only as a fallback"),
    "sort_order": FieldWords("Place in the order"),
    "allowed_api_key_hashes": FieldWords("Allowed keys", "keys", "all"),
    "allowed_user_ids": FieldWords("Allowed members", "member", "all"),
    "is_required": FieldWords("Always used for its models"),
    "is_byok_only": FieldWords("Never credits for the provider"),
    "declared_region": FieldWords("Declared region", none="not said"),
    "declared_zdr": FieldWords("Declared zero data retention", none="not said"),
    "type": FieldWords("Type"),
    "enabled": FieldWords("Enabled"),
    "config": FieldWords("Settings"),
    "api_key_hashes": FieldWords("Only traffic of keys", "keys", "all keys"),
    "filter_rules": FieldWords("Filter rules", "rules", "none, everything passes"),
    "privacy_mode": FieldWords("Privacy mode"),
    "sampling_rate": FieldWords("Sampling rate"),
    "broadcast_generation_cost": FieldWords("Sends cost"),
    "broadcast_generation_cost_allocation": FieldWords("Sends cost by kind of token"),
    "broadcast_generation_identity": FieldWords("Sends identity"),
    "broadcast_generation_request_context": FieldWords("Sends request context"),
    "regions": FieldWords("Regions"),
    "usage": FieldWords("Lifetime spend", "money"),
    "byok_usage": FieldWords("Lifetime BYOK spend", "money"),
    "email": FieldWords("E-mail"),
    "first_name": FieldWords("First name"),
    "last_name": FieldWords("Last name"),
    "role": FieldWords("Role"),
    "slug": FieldWords("Slug"),
    "base_url": FieldWords("Base URL"),
    "key_label": FieldWords("Management key"),
    "inference_key_label": FieldWords("Inference key"),
    "description": FieldWords("Description"),
    "status": FieldWords("Status"),
    "live_version": FieldWords("Live version"),
    "newest_version": FieldWords("Newest version"),
    "restored_version": FieldWords("Restored from version"),
    "system_prompt": FieldWords("System prompt"),
    "settings": FieldWords("Settings"),
    "is_observability_io_logging_enabled": FieldWords("Prompt logging"),
    "io_logging_sampling_rate": FieldWords("Prompt logging sampling rate"),
    "io_logging_api_key_ids": FieldWords("Prompt logging for keys", none="all"),
    "include_byok_in_budgets": FieldWords("BYOK counts against budgets"),
}


@dataclass(frozen=True)
class Change:
    """One field of an act. ``before`` and ``after`` are ready for their ``kind``: Decimal dollars for money,
    ISO text for a moment, a name for a workspace or member where it is known."""

    name: str
    label: str
    kind: str
    none: str
    before: Any
    after: Any
    had_before: bool
    had_after: bool

    @property
    def is_worth_a_glance(self) -> bool:
        """Whether a one-line summary should name it: what was changed, what was set to something when it was
        created, what it had spent when it was deleted."""
        if self.had_before and self.had_after:
            return True
        if self.had_after:
            return self.name not in {"name", "label"} and self.after not in (None, False, "")
        return self.name == "usage"


def action_words(action: str) -> str:
    """ "key.create" is "Create key"; what nobody gave words to is spelled out: "Assign members guardrail"."""
    if action in _ACTIONS:
        return _ACTIONS[action]
    noun, _, verb = action.rpartition(".")
    verb_words = VERBS.get(verb, verb.replace("-", " ").replace("_", " ").capitalize())
    return f"{verb_words} {noun.replace('-', ' ').replace('_', ' ')}".strip()


def field_words(name: str) -> FieldWords:
    if name.startswith(CONFIG):
        return FieldWords(f"Setting {name.removeprefix(CONFIG)}")
    return _FIELDS.get(name) or FieldWords(name.removeprefix("is_").replace("_", " ").capitalize())


def changes(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    names: Mapping[str, str] | None = None,
) -> list[Change]:
    """What differs between the two, field by field in the order they are known in.

    ``names`` gives workspaces, members and guardrails their names by their upstream ids.
    """
    old, new = _unfolded(before or {}), _unfolded(after or {})
    fields = [name for name in dict.fromkeys([*_FIELDS, *old, *new]) if name in old or name in new]
    found = (_change(name, old, new, names or {}) for name in fields)
    return [change for change in found if not (change.had_before and change.had_after and _same(change))]


def _unfolded(values: Mapping[str, Any]) -> dict[str, Any]:
    """With each setting of a destination's config as a field of its own."""
    config = values.get("config")
    if not isinstance(config, Mapping):
        return dict(values)
    rest = {name: value for name, value in values.items() if name != "config"}
    return {**rest, **{f"{CONFIG}{name}": value for name, value in config.items()}}


def _change(name: str, old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]) -> Change:
    words = field_words(name)
    return Change(
        name=name,
        label=words.label,
        kind=words.kind,
        none=words.none,
        before=_readable(words.kind, old.get(name), names),
        after=_readable(words.kind, new.get(name), names),
        had_before=name in old,
        had_after=name in new,
    )


def _same(change: Change) -> bool:
    # True equals 1 in Python, but not to the person who reads it.
    return bool(change.before == change.after) and type(change.before) is type(change.after)


def _readable(kind: str, value: Any, names: Mapping[str, str]) -> Any:
    if value is None:
        return None
    if kind == "money":
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return value
    if kind == "keys" and isinstance(value, list | tuple):
        return [names.get(str(one)) or f"{str(one)[:12]}…" for one in value]
    if kind == "rules" and isinstance(value, Mapping):
        return _rules_text(value)
    if kind not in {"workspace", "member", "guardrail"}:
        return value
    if isinstance(value, list):
        return [names.get(one, one) if isinstance(one, str) else one for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def _rules_text(rules: Mapping[str, Any]) -> str:
    """Filter rules of a destination on one line, in OpenRouter's own words."""
    groups = []
    for group in rules.get("groups") or ():
        said = [
            " ".join(
                str(rule[name]).replace("_", " ") if name == "operator" else str(rule[name])
                for name in ("field", "operator", "value")
                if name in rule
            )
            for rule in group.get("rules") or ()
        ]
        groups.append(f" {group.get('logic', 'and')} ".join(said))
    text = " / ".join(groups) or "none"
    return text if rules.get("enabled", True) else f"{text} (switched off)"

"""Credentials in human words."""

from __future__ import annotations

from collections.abc import Mapping

from orgadmin.inventory.models import Credential

# What each list restricts: one, several, and what stands for no restriction.
LISTS: Mapping[str, tuple[str, str, str]] = {
    "allowed_models": ("model", "Models", "every model of the provider"),
    "allowed_api_key_hashes": ("key", "Keys", "every key"),
    "allowed_user_ids": ("member", "Members", "every member"),
}
REGIONS: Mapping[str, str] = {"global": "Global", "europe": "Europe", "us": "United States"}


def restrictions(credential: Credential) -> list[str]:
    """What a request must be like to be let through: "2 models", "1 key"; nothing restricts nothing."""
    counts = ((noun, len(getattr(credential, name) or ())) for name, (noun, _, _) in LISTS.items())
    return [f"only {number} {noun}{'' if number == 1 else 's'}" for noun, number in counts if number]


def use_of_credits(credential: Credential) -> str:
    """When OpenRouter's own capacity, paid from credits, comes in beside this credential."""
    if credential.is_byok_only:
        return "Credits are never used for this provider: without a working credential requests skip it."
    if credential.is_required:
        models = "the models it is for" if credential.allowed_models else "any model of the provider"
        return f"Credits are not used for {models}."
    if credential.is_fallback:
        return "Used only after OpenRouter's own capacity, paid from credits, has failed."
    return "When it fails, OpenRouter's own capacity is used, paid from credits."

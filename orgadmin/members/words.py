"""What OpenRouter calls things about people, in words. What is not known here is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping

# The organization and its workspaces have each their own words (FACTS trap 32).
ROLES: Mapping[str, str] = {"org:admin": "Admin", "org:member": "Member"}
WORKSPACE_ROLES: Mapping[str, str] = {"admin": "Admin", "member": "Member"}


def role_words(role: str) -> str:
    """A role in the organization; "" where OpenRouter names none."""
    return ROLES.get(role, role)


def workspace_role_words(role: str) -> str:
    """A role in a workspace; "" where OpenRouter names none."""
    return WORKSPACE_ROLES.get(role, role)

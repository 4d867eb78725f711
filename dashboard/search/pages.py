"""The product's own pages as search results: each with what it may be called and who may open it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse

READ, CHANGE, OWN, MANAGE = "read", "change", "own_keys", "manage"


@dataclass(frozen=True)
class Destination:
    """A page. ``words`` are further names it is found by; ``needs`` are permissions, any one is enough."""

    label: str
    detail: str
    target: str
    needs: tuple[str, ...] = ()
    words: str = ""
    of_organization: bool = True

    def url(self, organization: str) -> str:
        return reverse(self.target, kwargs={"organization": organization} if self.of_organization else {})

    def answers_to(self, words: Collection[str]) -> bool:
        names = f"{self.label} {self.words}".casefold()
        return all(word in names for word in words)


DESTINATIONS = (
    Destination("Create key", "Keys", "keys:create", (CHANGE, OWN), "new add api key"),
    Destination("Keys", "Control", "keys:list", (READ, OWN), "api keys list"),
    Destination("Rotations", "Keys", "keys:rotations", (READ, OWN), "rotate successor handover"),
    Destination(
        "Daily record",
        "Analytics",
        "analytics:daily",
        (READ,),
        "harvest latency throughput cache hit rate finish reasons apps guardrails providers history",
    ),
    Destination(
        "Guardrails",
        "Control",
        "guardrails:list",
        (READ,),
        "policy models providers zdr filters budgets allowed",
    ),
    Destination("Workspaces", "Control", "workspaces:list", (READ,), "list spend keys"),
    Destination(
        "Effective policy",
        "Control",
        "policies:show",
        (READ,),
        "rules guardrails allowed models refused why budget what may",
    ),
    Destination("Members", "Control", "members:list", (READ,), "people list spend keys owners"),
    Destination("BYOK credentials", "Control", "byok:list", (READ,), "provider keys own openai anthropic"),
    Destination("Add BYOK credential", "BYOK", "byok:create", (CHANGE,), "new provider key"),
    Destination(
        "BYOK coverage", "BYOK", "byok:coverage", (READ,), "limits budgets escape credits providers spend"
    ),
    Destination("Audit log", "Watch", "auditlog:list", (READ,), "history changes who did what"),
    Destination("Sync", "Watch", "syncs:list", (READ,), "refresh pull freshness"),
    Destination("Jobs", "Watch", "syncs:jobs", (READ, OWN), "bulk background work progress"),
    Destination(
        "Settings", "Connection", "connections:settings", (READ,), "management key connection organization"
    ),
    Destination("People", "Settings", "connections:people", (READ,), "users roles invite invitations access"),
    Destination("E-mail addresses", "Your account", "account_email", words="email", of_organization=False),
    Destination("Password", "Your account", "account_change_password", words="change", of_organization=False),
    Destination(
        "Two-step sign-in",
        "Your account",
        "mfa_index",
        words="mfa totp second factor 2fa",
        of_organization=False,
    ),
)


def destinations(*, may: Collection[str], words: Collection[str]) -> list[Destination]:
    """The pages that somebody with these permissions may open and that all the words name."""
    return [
        page
        for page in DESTINATIONS
        if (not page.needs or any(need in may for need in page.needs)) and page.answers_to(words)
    ]

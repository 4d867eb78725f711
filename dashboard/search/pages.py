"""The product's own pages as search results: each with what it may be called and who may open it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse

READ, CHANGE, OWN, MANAGE = "read", "change", "own_keys", "manage"


@dataclass(frozen=True)
class PageEntry:
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


def _account(label: str, target: str, words: str) -> PageEntry:
    return PageEntry(label, "Your account", target, words=words, of_organization=False)


PAGES = (
    PageEntry("Overview", "Start", "overview:show", (READ,), "home dashboard today attention"),
    PageEntry("Create key", "Keys", "keys:create", (CHANGE, OWN), "new add api key"),
    PageEntry("Keys", "Control", "keys:list", (READ, OWN), "api keys list"),
    PageEntry("Rotations", "Keys", "keys:rotations", (READ, OWN), "rotate successor handover"),
    PageEntry("Spend", "Money", "spend:show", (READ, OWN), "costs usage money by model key member"),
    PageEntry("Reconciliation", "Spend", "spend:reconciliation", (READ,), "totals differences days"),
    PageEntry("Credits", "Money", "credits:show", (READ,), "balance purchases forecast runway"),
    PageEntry("Analytics", "Money", "analytics:show", (READ,), "questions queries metrics latency tokens"),
    PageEntry("Saved queries", "Analytics", "analytics:saved", (READ,), "questions asked"),
    PageEntry(
        "Daily record",
        "Analytics",
        "analytics:daily",
        (READ,),
        "harvest latency throughput cache hit rate finish reasons apps guardrails providers history",
    ),
    PageEntry(
        "Guardrails",
        "Control",
        "guardrails:list",
        (READ,),
        "policy models providers zdr filters budgets allowed",
    ),
    PageEntry("Create guardrail", "Guardrails", "guardrails:create", (CHANGE,), "new add policy"),
    PageEntry("Budgets", "Control", "budgets:list", (READ,), "limits left used allowance"),
    PageEntry("Workspaces", "Control", "workspaces:list", (READ,), "list spend keys"),
    PageEntry("Create workspace", "Workspaces", "workspaces:create", (CHANGE,), "new add"),
    PageEntry(
        "Effective policy",
        "Control",
        "policies:show",
        (READ,),
        "rules guardrails allowed models refused why budget what may",
    ),
    PageEntry("Members", "Control", "members:list", (READ,), "people list spend keys owners"),
    PageEntry("BYOK", "Control", "byok:list", (READ,), "credentials provider keys own openai anthropic"),
    PageEntry("Add BYOK credential", "BYOK", "byok:create", (CHANGE,), "new provider key"),
    PageEntry(
        "BYOK coverage", "BYOK", "byok:coverage", (READ,), "limits budgets escape credits providers spend"
    ),
    PageEntry(
        "Observability",
        "Control",
        "observability:list",
        (READ,),
        "destinations traces broadcast langfuse datadog webhook otel s3 sentry posthog",
    ),
    PageEntry("Add destination", "Observability", "observability:create", (CHANGE,), "new create traces"),
    PageEntry("Presets", "Control", "presets:list", (READ,), "versions prompts configuration system"),
    PageEntry("Create preset", "Presets", "presets:create", (CHANGE,), "new version request body"),
    PageEntry("Models", "Watch", "catalog:list", (READ, OWN), "catalog prices providers endpoints context"),
    PageEntry(
        "Changes of the catalog", "Models", "catalog:changes", (READ, OWN), "models prices appeared vanished"
    ),
    PageEntry("Audit log", "Watch", "auditlog:list", (READ,), "history changes who did what"),
    PageEntry("Sync", "Watch", "syncs:list", (READ,), "refresh pull freshness"),
    PageEntry("Jobs", "Watch", "syncs:jobs", (READ, OWN), "bulk background work progress"),
    PageEntry(
        "Settings", "Connection", "connections:settings", (READ,), "management key connection organization"
    ),
    PageEntry("People", "Settings", "connections:people", (READ,), "users roles invite invitations access"),
    _account("Name", "front:name", "first last called"),
    _account("E-mail addresses", "account_email", "email"),
    _account("Password", "account_change_password", "change"),
    _account("Two-step sign-in", "mfa_index", "mfa totp second factor 2fa"),
)


def pages(*, may: Collection[str], words: Collection[str]) -> list[PageEntry]:
    """The pages that somebody with these permissions may open and that all the words name."""
    return [
        page
        for page in PAGES
        if (not page.needs or any(need in may for need in page.needs)) and page.answers_to(words)
    ]

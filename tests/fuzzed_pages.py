"""The pages whose parameters are fuzzed: the address below the organization's, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.catalog.filters import FIELDS as CATALOG

# With a metric: tests/analytics/test_fuzz_questions.py.
ANALYTICS = (
    *("metric", "by", "every", "range", "since", "until", "sort", "dir", "limit", "run"),
    *("f0", "op0", "v0", "q0"),
)
PAGES: Mapping[str, tuple[str, ...]] = {
    "keys/": ("q", "workspace", "state", "owner", "limit", "expires", "idle", "sort", "page"),
    "keys/csv/": ("q", "workspace", "state", "owner", "limit", "expires", "idle", "sort"),
    "keys/create/": ("workspace",),
    "keys/rotations/": ("page",),
    **dict.fromkeys(("workspaces/", "workspaces/csv/"), ("q", "sort", "gone", "page")),
    "workspaces/create/": ("name",),
    **dict.fromkeys(("budgets/", "budgets/csv/"), ("q", "kind", "state", "interval", "page")),
    **dict.fromkeys(("members/", "members/csv/"), ("q", "role", "guardrail", "keys", "sort", "gone", "page")),
    "guardrails/": ("q", "workspace", "sort", "page"),
    "guardrails/create/": ("copy",),
    "presets/": ("q", "workspace", "status", "sort", "gone", "page"),
    "presets/csv/": ("q", "workspace", "status", "sort", "gone"),
    "presets/create/": ("slug", "workspace"),
    "settings/inference-keys/add/": ("workspace",),
    "guardrails/suggest/": ("list", "add-allowed_models"),
    "guardrails/csv/": ("q", "workspace", "sort"),
    **dict.fromkeys(("byok/", "byok/csv/"), ("q", "provider", "workspace", "state", "page")),
    **dict.fromkeys(("byok/coverage/", "byok/coverage/csv/"), ()),
    "byok/add/": ("provider",),
    "byok/suggest/": ("list", "add-allowed_models"),
    **dict.fromkeys(
        ("observability/", "observability/csv/"), ("q", "workspace", "type", "state", "sort", "page")
    ),
    "observability/create/": ("workspace", "type"),
    "observability/keys/": ("workspace", "add-api_key_hashes"),
    "audit-log/": ("actor", "action", "noun", "target", "outcome", "since", "until", "page"),
    "audit-log/csv/": ("actor", "action", "noun", "target", "outcome", "since", "until"),
    "sync/": ("kind", "state", "page"),
    "sync/jobs/": ("page",),
    "search/": ("q",),
    "analytics/": ANALYTICS,
    "analytics/builder/": (*ANALYTICS, "add", "drop"),
    "analytics/run/": (*ANALYTICS, "page"),
    "analytics/csv/": ANALYTICS,
    "analytics/daily/": ("by", "metric", "range", "since", "until", "page"),
    "analytics/daily/csv/": ("by", "metric", "range", "since", "until"),
    "analytics/saved/new/": ("metric", "f0"),
    "spend/": (
        "range",
        "since",
        "until",
        "group",
        "measure",
        "grain",
        "model",
        "provider",
        "key",
        "member",
        "workspace",
    ),
    "credits/": ("range",),
    "models/": (*CATALOG, "page"),
    "models/csv/": CATALOG,
    "models/changes/": ("q", "what", "about", "used", "page"),
    "guardrails/assign/": ("kind", "guardrail", "selected", "q", "all"),
    "policy/": ("key", "member", "workspace", "model", "q"),
    "spend/filter/": ("by", "q", "model", "provider", "key", "member", "workspace"),
    "spend/csv/": ("range", "since", "until", "model", "provider", "key", "member", "workspace"),
    "spend/reconciliation/": ("only", "page"),
}

"""The columns of use in a CSV file: what the export writes is what the import reads."""

from __future__ import annotations

TEXTS = (
    "day",
    "source",
    "key_hash",
    "key_name",
    "member_id",
    "member",
    "workspace_id",
    "workspace",
    "model",
    "model_permaslug",
    "endpoint_id",
    "provider",
)
COUNTS = ("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
AMOUNTS = ("usage_usd", "byok_usage_usd")
COLUMNS = (*TEXTS, *COUNTS, *AMOUNTS)

# In place of a hash: use that no key made, and that of keys nobody knows.
NO_KEY_HASH, UNKNOWN_KEY_HASH = "none", "unknown"

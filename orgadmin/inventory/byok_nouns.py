"""How BYOK credentials are mirrored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from orgadmin.openrouter import byok
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET

# What can be set of a credential beside the provider's key; a change in any of it is worth an audit entry.
SETTINGS = (
    "name",
    "disabled",
    "is_fallback",
    "allowed_models",
    "allowed_api_key_hashes",
    "allowed_user_ids",
    "is_required",
    "is_byok_only",
    "declared_region",
    "declared_zdr",
)
LISTS = ("allowed_models", "allowed_api_key_hashes", "allowed_user_ids")


def plain(credential: byok.Credential) -> SimpleNamespace:
    """The client's object as columns hold it: what the server did not send as null, named in ``lacks``."""
    values = {item.name: getattr(credential, item.name) for item in dataclasses.fields(credential)}
    lacks = sorted(name for name, value in values.items() if value is UNSET)
    lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return SimpleNamespace(**{**values, **lists, **dict.fromkeys(lacks, None), "lacks": lacks})


def walk_credentials(client: OpenRouter, workspace_uid: str | None) -> Iterator[Sequence[Any]]:
    for page in byok.walk(client, workspace_id=workspace_uid):
        yield [plain(one) for one in page]


def confirm_credential(client: OpenRouter, uid: str) -> Any:
    return plain(byok.get(client, credential_id=uid))


def called(_: str, values: Mapping[str, Any], __: Any) -> str:
    """ "Production (openai)", by its mask where it has no name."""
    return f"{values.get('name') or values.get('label')} ({values.get('provider')})"


COLUMNS = {
    **{name: name for name in (*SETTINGS, "provider", "label", "sort_order", "created_at", "lacks")},
    "workspace_uid": "workspace_id",
}
VOLATILE = frozenset({"created_at", "lacks"})

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.errors import NotFound, UnreadableAnswer
from orgadmin.openrouter.paging import LARGEST_PAGE, Page, check_window, walk_counted
from orgadmin.openrouter.reading import read_count, read_data, read_list
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET, Unset

LONGEST_NAME = 255
MOST_LISTED = 100
LISTS = ("allowed_models", "allowed_api_key_hashes", "allowed_user_ids")

_NEVER_NULL = ("disabled", "is_fallback", "key", "is_required", "is_byok_only")
_KEY_HASH = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A provider's key that the account brought itself; `label` is a masked snippet of it, and nothing reads
    the rest.

    `provider` is a slug. `workspace_id` None: usable in all workspaces. Credentials of a provider are tried
    by ascending `sort_order`, those with `is_fallback` after OpenRouter's own capacity. None in a list means
    no restriction; the three lists must all let a request through. UNSET is a field that this server does not
    have.
    """

    id: str
    provider: str
    label: str
    disabled: bool
    is_fallback: bool
    sort_order: int
    workspace_id: str | None
    name: str | None = None
    allowed_models: tuple[str, ...] | None = None
    allowed_api_key_hashes: tuple[str, ...] | None = None
    allowed_user_ids: tuple[str, ...] | None = None
    created_at: datetime | None = None
    # Shared capacity is not used for the models it covers, or (no fallback then) not for the provider at all.
    is_required: bool | Unset = UNSET
    is_byok_only: bool | Unset = UNSET
    declared_region: str | Unset | None = UNSET
    declared_zdr: bool | Unset | None = UNSET
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialChanges:
    """What to set of a credential: UNSET leaves a field alone, None lifts a restriction or takes the name.

    `key` replaces the provider's key in place. Lists replace what is there. Raises ValueError for what
    upstream is known to refuse: a name that is too long, an empty key, an empty list of keys, a list of more
    than 100, what is no hash of a key.
    """

    name: str | Unset | None = UNSET
    disabled: bool | Unset = UNSET
    is_fallback: bool | Unset = UNSET
    key: Secret | Unset = UNSET
    allowed_models: tuple[str, ...] | Unset | None = UNSET
    allowed_api_key_hashes: tuple[str, ...] | Unset | None = UNSET
    allowed_user_ids: tuple[str, ...] | Unset | None = UNSET
    is_required: bool | Unset = UNSET
    is_byok_only: bool | Unset = UNSET
    declared_region: str | Unset | None = UNSET
    declared_zdr: bool | Unset | None = UNSET

    def __post_init__(self) -> None:
        for name in _NEVER_NULL:
            if getattr(self, name) is None:
                raise ValueError(f"“{name}” cannot be cleared.")
        if isinstance(self.name, str) and len(self.name) > LONGEST_NAME:
            raise ValueError(f"A name has at most {LONGEST_NAME} characters.")
        if isinstance(self.key, Secret) and not self.key:
            raise ValueError("A provider's key is not empty.")
        for name in LISTS:
            listed = getattr(self, name)
            if isinstance(listed, tuple) and len(listed) > MOST_LISTED:
                raise ValueError(f"“{name}” lists at most {MOST_LISTED}.")
        self._check_keys()

    def _check_keys(self) -> None:
        hashes = self.allowed_api_key_hashes
        if not isinstance(hashes, tuple):
            return
        if not hashes:
            raise ValueError("A list of keys is not empty: None lets every key through.")
        if not all(_KEY_HASH.fullmatch(one) for one in hashes):
            raise ValueError("Keys are listed by their hashes.")

    def __bool__(self) -> bool:
        return bool(self.body())

    def body(self) -> dict[str, Any]:
        """The JSON body, the provider's key in clear: only what is set."""
        pairs = ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self))
        return {name: _sent(value) for name, value in pairs if value is not UNSET}


def page(
    client: OpenRouter,
    *,
    workspace_id: str | None = None,
    provider: str | None = None,
    offset: int = 0,
    limit: int = LARGEST_PAGE,
) -> Page[Credential]:
    """`GET /byok`, one request: credentials of one workspace (the default one for None), of one provider when
    that is given.

    Whether credentials of all workspaces are among them is unstated: whoever walks several workspaces may
    meet one again. Raises InvalidRequest for an unknown workspace, and for None when the account has no
    default workspace.
    """
    check_window(offset, limit)
    params = {"workspace_id": workspace_id, "provider": provider, "offset": offset, "limit": limit}
    answer = client.request("GET", "/byok", params=params)
    return Page(read_list(Credential, answer), read_count(answer, "total_count"))


def walk(
    client: OpenRouter, *, workspace_id: str | None = None, limit: int = LARGEST_PAGE
) -> Iterator[tuple[Credential, ...]]:
    """The credentials of one workspace, page by page, each once."""
    return walk_counted(
        lambda offset: page(client, workspace_id=workspace_id, offset=offset, limit=limit), lambda row: row.id
    )


def get(client: OpenRouter, *, credential_id: str) -> Credential:
    """`GET /byok/{id}`. Raises NotFound."""
    return read_data(Credential, client.request("GET", path("byok", credential_id)))


def create(
    client: OpenRouter, *, provider: str, draft: CredentialChanges, workspace_id: str | None = None
) -> Credential:
    """`POST /byok`: a new credential of a workspace (the default one for None). Several providers take JSON
    as their key, written out as text. A credential for all workspaces cannot be made here.

    Never repeated once bytes were sent; after an error with `outcome_unknown` it may exist. Raises ValueError
    for a draft without a key; InvalidRequest, for an unknown provider or key hash too; Forbidden.
    """
    if draft.key is UNSET:
        raise ValueError("A credential has a provider's key.")
    place = {} if workspace_id is None else {"workspace_id": workspace_id}
    answer = client.request("POST", "/byok", body={"provider": provider, **draft.body(), **place})
    return read_data(Credential, answer, write=True)


def update(client: OpenRouter, *, credential_id: str, changes: CredentialChanges) -> Credential:
    """`PATCH /byok/{id}` with only what changed; its provider and its workspace stay. ValueError when nothing
    changed. Raises InvalidRequest, NotFound."""
    if not changes:
        raise ValueError("There is nothing to change.")
    answer = client.request("PATCH", path("byok", credential_id), body=changes.body())
    return read_data(Credential, answer, write=True)


def delete(client: OpenRouter, *, credential_id: str) -> None:
    """`DELETE /byok/{id}`: upstream wipes the provider's key. One that is already gone counts as deleted."""
    try:
        answer = client.request("DELETE", path("byok", credential_id))
    except NotFound:
        return
    if answer.get("deleted", True) is not True:
        raise UnreadableAnswer(
            "OpenRouter did not confirm that the credential is deleted.", outcome_unknown=True
        )


def _sent(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return list(value) if isinstance(value, tuple) else value

"""Which credential may read and change the presets of a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from orgadmin.accounts.connection import client_for, inference_client
from orgadmin.accounts.lent_keys import lent_key, note_lent_key_refused
from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.audit.text import writable
from orgadmin.inventory.acts import CarryOn, Refused, note_refused
from orgadmin.inventory.preset_nouns import BY_MANAGER
from orgadmin.openrouter.errors import OpenRouterError, Unauthorized
from orgadmin.openrouter.transport import OpenRouter

NO_KEY = "No inference key of this workspace is known here. Its owner can add one in Settings."
REFUSED_KEY = "OpenRouter refused the inference key of this workspace. Its owner can replace it in Settings."


@dataclass(frozen=True)
class Credential:
    """A client for the presets of one workspace; ``key`` is None where it is the management key's."""

    organization: Organization
    client: OpenRouter
    key: InferenceKey | None

    def note(self, error: OpenRouterError) -> None:
        """Let every page know at once that OpenRouter does not take the key any more, whichever it is."""
        if self.key is None:
            note_refused(self.organization, error)
        elif isinstance(error, Unauthorized):
            with CarryOn("inference key not marked refused", workspace=self.key.workspace_uid):
                note_lent_key_refused(self.key, writable(error.message))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Whatever OpenRouter refuses within is noted and goes on."""
        try:
            yield
        except OpenRouterError as error:
            self.note(error)
            raise


def credential_for(organization: Organization, workspace_uid: str) -> Credential:
    """Raises Refused, with words for the person, where there is none."""
    key = lent_key(organization, workspace_uid)
    if key is not None and key.refused_at is not None:
        raise Refused(REFUSED_KEY)
    try:
        if key is not None:
            return Credential(organization, inference_client(key), key)
        if is_the_managers(organization, workspace_uid):
            return Credential(organization, client_for(organization), None)
    except Unauthorized as error:
        raise Refused(error.message) from None
    raise Refused(NO_KEY)


def is_the_managers(organization: Organization, workspace_uid: str) -> bool:
    """Whether the management key serves this workspace's presets: it names none, so it is the default's."""
    is_default = bool(workspace_uid) and workspace_uid == organization.default_workspace_uid
    return is_default and organization.capabilities.get(BY_MANAGER) is True

"""What every act of ours does around its call to OpenRouter, whatever it is about."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.inventory.services import note_refusal
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.openrouter.secret import HIDDEN

log = structlog.get_logger(__name__)

# Shorter ones are parts of ordinary words.
SHORTEST_HUSHED = 4


class Refused(Exception):
    """Why an act was not begun, in words for the person."""


class CarryOn:
    """``with CarryOn("what failed", key=…)``: OpenRouter has acted, so whatever goes wrong here is logged and
    stops nothing. The person is still told, a secret in hand still shown, and the next pull settles the rest.
    """

    def __init__(self, what: str, **details: object) -> None:
        self.what = what
        self.details = details

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        log.error(self.what, exc_info=error, **self.details)
        return True


def failed(started: Entry, error: OpenRouterError, *, seen: str = "") -> None:
    """Record what OpenRouter answered and what was ``seen`` when we looked; ``unknown`` when nobody can say
    whether the change took effect."""
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(
            started,
            outcome=Outcome.UNKNOWN if error.outcome_unknown else Outcome.FAILED,
            message=f"{error.message} {seen}".rstrip(),
            request_id=error.request_id,
        )
    note_refused(started.organization, error)


def hush(error: OpenRouterError, secrets: Iterable[str]) -> None:
    """OpenRouter may quote what it refuses: what was sent as a secret is not told again."""
    for raw in sorted(secrets, key=len, reverse=True):
        if len(raw) >= SHORTEST_HUSHED and raw in error.message:
            error.message = error.message.replace(raw, HIDDEN)
    error.args = (error.message,)
    error.metadata = None


def note_refused(organization: Organization, error: OpenRouterError) -> None:
    """Let every page know at once that OpenRouter does not take the management key any more."""
    with CarryOn("connection not marked broken", organization=organization.slug):
        note_refusal(organization, error)

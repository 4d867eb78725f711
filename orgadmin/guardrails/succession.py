"""A key that takes the place of another takes over its guardrail."""

from __future__ import annotations

from orgadmin.accounts.models import User
from orgadmin.guardrails.assigning import KEYS, Subject, guardrail_assign, held_by
from orgadmin.inventory.models import Guardrail
from orgadmin.inventory.successors import Succession
from orgadmin.openrouter.errors import OpenRouterError


class NotCarriedOver(OpenRouterError):
    """OpenRouter did not give the successor the guardrail, or nobody knows whether it did."""


def carry_over(actor: User, succession: Succession) -> None:
    """Give the successor the guardrail that the old key holds, if it holds one. Raises OpenRouterError."""
    organization = succession.organization
    uid = held_by(organization, KEYS, [succession.old_hash]).get(succession.old_hash)
    if uid is None:
        return
    rows = Guardrail.objects.filter(organization=organization, uid=uid, gone_at=None)
    guardrail = rows.select_related("organization").first()
    if guardrail is None:
        raise NotCarriedOver("its guardrail is not known here yet. Assign it after the next sync.")
    said = guardrail_assign(
        actor=actor,
        guardrail=guardrail,
        side=KEYS,
        subjects=[Subject(succession.new_hash, succession.name)],
    )
    if not said.done:
        raise NotCarriedOver(f"the guardrail “{guardrail.name}”. Assign it before the key is used.")

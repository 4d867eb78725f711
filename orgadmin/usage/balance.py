"""The pull of credits: how much was ever bought and ever spent, and what that says of purchases."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.nouns import stored
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import credits as upstream
from orgadmin.usage.models import CreditSnapshot

# An unchanged balance is worth a row no more often than this.
UNCHANGED = timedelta(hours=1)


def pull_credits(run: SyncRun, held: Holding) -> None:
    """The body of the kind "credits". Raises OpenRouterError."""
    client = client_for(run.organization, patience=PATIENCE)
    try:
        found = upstream.get(client)
    finally:
        run.calls = client.calls
    held.renew()
    run.seen = 1
    last = CreditSnapshot.objects.filter(organization=run.organization).order_by("-taken_at").first()
    now = timezone.now()
    bought, spent = stored(found.total_credits), stored(found.total_usage)
    if last and (last.total_credits, last.total_usage) == (bought, spent) and now - last.taken_at < UNCHANGED:
        return
    run.added = 1
    CreditSnapshot.objects.create(
        organization=run.organization,
        taken_at=now,
        total_credits=bought,
        total_usage=spent,
        # There is no list of purchases: a jump of what was ever bought is one (FACTS 2.10).
        purchased=bought - last.total_credits if last else None,
    )

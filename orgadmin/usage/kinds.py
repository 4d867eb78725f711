"""When what is pulled of use is due, and what does it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial

from django.conf import settings

from orgadmin.accounts.models import Organization
from orgadmin.inventory.kinds import Kind, daily, every, register
from orgadmin.usage.activity import pull_activity
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.balance import pull_credits
from orgadmin.usage.harvest import pull_harvest
from orgadmin.usage.history import due as history_due
from orgadmin.usage.history import pull_history
from orgadmin.usage.hours import pull_today

# Activity of a day is complete a while after midnight UTC; late corrections are there by the morning.
ACTIVITY_AT = (time(0, 30), time(6, 0))
FULL_AT = (time(3, 0),)
HARVEST_AT = (time(1, 15),)


def register_all() -> None:
    """In the order of a first sync."""
    for kind in (
        Kind("credits", "Credits", pull_credits, every(lambda: settings.SYNC_CREDITS_SECONDS)),
        Kind("activity", "Activity", pull_activity, daily(*ACTIVITY_AT), after="keys"),
        Kind("today", "Today's use", pull_today, _hourly, after="keys", capability=ANALYTICS),
        Kind(
            "activity-full",
            "Activity of every key",
            partial(pull_activity, is_full=True),
            daily(*FULL_AT),
            after="activity",
            is_rare=True,
        ),
        Kind("history", "A year of history", pull_history, history_due, is_rare=True, capability=ANALYTICS),
        Kind(
            "harvest",
            "Latency, apps and more",
            pull_harvest,
            daily(*HARVEST_AT),
            after="keys",
            capability=ANALYTICS,
        ),
    ):
        register(kind)


def _hourly(_: Organization, last: datetime | None) -> datetime:
    """Five minutes past every hour: the hour before is complete then."""
    if last is None:
        return datetime.min.replace(tzinfo=UTC)
    start = last.replace(minute=5, second=0, microsecond=0)
    return start if start > last else start + timedelta(hours=1)

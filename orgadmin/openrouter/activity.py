from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.reading import Count, named, read_list
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """What one provider endpoint served of one model on one UTC day. Money in US dollars; all of it can be
    negative, as after a refund.

    `model_permaslug` is the dated, lasting name of the model and `provider_name` a display name.
    `completion_tokens` include `reasoning_tokens`; `cached_tokens` can exceed `prompt_tokens` and is None
    where upstream does not tell. `workspace_id` is there only when the rows were split by workspace.
    """

    day: datetime.date = field(metadata=named("date"))
    model: str
    model_permaslug: str
    endpoint_id: str
    provider_name: str
    requests: Count
    prompt_tokens: Count
    completion_tokens: Count
    reasoning_tokens: Count
    usage: Decimal
    byok_usage_inference: Decimal
    cached_tokens: Count | None = None
    workspace_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def total(self) -> Decimal:
        """Credits spent and what the organization's own provider keys cost, together."""
        return self.usage + self.byok_usage_inference


def fetch(
    client: OpenRouter,
    *,
    date: datetime.date | None = None,
    api_key_hash: str | None = None,
    user_id: str | None = None,
    workspace_id: str | None = None,
    by_workspace: bool = False,
) -> tuple[ActivityRow, ...]:
    """`GET /activity`: the last 30 completed UTC days, or the one `date` of them; today is never there.

    A row says neither key nor member: ask for one at a time. The rows are not paged and may repeat their
    natural key. Needs a management key, else Forbidden; a day outside the window is an InvalidRequest. Raises
    ValueError, before sending, for an empty id, which upstream could take for "all", and for a `date` that
    has a time of day.
    """
    if isinstance(date, datetime.datetime):
        raise ValueError("Activity is asked for by day: a moment may belong to another day in UTC.")
    if "" in (api_key_hash, user_id, workspace_id):
        raise ValueError("An id to filter by is never empty.")
    params = {
        "date": date,
        "api_key_hash": api_key_hash,
        "user_id": user_id,
        "workspace_id": workspace_id,
        "group_by": "workspace" if by_workspace else None,
    }
    return read_list(ActivityRow, client.request("GET", "/activity", params=params))

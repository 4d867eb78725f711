"""`/activity`: the last 30 completed UTC days, by model and provider, exact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from orgadmin.sandbox.catalog import Model, endpoint_id, provider_name
from orgadmin.sandbox.errors import InvalidRequestError, NotFoundError
from orgadmin.sandbox.mix import Lane
from orgadmin.sandbox.moments import DAY, moment_of, seconds_of
from orgadmin.sandbox.money import dollars
from orgadmin.sandbox.sources import Source, sources
from orgadmin.sandbox.tally import Range, tally
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply

DAYS = 30
_MEASURES = ("requests", "prompt", "completion", "reasoning", "cached", "credits", "byok")


class Row(NamedTuple):
    """What the items of an answer are grouped by. Comparing two compares their ids."""

    model_id: str
    provider: str
    workspace_id: str | None


def get_activity(call: Call) -> Reply:
    by_workspace = _by_workspace(call)
    first, last = _window(call)
    wanted = list(_wanted(call))
    known: dict[Row, Model] = {}

    def row_of(source: Source, lane: Lane, reason: str | None) -> Row:
        row = Row(lane.model.id, lane.provider, source.workspace_id if by_workspace else None)
        known[row] = lane.model
        return row

    sums = tally(wanted, Range(first, last, seconds_of(call.now), "day"), _MEASURES, row_of)
    places = sorted(sums, key=lambda place: (-place[0], place[1]))
    return Reply({"data": [_item(day, row, known[row], sums[day, row]) for day, row in places]})


def _item(day: int, row: Row, model: Model, values: list[int]) -> dict[str, Any]:
    requests, prompt, completion, reasoning, cached, paid, byok = values
    item = {
        "date": moment_of(day).date().isoformat(),
        "model": model.id,
        "model_permaslug": model.slug,
        "endpoint_id": endpoint_id(model, row.provider),
        "provider_name": provider_name(row.provider),
        "usage": dollars(paid),
        "byok_usage_inference": dollars(byok),
        "requests": requests,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "reasoning_tokens": reasoning,
        "cached_tokens": cached,
    }
    return item if row.workspace_id is None else {**item, "workspace_id": row.workspace_id}


def _by_workspace(call: Call) -> bool:
    group_by = call.query.get("group_by")
    if group_by not in (None, "workspace"):
        raise InvalidRequestError('Invalid "group_by": expected workspace')
    return group_by is not None


def _window(call: Call) -> tuple[int, int]:
    """The first second of the window and the one after its last; a single day when one is asked for."""
    midnight = seconds_of(call.now) // DAY * DAY
    text = call.query.get("date")
    if text is None:
        return midnight - DAYS * DAY, midnight
    today = call.now.date()
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = today
    if len(text) != 10 or not today - timedelta(days=DAYS) <= day < today:
        raise InvalidRequestError('Invalid "date": expected one of the last 30 completed UTC days')
    start = midnight - (today - day).days * DAY
    return start, start + DAY


def _wanted(call: Call) -> Iterator[Source]:
    """The sources that the filters let through. Raises NotFoundError for a key or member there is not."""
    key_hash = _key_hash(call)
    user_id = call.query.get("user_id")
    workspace_id = call.query.get("workspace_id")
    if user_id is not None and user_id not in {member.id for member in call.account.members.all()}:
        raise NotFoundError("Member not found")
    if workspace_id is not None:
        workspace_id = call.account.workspaces.named(workspace_id).id
    for source in sources(call.account):
        if key_hash is not None and (source.key is None or source.key.hash != key_hash):
            continue
        if user_id in (None, source.user_id) and workspace_id in (None, source.workspace_id):
            yield source


def _key_hash(call: Call) -> str | None:
    key_hash = call.query.get("api_key_hash")
    return None if key_hash is None else call.account.keys.get(key_hash).hash


ENDPOINTS = (Endpoint("GET", "/activity", get_activity),)

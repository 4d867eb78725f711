"""`/presets`: list and read presets and their versions, and make new versions of three kinds of requests.

They are those of the workspace of the calling key. What a management key gets is the account's
`presets_for_managers`: a refusal with that status, or 200 and the presets of the default workspace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from orgadmin.sandbox.errors import ForbiddenError, InvalidRequestError, NotFoundError, UnauthorizedError
from orgadmin.sandbox.moments import spell
from orgadmin.sandbox.state.presets import PresetRow, PresetVersionRow
from orgadmin.sandbox.wire.preset_bodies import CHAT, MESSAGES, RESPONSES, taken
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply

SLUG = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_REFUSED = "Presets need an API key of a workspace"


def list_presets(call: Call) -> Reply:
    rows = call.account.presets.of_workspace(_workspace(call))
    return _page(call, rows, preset_object)


def get_preset(call: Call) -> Reply:
    return Reply({"data": _whole(call, _preset(call))})


def list_versions(call: Call) -> Reply:
    row = _preset(call)
    return _page(call, call.account.presets.versions(row), partial(version_object, long=row.long))


def get_version(call: Call) -> Reply:
    row, number = _preset(call), call.path["version"]
    if not re.fullmatch(r"[0-9]{1,9}", number, re.ASCII):
        raise NotFoundError("Preset version not found")
    found = call.account.presets.version(row, int(number))
    return Reply({"data": version_object(found, long=row.long)})


def create_or_update(call: Call, *, kind: str) -> Reply:
    """A new preset, or a new version of the one with this slug. Either is served from now on."""
    workspace_id, slug = _workspace(call), call.path["slug"]
    if not SLUG.fullmatch(slug):
        raise InvalidRequestError('Invalid "slug": expected URL-safe characters')
    config, prompt = taken(kind, call.json_object())
    creator = (call.caller.creator_user_id if call.caller else None) or call.account.manager_id
    row = call.account.preset_version(
        workspace_id, slug, call.now, config=config, system_prompt=prompt, creator=creator
    )
    return Reply({"data": _whole(call, row)})


def _workspace(call: Call) -> str:
    """The workspace that the caller's presets are those of."""
    if call.caller is not None:
        return call.caller.workspace_id
    account = call.account
    if account.presets_for_managers == 401:
        raise UnauthorizedError(_REFUSED)
    if account.presets_for_managers != 200 or account.workspaces.default_id is None:
        raise ForbiddenError(_REFUSED)
    return account.workspaces.default_id


def _preset(call: Call) -> PresetRow:
    return call.account.presets.get(_workspace(call), call.path["slug"])


def _page(call: Call, rows: Sequence[Any], shown: Any) -> Reply:
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    return Reply({"data": [shown(row) for row in rows[offset : offset + limit]], "total_count": len(rows)})


def preset_object(row: PresetRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "creator_user_id": row.creator_user_id,
        "workspace_id": row.workspace_id,
        "name": row.name,
        "slug": row.slug,
        "description": row.description,
        "status": row.status,
        "designated_version_id": row.designated_version_id,
        "created_at": spell(row.created_at, long=row.long),
        "updated_at": spell(row.updated_at, long=row.long),
        "status_updated_at": spell(row.status_updated_at, long=row.long) if row.status_updated_at else None,
    }


def version_object(row: PresetVersionRow, *, long: bool) -> dict[str, Any]:
    return {
        "id": row.id,
        "preset_id": row.preset_id,
        "creator_id": row.creator_id,
        "version": row.version,
        "system_prompt": row.system_prompt,
        "config": row.config,
        "created_at": spell(row.created_at, long=long),
        "updated_at": spell(row.created_at, long=long),
    }


def _whole(call: Call, row: PresetRow) -> dict[str, Any]:
    live = call.account.presets.designated(row)
    return {
        **preset_object(row),
        "designated_version": version_object(live, long=row.long) if live else None,
    }


ENDPOINTS = (
    Endpoint("GET", "/presets", list_presets, inference=True),
    Endpoint("GET", "/presets/<slug>", get_preset, inference=True),
    Endpoint("GET", "/presets/<slug>/versions", list_versions, inference=True),
    Endpoint("GET", "/presets/<slug>/versions/<version>", get_version, inference=True),
    *(
        Endpoint("POST", f"/presets/<slug>/{kind}", partial(create_or_update, kind=kind), inference=True)
        for kind in (CHAT, MESSAGES, RESPONSES)
    ),
)

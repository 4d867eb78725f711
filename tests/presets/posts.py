"""What the forms of presets and of inference keys post when all is well."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from orgadmin.accounts.models import InferenceKey
from orgadmin.inventory.models import Preset
from orgadmin.presets.bodies import parsed
from orgadmin.presets.drafts import PresetDraft
from tests.lending import lend
from tests.presets.conftest import pull

BODY = json.dumps({"model": "m/x", "messages": [{"role": "system", "content": "Be kind."}]})


def key(stage: Any) -> InferenceKey:
    """The key of the default workspace, lent and used when it is first asked for."""
    found = InferenceKey.objects.filter(organization=stage.organization).first()
    if found is None:
        found = lend(stage.organization, stage.sandbox.sandbox)
        pull(stage.organization)
    return found


def preset(stage: Any) -> Preset:
    return Preset.objects.get(workspace_uid=key(stage).workspace_uid, slug="support-bot")


def _confirmed(workspace_uid: str, slug: str, seen: int) -> dict[str, Any]:
    kind = "chat/completions"
    draft = PresetDraft(workspace_uid=workspace_uid, slug=slug, kind=kind, body=parsed(BODY))
    return {
        "kind": kind,
        "body": BODY,
        "checked": draft.digest,
        "seen": str(seen),
        "confirmed": "on",
        "form_token": str(uuid.uuid4()),
    }


def new_preset(stage: Any) -> dict[str, Any]:
    workspace_uid, slug = key(stage).workspace_uid, f"fuzzed-{uuid.uuid4().hex[:8]}"
    return {"workspace": workspace_uid, "slug": slug, **_confirmed(workspace_uid, slug, 0)}


def new_version(stage: Any) -> dict[str, Any]:
    row = preset(stage)
    return _confirmed(row.workspace_uid, row.slug, row.live_version or 0)


def checked(stage: Any) -> dict[str, Any]:
    return {"preset": preset(stage).uid, "kind": "responses", "body": BODY, "form_token": str(uuid.uuid4())}


def restored(stage: Any) -> dict[str, Any]:
    return {"seen": str(preset(stage).live_version), "form_token": str(uuid.uuid4())}


def lent(stage: Any) -> dict[str, Any]:
    return {"inference_key": "sk-or-v1-" + "0" * 64, "workspace": key(stage).workspace_uid}


def _at(path: str) -> Callable[[Any], str]:
    return lambda stage: f"/o/acme/{path}".format(preset=preset(stage).uid, key=key(stage).pk)


FORMS: Mapping[str, tuple[Callable[[Any], str], Callable[[Any], dict[str, Any]]]] = {
    "new preset": (_at("presets/create/"), new_preset),
    "new version": (_at("presets/{preset}/edit/"), new_version),
    "check preset": (_at("presets/check/"), checked),
    "restore version": (_at("presets/{preset}/versions/1/restore/"), restored),
    "lend key": (_at("settings/inference-keys/add/"), lent),
    "replace key": (_at("settings/inference-keys/{key}/replace/"), lambda stage: {"inference_key": "x"}),
}

"""What a request would become, before it is sent: which fields are kept, which prompt, what is replaced."""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Preset, PresetVersion
from orgadmin.inventory.preset_models import models_of
from orgadmin.presets.bodies import Fate, as_config, fates, prompt_of
from orgadmin.presets.diffs import Difference, difference
from orgadmin.presets.drafts import PresetDraft
from orgadmin.presets.selectors import Pinned, fields_kept, live_of, named, pinned


@dataclass(frozen=True)
class Preview:
    """``preset`` is the one that gets a version, None for a new one; ``live`` what it serves now; ``number``
    the one that the new version probably gets."""

    draft: PresetDraft
    preset: Preset | None
    live: PresetVersion | None
    number: int
    fates: list[Fate]
    prompt: str
    difference: Difference
    models: list[Pinned]

    @property
    def seen(self) -> int:
        return self.live.number if self.live else 0


def preview_of(organization: Organization, draft: PresetDraft) -> Preview:
    """As far as we know what OpenRouter keeps."""
    preset = named(organization, draft.workspace_uid, draft.slug)
    live = live_of(preset)
    kept = fields_kept(organization)
    config, prompt = as_config(draft.kind, draft.body, kept), prompt_of(draft.kind, draft.body)
    old = (live.config, live.system_prompt) if live else ({}, None)
    judged = preset or Preset(organization=organization, workspace_uid=draft.workspace_uid)
    return Preview(
        draft=draft,
        preset=preset,
        live=live,
        number=((preset and preset.newest_version) or 0) + 1,
        fates=fates(draft.kind, draft.body, kept),
        prompt=prompt,
        difference=difference(old, (config, prompt)),
        models=pinned(judged, models_of(config)),
    )

"""The catalog as it stands at a moment: what has come, what has gone, what has been changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.errors import NotFoundError
from orgadmin.sandbox.moments import seconds_of


class Shelf:
    """All models there could be. `vanished` is one that is used and no longer listed, although nobody ever
    gave it an end. `changes` holds, by model id, what came otherwise than it was made: `prices` (merged),
    `ends` and `listed`."""

    def __init__(self, models: Sequence[Model] = (), *, vanished: str | None = None) -> None:
        self._models = {model.id: model for model in sorted(models, key=lambda model: -model.created)}
        self.vanished = vanished
        self.changes: dict[str, dict[str, Any]] = {}
        self._canonical = _canonical_slugs(models)

    def canonical(self, name: str) -> str | None:
        """What guardrails call a model, given its id or that slug: the permaslug, and the variant unless it
        is the standard one. Models that are no longer listed keep theirs; None for what never was one."""
        return self._canonical.get(name)

    def listed(self, now: datetime) -> list[Model]:
        """What the catalog shows now, newest first."""
        found = (self._as_changed(model) for model in self._models.values())
        return [model for model in found if self._there(model, seconds_of(now))]

    def get(self, name: str, now: datetime) -> Model:
        """A model by its id, or by its permaslug when no id is that. Raises NotFoundError."""
        model = self._models.get(name) or next(
            (model for model in self._models.values() if model.slug == name and ":" not in model.id), None
        )
        if model is None or not self._there(self._as_changed(model), seconds_of(now)):
            raise NotFoundError(f"Model {name} not found")
        return self._as_changed(model)

    def change(self, model_id: str, changes: Mapping[str, Any]) -> None:
        """Raises NotFoundError for a model that never was."""
        if model_id not in self._models:
            raise NotFoundError(f"Model {model_id} not found")
        known = self.changes.setdefault(model_id, {})
        prices = {**known.get("prices", {}), **changes.get("prices", {})}
        known.update(changes)
        if prices:
            known["prices"] = prices

    def alias_target(self, model: Model) -> Model | None:
        return self._models.get(model.alias_of) if model.alias_of else None

    def _as_changed(self, model: Model) -> Model:
        changes = self.changes.get(model.id)
        if not changes:
            return model
        ends = changes.get("ends", model.ends)
        return replace(model, prices={**model.prices, **changes.get("prices", {})}, ends=ends)

    def _there(self, model: Model, seconds: int) -> bool:
        if not self.changes.get(model.id, {}).get("listed", model.id != self.vanished):
            return False
        return model.created <= seconds and (model.gone is None or seconds < model.gone)


def _canonical_slugs(models: Sequence[Model]) -> dict[str, str]:
    names: dict[str, str] = {}
    for model in models:
        whole = model.slug if model.variant == "standard" else f"{model.slug}:{model.variant}"
        names.update({model.id: whole, whole: whole})
        names.setdefault(model.slug, model.slug)
    return names

"""What a form says a preset should become. Values only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgadmin.openrouter import jsontext


@dataclass(frozen=True, kw_only=True)
class PresetDraft:
    """A request of one kind, of which OpenRouter makes a preset or a new version of one. Fractions are
    Decimal."""

    workspace_uid: str
    slug: str
    kind: str
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Names exactly this draft: what was confirmed must be what is sent."""
        said = jsontext.dumps([self.workspace_uid, self.slug, self.kind, self.body])
        return hashlib.sha256(said.encode()).hexdigest()[:32]

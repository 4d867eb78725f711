"""The models the invented organization could use: facts of a hundred or so real ones, as of January 2026.

`catalog.json` holds one model a line. `knobs` spells the parameters a model takes, one letter each, by the
table in front. Prices are US dollars per token, request or image, as decimal text; a router's are -1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `slug` is the dated one that never changes; `created` is seconds since 1970."""

    id: str
    slug: str
    name: str
    created: int
    context: int
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    tokenizer: str
    prices: Mapping[str, str]
    parameters: tuple[str, ...]
    providers: tuple[str, ...]
    longest_answer: int | None = None
    moderated: bool = False
    weights: str | None = None
    ends: str | None = None

    @property
    def author(self) -> str:
        return self.id.partition("/")[0]

    @property
    def costs(self) -> bool:
        """False for free models and for routers, whose own price says nothing."""
        return Decimal(self.prices["prompt"]) > 0


@lru_cache(maxsize=1)
def models() -> tuple[Model, ...]:
    """Every model, newest first."""
    content = json.loads(files("orgadmin.sandbox").joinpath("catalog.json").read_text(encoding="utf-8"))
    return tuple(_model(row, content["knobs"]) for row in content["models"])


def _model(row: dict[str, object], knobs: Mapping[str, str]) -> Model:
    fields: dict[str, object] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    fields["parameters"] = tuple(knobs[letter] for letter in str(fields.pop("knobs")))
    return Model(**fields)  # type: ignore[arg-type]  # the file is ours and a test reads all of it

"""The models the invented organization could use: facts of a hundred or so real ones, as of January 2026.

`catalog.json` holds one model a line. `knobs` spells the parameters a model takes, one letter each, by the
table in front. Prices are US dollars per token, request or image, as decimal text; a router's are -1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from orgadmin.sandbox.dice import uuid_text


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `slug` is the dated one that never changes; `created` is seconds since 1970.
    `alias_of` is the id of another that it stands for, `ends` the day on which it leaves the catalog."""

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
    alias_of: str | None = None

    @property
    def author(self) -> str:
        return self.id.partition("/")[0]

    @property
    def variant(self) -> str:
        """`free`, `thinking`, ...; `standard` for most."""
        return self.id.partition(":")[2] or "standard"

    @property
    def gone(self) -> int | None:
        """When it leaves the catalog (seconds since 1970), None when nobody has said so."""
        return None if self.ends is None else int(datetime.fromisoformat(f"{self.ends}T00:00Z").timestamp())

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


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Model]:
    return {model.id: model for model in models()}


def model_named(model_id: str) -> Model | None:
    """The model with this id, if there is one."""
    return _by_id().get(model_id)


def endpoint_id(model: Model, provider: str) -> str:
    """The UUID of a model at a provider, the same in every answer."""
    return uuid_text("endpoint", model.id, provider)


def provider_name(slug: str) -> str:
    """The display name of a provider."""
    return PROVIDERS.get(slug, slug)


PROVIDERS = {
    "ai21": "AI21", "aion-labs": "AionLabs", "alibaba": "Alibaba", "amazon-bedrock": "Amazon Bedrock",
    "anthropic": "Anthropic", "azure": "Azure", "baidu": "Baidu", "chutes": "Chutes",
    "cloudflare": "Cloudflare", "cohere": "Cohere", "deepinfra": "DeepInfra", "deepseek": "DeepSeek",
    "fireworks": "Fireworks", "google-ai-studio": "Google AI Studio", "google-vertex": "Google",
    "groq": "Groq", "inception": "Inception", "inflection": "Inflection", "liquid": "Liquid",
    "minimax": "Minimax", "mistral": "Mistral", "moonshotai": "Moonshot AI", "morph": "Morph",
    "nebius": "Nebius", "novita": "NovitaAI", "openai": "OpenAI", "parasail": "Parasail",
    "perplexity": "Perplexity", "relace": "Relace", "seed": "Seed", "stepfun": "StepFun",
    "switchpoint": "Switchpoint", "together": "Together", "upstage": "Upstage", "xai": "xAI",
    "xiaomi": "Xiaomi", "z-ai": "Z.AI",
}  # fmt: skip

"""The providers: what they are called here and there, where they are, and what they keep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from orgadmin.sandbox.catalog import PROVIDERS

_MORE = {
    "atlas-cloud": "AtlasCloud", "baseten": "BaseTen", "black-forest-labs": "Black Forest Labs",
    "cerebras": "Cerebras", "crusoe": "Crusoe", "deepgram": "Deepgram", "elevenlabs": "ElevenLabs",
    "featherless": "Featherless", "friendli": "Friendli", "gmicloud": "GMICloud", "nvidia": "Nvidia",
    "phala": "Phala", "recraft": "Recraft", "runway": "Runway", "sambanova": "SambaNova",
    "siliconflow": "SiliconFlow", "venice": "Venice", "wandb": "WandB",
}  # fmt: skip

_ENDPOINT_NAMES = {"novita": "Novita"}
"""Where endpoints call a provider otherwise than the list of providers does."""

_PLACES: dict[str, tuple[str, ...]] = {
    "ai21": ("IL", "US"), "alibaba": ("CN", "SG"), "amazon-bedrock": ("US", "DE", "IE"),
    "anthropic": ("US",), "azure": ("US", "SE", "NL"), "baidu": ("CN",), "black-forest-labs": ("DE", "DE"),
    "cerebras": ("US", "US", "FR"), "cohere": ("CA", "US"), "deepgram": ("US", "US"),
    "deepinfra": ("US", "US"), "deepseek": ("CN", "CN"), "elevenlabs": ("US", "US", "NL"),
    "fireworks": ("US", "US", "DE"), "friendli": ("KR", "US"), "google-ai-studio": ("US",),
    "google-vertex": ("US", "US", "BE", "NL"), "groq": ("US", "US", "FI"), "minimax": ("SG", "SG"),
    "mistral": ("FR", "SE"), "moonshotai": ("CN", "SG"), "nebius": ("NL", "FI"), "novita": ("US",),
    "nvidia": ("US", "US"), "openai": ("US", "US", "IE"), "parasail": ("US", "US", "NO"),
    "perplexity": ("US", "US"), "recraft": ("GB", "US"), "runway": ("US",), "sambanova": ("US", "US", "JP"),
    "seed": ("SG", "SG"), "siliconflow": ("SG", "SG"), "stepfun": ("CN",), "together": ("US", "US", "SE"),
    "upstage": ("KR", "US"), "xai": ("US", "US"), "xiaomi": ("CN",), "z-ai": ("SG", "SG"),
}  # fmt: skip
"""Headquarters, then datacenters; who is not in it does not say."""

_KEEPS_NOTHING = {
    "amazon-bedrock", "azure", "baseten", "cerebras", "cloudflare", "crusoe", "deepinfra", "fireworks",
    "friendli", "google-vertex", "groq", "mistral", "morph", "nebius", "parasail", "phala", "relace",
    "sambanova", "together", "venice",
}  # fmt: skip
_EUROPE = {"BE", "DE", "FI", "FR", "IE", "NL", "SE"}


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `keeps_nothing` is a policy of zero data retention, which the list does not tell."""

    slug: str
    name: str
    headquarters: str | None
    datacenters: tuple[str, ...] | None
    keeps_nothing: bool

    @property
    def endpoint_name(self) -> str:
        return _ENDPOINT_NAMES.get(self.slug, self.name)

    @property
    def regions(self) -> set[str]:
        """`eu` and `us`, as far as it has datacenters there."""
        places = set(self.datacenters or ())
        return ({"eu"} if places & _EUROPE else set()) | ({"us"} if "US" in places else set())


@lru_cache(maxsize=1)
def providers() -> dict[str, Provider]:
    """Every provider, by slug."""
    return {slug: _provider(slug, name) for slug, name in sorted({**PROVIDERS, **_MORE}.items())}


def _provider(slug: str, name: str) -> Provider:
    headquarters, *datacenters = _PLACES.get(slug, (None,))
    return Provider(slug, name, headquarters, tuple(datacenters) or None, slug in _KEEPS_NOTHING)

"""What the pickers of restrictions offer, and what was typed into them made into what OpenRouter takes."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogModel
from orgadmin.catalog.selectors import providers_by_slug
from orgadmin.inventory.models import Credential, Key, Member
from orgadmin.inventory.search import containing

MOST = 30
# What OpenRouter's document names; it grows by the month, so they are offered and anything is taken.
PROVIDERS = (
    *("ai21", "aion-labs", "akashml", "alibaba", "amazon-bedrock", "amazon-bedrock/claude-on-aws"),
    *("amazon-nova", "ambient", "anthropic", "anthropic/2", "arcee-ai", "assemblyai", "atlas-cloud"),
    *("avian", "azure", "baidu", "baseten", "black-forest-labs", "byteplus", "cerebras", "chutes"),
    *("cirrascale", "clarifai", "claude-on-aws", "cloudflare", "cohere", "coreweave", "cosine"),
    *("crusoe", "darkbloom", "databricks", "decart", "deepgram", "deepinfra", "deepseek", "dekallm"),
    *("digitalocean", "elevenlabs", "featherless", "fireworks", "fish-audio", "friendli", "gmicloud"),
    *("google-ai-studio", "google-vertex", "groq", "heygen", "inception", "inceptron", "inferact-vllm"),
    *("inference-net", "infermatic", "inflection", "io-net", "ionstream", "krea", "liquid", "makora"),
    *("mancer", "mara", "meta", "minimax", "mistral", "modal", "modelrun", "modular", "moonshotai"),
    *("morph", "ncompass", "near-ai", "nebius", "nex-agi", "nextbit", "novita", "nvidia", "ollama"),
    *("open-inference", "openai", "parasail", "pareto-alpha", "perceptron", "perplexity", "phala"),
    *("poolside", "primeintellect", "quiver", "recraft", "recursive", "reka", "relace", "respan"),
    *("runway", "sail-research", "sakana", "sakana-ai", "sambanova", "scaledown", "seed"),
    *("siliconflow", "sourceful", "stepfun", "streamlake", "switchpoint", "tencent", "tenstorrent"),
    *("thinkingmachines", "together", "typesafe", "unbiased", "upstage", "venice", "voyageai", "wafer"),
    *("wandb", "wandb-legacy", "xai", "xiaomi", "z-ai"),
)


def provider_offers(organization: Organization) -> list[tuple[str, str]]:
    """Slugs of providers with what people call them: the catalog's, those in use, and what was named once."""
    used = Credential.objects.filter(organization=organization).order_by()
    slugs = {*PROVIDERS, *used.values_list("provider", flat=True)}
    found = {slug: slug for slug in slugs} | providers_by_slug(organization)
    return sorted(found.items(), key=lambda offer: offer[1].casefold())


def choices(organization: Organization, name: str, text: str) -> list[tuple[str, str]]:
    """Values and names that hold every word of ``text``, for one of the lists."""
    words = text.casefold().split()[:8]
    if name == "allowed_models":
        return _models(organization, words)
    if name == "allowed_api_key_hashes":
        keys = Key.objects.filter(organization=organization, gone_at=None)
        for condition in containing(text):
            keys = keys.filter(condition)
        rows = keys.select_related("workspace").order_by("sort_name", "pk")[:MOST]
        return [
            (row.hash, f"{row.name} · {row.workspace.name if row.workspace else row.label}") for row in rows
        ]
    people = Member.objects.filter(organization=organization, gone_at=None)
    for word in words:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        people = people.filter(named | Q(email__icontains=word) | Q(uid__iexact=word))
    return [(row.uid, f"{row} · {row.email}" if row.email else str(row)) for row in people[:MOST]]


def _models(organization: Organization, words: Sequence[str]) -> list[tuple[str, str]]:
    models = CatalogModel.objects.filter(organization=organization, gone_at=None, alias_of="")
    for word in words:
        models = models.filter(Q(slug__icontains=word) | Q(name__icontains=word))
    return [(slug, slug) for slug in models.order_by("slug").values_list("slug", flat=True)[:MOST]]


def resolved(organization: Organization, name: str, values: Sequence[str]) -> tuple[list[str], list[str]]:
    """What was picked or typed as OpenRouter takes it, and what stands for nothing we know, or for several.
    Any model is taken: OpenRouter says whether it knows it."""
    if name == "allowed_models" or not values:
        return list(values), []
    known = _people(organization, values) if name == "allowed_user_ids" else _keys(organization, values)
    found = [known.get(value.casefold(), "") for value in values]
    odd = [value for value, one in zip(values, found, strict=True) if not one]
    return list(dict.fromkeys(filter(None, found))), odd


def _keys(organization: Organization, values: Sequence[str]) -> dict[str, str]:
    """Hashes by themselves and by names that only one key bears."""
    folded = [value.casefold() for value in values]
    keys = Key.objects.filter(organization=organization, gone_at=None)
    hashes = keys.filter(hash__in=folded).values_list("hash", flat=True)
    found: dict[str, set[str]] = {one: {one} for one in hashes}
    named = keys.filter(sort_name__in=[one[:100] for one in folded])
    for name, key_hash in named.values_list("name", "hash"):
        found.setdefault(name.casefold(), set()).add(key_hash)
    return {said: next(iter(hashes)) for said, hashes in found.items() if len(hashes) == 1}


def _people(organization: Organization, values: Sequence[str]) -> dict[str, str]:
    """Ids by themselves, by address and by names that only one person bears."""
    wanted = {value.casefold() for value in values}
    found: dict[str, set[str]] = {}
    for row in Member.objects.filter(organization=organization, gone_at=None):
        for said in {row.uid.casefold(), row.email.casefold(), str(row).casefold()} & wanted:
            found.setdefault(said, set()).add(row.uid)
    return {said: next(iter(uids)) for said, uids in found.items() if len(uids) == 1}

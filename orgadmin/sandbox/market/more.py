"""Invented models, to fill the catalog to any size. None of them is used; the used ones are `catalog`'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from orgadmin.sandbox.catalog import Model, models
from orgadmin.sandbox.dice import Dice

_MAKERS = (
    ("fjord-labs", "Fjord Labs"), ("kite-research", "Kite Research"), ("basalt", "Basalt"),
    ("heliotrope", "Heliotrope"), ("quillworks", "Quillworks"), ("tessellate", "Tessellate"),
    ("open-tundra", "Open Tundra"), ("marigold-ai", "Marigold AI"), ("northlight", "Northlight"),
    ("obsidian-collective", "Obsidian Collective"), ("paperbark", "Paperbark"), ("saltmarsh", "Saltmarsh"),
)  # fmt: skip
_FAMILIES = (
    "Alder", "Brant", "Cirrus", "Dunlin", "Ember", "Fathom", "Gannet", "Halcyon", "Ibis", "Juniper",
    "Kestrel", "Lumen", "Meridian", "Nacre", "Osprey", "Petrel", "Quartz", "Rill", "Sable", "Tern",
)  # fmt: skip
_SIZES = ("3B", "7B", "12B", "24B", "32B", "70B", "120B A12B", "235B A22B")
_MANNERS = ("Instruct", "Thinking", "Coder", "Vision", "Chat", "Mini")
_TOKENIZERS = ("Other", "Other", "Qwen3", "Llama3", "Mistral", "DeepSeek", "GPT")
_HOSTS = (
    "deepinfra", "novita", "together", "fireworks", "parasail", "nebius", "groq", "chutes", "cloudflare",
    "atlas-cloud", "baseten", "cerebras", "crusoe", "featherless", "friendli", "gmicloud", "phala",
    "sambanova", "siliconflow", "venice", "wandb", "amazon-bedrock", "google-vertex", "azure",
)  # fmt: skip
_CONTEXTS = (8_192, 32_768, 65_536, 131_072, 131_072, 262_144, 1_048_576)
_KNOBS = (
    "frequency_penalty", "max_tokens", "min_p", "presence_penalty", "repetition_penalty", "response_format",
    "seed", "stop", "structured_outputs", "temperature", "tool_choice", "tools", "top_k", "top_p",
)  # fmt: skip
_FIRST = datetime(2023, 6, 1, tzinfo=UTC)
_LAST = datetime(2026, 10, 1, tzinfo=UTC)

_KINDS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], Mapping[str, str], tuple[str, ...]], ...] = (
    ("Embed", "embed", ("text",), ("embeddings",), {"prompt": "0.00000002"}, ("nebius", "deepinfra")),
    ("Rerank", "rerank", ("text",), ("rerank",), {"request": "0.002"}, ("cohere",)),
    ("Canvas", "canvas", ("text", "image"), ("image",), {"image_output": "0.04"}, ("black-forest-labs",)),
    ("Poster", "poster", ("text",), ("image",), {"image_output": "0.022"}, ("recraft", "together")),
    ("Reel", "reel", ("text", "image"), ("video",), {}, ("runway",)),
    ("Voice", "voice", ("text",), ("speech",), {"prompt": "0.000015"}, ("elevenlabs", "deepgram")),
    ("Scribe", "scribe", ("audio",), ("transcription",), {"audio": "0.0000043"}, ("deepgram",)),
)
"""Name, slug, what it takes, what it gives, what it costs, who serves it."""

ALIASES = (
    ("anthropic", "claude"), ("openai", "gpt"), ("google", "gemini"), ("deepseek", "deepseek"),
)  # fmt: skip


def shelf(size: int, seed: int, born: datetime, *, vanished: str | None) -> tuple[Model, ...]:
    """The whole catalog, of which at least `size` models are listed at `born`.

    Those in use come first, then aliases of them, models that do other things than write, and ever more that
    write. A few have been given a date on which they end; no alias stands for the one that has `vanished`.
    """
    fixed = (*models(), *_aliases(vanished), *(_media(seed, number) for number in range(3 * len(_KINDS))))
    made = {model.id: model for model in fixed}
    start = int(born.timestamp())
    hidden = sum(
        model.id == vanished or model.created > start or (model.gone or start + 1) <= start for model in fixed
    )
    for model in _writers(seed, born):
        if len(made) - hidden >= size:
            break
        made.setdefault(model.id, model)
    return tuple(made.values())


def _aliases(vanished: str | None) -> Iterator[Model]:
    """`~author/name-latest`: always the newest of a maker that has no end."""
    for author, name in ALIASES:
        target = next(
            model
            for model in models()
            if model.author == author and ":" not in model.id and model.costs and not model.ends
            if model.id != vanished
        )
        alias = f"~{author}/{name}-latest"
        yield replace(target, id=alias, slug=alias, name=f"{target.name} (latest)", alias_of=target.id)


def _media(seed: int, number: int) -> Model:
    name, slug, takes, gives, prices, hosts = _KINDS[number % len(_KINDS)]
    dice = Dice("media model", seed, number)
    author, maker = _MAKERS[number % len(_MAKERS)]
    version = 1 + number // len(_KINDS)
    return Model(
        id=f"{author}/{slug}-{version}",
        slug=f"{author}/{slug}-{version}",
        name=f"{maker}: {name} {version}",
        created=_moment(dice),
        context=dice.pick((4_096, 8_192, 32_768)),
        takes=takes,
        gives=gives,
        tokenizer="Media" if gives != ("embeddings",) else "Other",
        prices={"prompt": "0", "completion": "0", **prices},
        parameters=("seed",) if gives[0] in ("image", "video") else (),
        providers=hosts,
    )


def _writers(seed: int, born: datetime) -> Iterator[Model]:
    for number in count():
        dice = Dice("writing model", seed, number)
        model = _writer(dice, _MAKERS[number % len(_MAKERS)], number)
        if number % 25 == 9:
            end = born + timedelta(days=dice.pick((6, 20, 45, 120)))
            model = replace(model, ends=end.date().isoformat())
        yield model
        if dice.happens(0.12):
            free = dict.fromkeys(("prompt", "completion"), "0")
            yield replace(model, id=f"{model.id}:free", name=f"{model.name} (free)", prices=free)


def _writer(dice: Dice, maker: tuple[str, str], number: int) -> Model:
    author, title = maker
    family, size, manner = dice.pick(_FAMILIES), dice.pick(_SIZES), dice.pick(_MANNERS)
    version = f"{1 + dice.below(4)}.{dice.below(10)}"
    name = f"{family} {version} {size} {manner}"
    slug = f"{author}/{name.lower().replace(' ', '-')}"
    created = _moment(dice)
    context = dice.pick(_CONTEXTS)
    thinks = manner == "Thinking" or dice.happens(0.2)
    return Model(
        id=slug,
        slug=f"{slug}-{datetime.fromtimestamp(created, tz=UTC):%Y%m%d}",
        name=f"{title}: {name}",
        created=created,
        context=context,
        takes=("text", "image") if manner == "Vision" else ("text",),
        gives=("text",),
        tokenizer=dice.pick(_TOKENIZERS),
        prices=_prices(dice),
        parameters=tuple(sorted((*_KNOBS, *(("reasoning", "include_reasoning") if thinks else ())))),
        providers=tuple(dice.shuffled(_HOSTS)[: dice.weighted((1, 2, 3, 4, 6, 9), (1, 2, 3, 3, 3, 2))]),
        longest_answer=dice.pick((None, 8_192, 32_768)),
        moderated=dice.happens(0.1),
        weights=f"{author}/{name.replace(' ', '-')}",
    )


def _prices(dice: Dice) -> dict[str, str]:
    prompt = Decimal(dice.pick((2, 5, 8, 10, 15, 20, 30, 40, 60, 90, 120, 200, 300))) / 100
    prices = {"prompt": prompt, "completion": prompt * dice.pick((1, 2, 3, 4, 5))}
    if dice.happens(0.4):
        prices["input_cache_read"] = prompt / 10
    return {name: per_token(price) for name, price in prices.items()}


def per_token(dollars_per_million: Decimal) -> str:
    """A price as answers spell it: plain decimals, no zeros at the end."""
    return format((dollars_per_million / 1_000_000).normalize(), "f")


def _moment(dice: Dice) -> int:
    return int(_FIRST.timestamp()) + dice.below(int((_LAST - _FIRST).total_seconds()))

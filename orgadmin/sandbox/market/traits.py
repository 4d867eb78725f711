"""What is said of a model beside its price: made of its id alone, so that every answer says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.dice import Dice

CATEGORIES = (
    "programming", "roleplay", "marketing", "marketing/seo", "technology", "science", "translation", "legal",
    "finance", "health", "trivia", "academia",
)  # fmt: skip
_EFFORTS = ("high", "medium", "low", "minimal")
_VOICES = ("alloy", "brook", "cedar", "dune", "echo")
_TEMPLATES = {"Llama3": "llama3", "Qwen3": "qwen3", "Mistral": "mistral", "DeepSeek": "deepseek-v3.1"}
_PRAISE = (
    "is made for long documents and careful answers", "answers quickly and costs little",
    "follows instructions with many steps", "is at its best with code and tools",
    "speaks two dozen languages", "is tuned for conversation",
)  # fmt: skip


def is_router(model: Model) -> bool:
    """A model that passes requests on to others."""
    return model.prices["prompt"] == "-1"


def categories(model: Model) -> tuple[str, ...]:
    dice = Dice("categories", model.id)
    return tuple(dice.shuffled(CATEGORIES)[: dice.below(5)])


def popularity(model: Model) -> float:
    """The more, the more it is used by everybody."""
    return Dice("popularity", model.id).unit()


def distillable(model: Model) -> bool:
    return model.weights is not None and Dice("distillable", model.id).happens(0.7)


def tool_success(model: Model) -> float | None:
    """The share of tool calls that work out."""
    return Dice("tools", model.id).between(0.7, 1) if "tools" in model.parameters else None


def description(model: Model) -> str:
    dice = Dice("description", model.id)
    maker, _, name = model.name.partition(": ")
    text = f"{name or maker} {dice.pick(_PRAISE)}. It {dice.pick(_PRAISE)}."
    if dice.happens(0.05):
        text += "\n\n" + "\n".join(f"- It **{praise}**." for praise in _PRAISE)
    return text


def instruct_type(model: Model) -> str | None:
    return _TEMPLATES.get(model.tokenizer) if model.weights else None


def architecture(model: Model) -> dict[str, Any]:
    return {
        "modality": f"{'+'.join(model.takes)}->{'+'.join(sorted(model.gives, reverse=True))}",
        "input_modalities": list(model.takes),
        "output_modalities": list(model.gives),
        "tokenizer": model.tokenizer,
        "instruct_type": instruct_type(model),
    }


def default_parameters(model: Model) -> dict[str, float | None] | None:
    dice = Dice("defaults", model.id)
    if dice.happens(0.5):
        return None
    return {
        "temperature": dice.pick((None, 0.6, 0.7, 1)),
        "top_p": dice.pick((None, 0.9, 0.95)),
        "top_k": dice.pick((None, 20, 40)),
        "frequency_penalty": None,
        "presence_penalty": None,
        "repetition_penalty": dice.pick((None, None, 1.05)),
    }


def reasoning(model: Model) -> dict[str, Any] | None:
    """None for models that do not think, and for routers."""
    if "reasoning" not in model.parameters or is_router(model):
        return None
    dice = Dice("reasoning", model.id)
    found: dict[str, Any] = {
        "mandatory": dice.happens(0.2),
        "default_enabled": dice.happens(0.5),
        "supported_efforts": list(_EFFORTS) if dice.happens(0.6) else None,
        "default_effort": "medium",
    }
    if "include_reasoning" in model.parameters and dice.happens(0.4):
        found["supports_max_tokens"] = True
    return found


def benchmarks(model: Model) -> dict[str, Any] | None:
    """None where nobody has measured."""
    dice = Dice("benchmarks", model.id)
    if model.gives != ("text",) or is_router(model) or not dice.happens(0.4):
        return None
    index = dice.between(12, 74)
    found: dict[str, Any] = {"design_arena": [_arena(dice)] if dice.happens(0.4) else []}
    if dice.happens(0.9):
        found["artificial_analysis"] = {
            "intelligence_index": round(index, 1),
            "coding_index": round(index * dice.between(0.8, 1.1), 1) if dice.happens(0.9) else None,
            "agentic_index": round(index * dice.between(0.6, 1.1), 1) if dice.happens(0.8) else None,
        }
    return found


def _arena(dice: Dice) -> dict[str, Any]:
    return {
        "arena": "models",
        "category": dice.pick(("website", "game", "data visualization")),
        "elo": round(dice.between(980, 1_400), 1),
        "rank": 1 + dice.below(60),
        "win_rate": round(dice.between(20, 80), 1),
    }


def index_of(model: Model, name: str) -> float | None:
    """One of the three indices by Artificial Analysis."""
    measured = (benchmarks(model) or {}).get("artificial_analysis") or {}
    value: float | None = measured.get(f"{name}_index")
    return value


def elo(model: Model) -> float | None:
    arenas = (benchmarks(model) or {}).get("design_arena") or []
    return max((arena["elo"] for arena in arenas), default=None)


def knowledge_cutoff(model: Model) -> str | None:
    dice = Dice("cutoff", model.id)
    if "text" not in model.gives or dice.happens(0.3):
        return None
    day = datetime.fromtimestamp(model.created, tz=UTC) - timedelta(days=90 + dice.below(300))
    return day.date().isoformat()


def voices(model: Model) -> list[str] | None:
    return list(_VOICES) if "speech" in model.gives else None

"""`/images/models` and `/videos/models`: models that draw and film, with what they can be told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.errors import NotFoundError
from orgadmin.sandbox.market import traits
from orgadmin.sandbox.market.offers import Offer, offers
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply

_SIZES = {"type": "enum", "values": ["1K", "2K", "4K"]}
_RATIOS = ["16:9", "9:16", "1:1"]


def list_image_models(call: Call) -> Reply:
    models = [model for model in call.account.shelf.listed(call.now) if "image" in model.gives]
    return Reply({"data": [image_model_object(model) for model in models]})


def list_image_endpoints(call: Call) -> Reply:
    """Not wrapped in `data`, unlike everything else."""
    model = call.account.shelf.get(f"{call.path['author']}/{call.path['slug']}", call.now)
    if "image" not in model.gives:
        raise NotFoundError(f"{model.id} makes no images")
    return Reply({"id": model.id, "endpoints": [image_endpoint_object(offer) for offer in offers(model)]})


def list_video_models(call: Call) -> Reply:
    models = [model for model in call.account.shelf.listed(call.now) if "video" in model.gives]
    return Reply({"data": [video_model_object(model) for model in models]})


def image_model_object(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "description": traits.description(model),
        "created": model.created,
        "architecture": {"input_modalities": list(model.takes), "output_modalities": list(model.gives)},
        "supported_parameters": _abilities(model),
        "supports_streaming": _streams(model),
        "endpoints": f"/api/v1/images/models/{model.id}/endpoints",
    }


def image_endpoint_object(offer: Offer) -> dict[str, Any]:
    model = offer.model
    return {
        "provider_name": offer.provider.endpoint_name,
        "provider_slug": offer.provider.slug,
        "provider_tag": offer.tag,
        "supported_parameters": _abilities(model),
        "allowed_passthrough_parameters": ["safety_tolerance"] if "text" not in model.gives else [],
        "supports_streaming": _streams(model),
        "pricing": _image_prices(offer),
    }


def _image_prices(offer: Offer) -> list[dict[str, Any]]:
    """By the picture where the model only draws, by the token where it writes too."""
    prices = offer.prices()
    if "image_output" in prices:
        price = float(Decimal(prices["image_output"]))
        return [
            {"billable": "output_image", "unit": "image", "cost_usd": price},
            {"billable": "output_image", "unit": "image", "cost_usd": price * 2, "variant": "4K"},
        ]
    return [
        {"billable": "input_text", "unit": "token", "cost_usd": float(Decimal(prices["prompt"]))},
        {"billable": "output_image", "unit": "token", "cost_usd": float(Decimal(prices["completion"]))},
    ]


def _abilities(model: Model) -> dict[str, Any]:
    abilities: dict[str, Any] = {"n": {"type": "range", "min": 1, "max": 4}}
    if "text" not in model.gives:
        abilities |= {"resolution": _SIZES, "seed": {"type": "boolean"}}
    return abilities


def _streams(model: Model) -> bool:
    return "text" in model.gives


def video_model_object(model: Model) -> dict[str, Any]:
    dice = Dice("video model", model.id)
    enlarges = dice.happens(0.2)
    return {
        "id": model.id,
        "canonical_slug": model.slug,
        "name": model.name,
        "created": model.created,
        "description": traits.description(model),
        "hugging_face_id": model.weights,
        "supported_resolutions": ["720p", "1080p"],
        "supported_aspect_ratios": None if enlarges else _RATIOS,
        "supported_sizes": ["1280x720", "1920x1080"] if dice.happens(0.5) else None,
        "supported_durations": [5, 8],
        "supported_frame_images": ["first_frame", "last_frame"] if "image" in model.takes else None,
        "upscale_factor": {"min": 1, "max": 4} if enlarges else None,
        "creativity": [1, 2, 3] if enlarges else None,
        "generate_audio": dice.pick((True, False, None)),
        "seed": dice.pick((True, None)),
        "allowed_passthrough_parameters": [],
        "pricing_skus": {"generate": dice.pick(("0.50", "0.25")), "audio": "0.1"},
    }


ENDPOINTS = (
    Endpoint("GET", "/images/models", list_image_models, public=True),
    Endpoint("GET", "/images/models/<author>/<slug>/endpoints", list_image_endpoints, public=True),
    Endpoint("GET", "/videos/models", list_video_models, public=True),
)

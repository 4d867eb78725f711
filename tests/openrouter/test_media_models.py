from __future__ import annotations

from decimal import Decimal

import pytest
import responses

from orgadmin.openrouter import errors, media_models
from tests.openrouter.cast import BASE, refusal

ABILITIES = {
    "resolution": {"type": "enum", "values": ["1K", "2K"]},
    "n": {"type": "range", "min": 1, "max": 4},
    "seed": {"type": "boolean"},
}


@responses.activate
def test_image_models_are_read_with_what_they_can_be_told(client):
    row = {
        "id": "acme/canvas", "name": "Acme: Canvas", "description": "It draws.", "created": 1_756_031_400,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["image"]},
        "supported_parameters": ABILITIES, "supports_streaming": False,
        "endpoints": "/api/v1/images/models/acme/canvas/endpoints", "novelty": 1,
    }  # fmt: skip
    responses.get(f"{BASE}/images/models", json={"data": [row]})
    (model,) = media_models.images(client)
    assert (model.id, model.architecture.output_modalities) == ("acme/canvas", ("image",))
    assert model.supported_parameters == ABILITIES
    assert (model.supports_streaming, model.extra) == (False, {"novelty": 1})
    assert "Authorization" not in responses.calls[-1].request.headers


@responses.activate
def test_the_endpoints_of_an_image_model_come_unwrapped(client):
    prices = [
        {"billable": "output_image", "unit": "image", "cost_usd": 0.05, "variant": "4K"},
        {"billable": "input_scent", "unit": "whiff", "cost_usd": 1e-7},
    ]
    endpoint = {
        "provider_name": "Seed", "provider_slug": "seed", "provider_tag": None, "pricing": prices,
        "supported_parameters": ABILITIES, "allowed_passthrough_parameters": ["x"],
        "supports_streaming": True,
    }  # fmt: skip
    url = f"{BASE}/images/models/acme/canvas/endpoints"
    responses.get(url, json={"id": "acme/canvas", "endpoints": [endpoint]})
    found = media_models.image_endpoints(client, model_id="acme/canvas")
    (one,) = found.endpoints
    assert (found.id, one.provider_slug, one.provider_tag) == ("acme/canvas", "seed", None)
    assert [(price.billable, price.cost_usd) for price in one.pricing] == [
        ("output_image", Decimal("0.05")),
        ("input_scent", Decimal("1E-7")),
    ]
    assert (one.pricing[0].variant, one.pricing[1].variant) == ("4K", None)


@responses.activate
def test_unwrapped_endpoints_we_cannot_read_are_named_by_their_own_path(client):
    url = f"{BASE}/images/models/acme/canvas/endpoints"
    responses.get(url, json={"id": "acme/canvas", "endpoints": [{"provider_name": "x"}]})
    with pytest.raises(errors.UnreadableAnswer, match=r"“endpoints\[0\]\.provider_slug”"):
        media_models.image_endpoints(client, model_id="acme/canvas")


@responses.activate
def test_a_model_that_makes_no_images_is_not_found(client):
    url = f"{BASE}/images/models/acme/writer/endpoints"
    responses.get(url, status=404, json=refusal("It makes no images", 404))
    with pytest.raises(errors.NotFound, match="It makes no images"):
        media_models.image_endpoints(client, model_id="acme/writer")


@responses.activate
def test_video_models_are_read_with_choices_they_do_not_have(client):
    row = {
        "id": "acme/reel", "canonical_slug": "acme/reel-1", "name": "Acme: Reel", "created": 1_756_031_400,
        "description": "It films.", "hugging_face_id": None, "pricing_skus": {"generate": "0.50"},
        "supported_resolutions": ["720p", "9K"], "supported_aspect_ratios": None, "supported_sizes": None,
        "supported_durations": [5, 8], "supported_frame_images": ["first_frame"],
        "upscale_factor": {"min": 1, "max": 4}, "creativity": None, "generate_audio": None, "seed": True,
        "allowed_passthrough_parameters": [], "novelty": 1,
    }  # fmt: skip
    responses.get(f"{BASE}/videos/models", json={"data": [row]})
    (model,) = media_models.videos(client)
    assert (model.canonical_slug, model.supported_resolutions) == ("acme/reel-1", ("720p", "9K"))
    assert (model.supported_durations, model.creativity) == ((5, 8), None)
    assert (model.pricing_skus, model.upscale_factor) == ({"generate": "0.50"}, {"min": 1, "max": 4})
    assert (model.generate_audio, model.seed, model.extra) == (None, True, {"novelty": 1})

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.model_catalog import UnixMoment, below
from orgadmin.openrouter.reading import Count, read_list, read_whole
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArchitecture:
    """What goes into an image model and comes out of it."""

    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageModel:
    """A model that makes images. `supported_parameters` says by name what values one takes: `{"type": "enum",
    "values": [...]}`, `{"type": "range", "min": ..., "max": ...}` or `{"type": "boolean"}`.

    `endpoints` is the address of its endpoints. It has no canonical slug and no price here.
    """

    id: str
    name: str
    created: UnixMoment
    architecture: ImageArchitecture
    description: str | None = None
    supported_parameters: Mapping[str, Any] | None = None
    supports_streaming: bool | None = None
    endpoints: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePrice:
    """US dollars for one `unit` (`image`, `megapixel`, `token`) of what is billed (`output_image`,
    `input_text` ...), of a `variant` if there are several.
    """

    billable: str
    unit: str
    cost_usd: Decimal
    variant: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEndpoint:
    """An image model at a provider."""

    provider_name: str
    provider_slug: str
    provider_tag: str | None
    pricing: tuple[ImagePrice, ...]
    supported_parameters: Mapping[str, Any] | None = None
    allowed_passthrough_parameters: tuple[str, ...] = ()
    supports_streaming: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEndpoints:
    """An image model with everybody who serves it."""

    id: str
    endpoints: tuple[ImageEndpoint, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoModel:
    """A model that makes videos. Durations are seconds, sizes `1280x720`; None means that it has no such
    choice. `pricing_skus` are US dollars as decimal text, by what is paid for.
    """

    id: str
    canonical_slug: str
    name: str
    created: UnixMoment
    description: str | None = None
    hugging_face_id: str | None = None
    pricing_skus: Mapping[str, Any] | None = None
    supported_resolutions: tuple[str, ...] | None = None
    supported_aspect_ratios: tuple[str, ...] | None = None
    supported_sizes: tuple[str, ...] | None = None
    supported_durations: tuple[Count, ...] | None = None
    supported_frame_images: tuple[str, ...] | None = None
    upscale_factor: Mapping[str, Any] | None = None
    creativity: tuple[Count, ...] | None = None
    generate_audio: bool | None = None
    seed: bool | None = None
    allowed_passthrough_parameters: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def images(client: OpenRouter) -> tuple[ImageModel, ...]:
    """`GET /images/models`: all of them, in one answer. It is public."""
    return read_list(ImageModel, client.request("GET", "/images/models", anonymous=True))


def image_endpoints(client: OpenRouter, *, model_id: str) -> ImageEndpoints:
    """`GET /images/models/{author}/{slug}/endpoints`, the only answer that is not wrapped in `data`. NotFound
    if the model is not there or makes no images; ValueError for what cannot be the id of a model.
    """
    address = below(model_id, before=("images", "models"), after=("endpoints",))
    return read_whole(ImageEndpoints, client.request("GET", address, anonymous=True))


def videos(client: OpenRouter) -> tuple[VideoModel, ...]:
    """`GET /videos/models`: all of them, in one answer. It is public."""
    return read_list(VideoModel, client.request("GET", "/videos/models", anonymous=True))

"""From the client's objects to the columns of our rows, as the database gives them back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model as Table

from orgadmin.audit.text import in_every_text, writable
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel, CatalogProvider
from orgadmin.catalog.naming import listed_as
from orgadmin.catalog.prices import kept, texts
from orgadmin.openrouter.model_endpoints import Endpoint
from orgadmin.openrouter.models import Model
from orgadmin.openrouter.providers import Provider

# What upstream says of a model and we neither show nor search.
_ALSO = ("benchmarks", "default_parameters", "supported_voices", "per_request_limits")


def provider_of(endpoint: Endpoint, slugs: Mapping[str, str]) -> str:
    """The slug of who serves it. A tag begins with the slug, a display name mostly is that of the list
    (FACTS trap 33); "" where neither leads to a provider that is known. ``slugs`` are by name and by slug."""
    base = endpoint.tag.partition("/")[0]
    return slugs.get(base) or slugs.get(endpoint.provider_name.casefold()) or ""


def model_values(model: Model) -> dict[str, Any]:
    return {
        "permaslug": _cut(CatalogModel, "permaslug", model.canonical_slug),
        "listed_as": _cut(CatalogModel, "listed_as", listed_as(model.id, model.canonical_slug)),
        "name": _cut(CatalogModel, "name", model.name or model.id),
        "description": writable(model.description or ""),
        "created_at": model.created,
        "expires_on": model.expiration_date,
        "knowledge_cutoff": model.knowledge_cutoff,
        "context_length": _whole(model.context_length),
        "max_completion_tokens": _whole(model.top_provider.max_completion_tokens),
        "is_moderated": model.top_provider.is_moderated,
        "input_modalities": _plain(model.architecture.input_modalities),
        "output_modalities": _plain(model.architecture.output_modalities),
        "parameters": _plain(model.supported_parameters),
        "prompt": kept(model.pricing.prompt),
        "completion": kept(model.pricing.completion),
        "prices": _plain(texts(model.pricing)),
        "reasoning": _plain(dataclasses.asdict(model.reasoning)) if model.reasoning else None,
        "alias_of": _cut(CatalogModel, "alias_of", model.alias_target.slug if model.alias_target else ""),
        "hugging_face_id": _cut(CatalogModel, "hugging_face_id", model.hugging_face_id or ""),
        "extra": _extra(model, model.architecture, model.pricing, model.top_provider, also=_ALSO),
    }


def provider_values(provider: Provider) -> dict[str, Any]:
    return {
        "name": _cut(CatalogProvider, "name", provider.name),
        "privacy_policy_url": writable(provider.privacy_policy_url or ""),
        "terms_of_service_url": writable(provider.terms_of_service_url or ""),
        "status_page_url": writable(provider.status_page_url or ""),
        "headquarters": _cut(CatalogProvider, "headquarters", provider.headquarters or ""),
        "datacenters": _plain(sorted(set(provider.datacenters))) if provider.datacenters else None,
        "extra": _plain(provider.extra),
    }


def endpoint_values(endpoint: Endpoint, place: int, provider: str) -> dict[str, Any]:
    """Without ``is_zdr``, which another list tells."""
    uptime = endpoint.uptime_last_1d
    return {
        "permaslug": _cut(CatalogEndpoint, "permaslug", endpoint.model_id),
        "provider": provider,
        "provider_name": _cut(CatalogEndpoint, "provider_name", endpoint.provider_name),
        "place": place,
        "quantization": _cut(CatalogEndpoint, "quantization", endpoint.quantization or ""),
        "context_length": _whole(endpoint.context_length),
        "max_completion_tokens": _whole(endpoint.max_completion_tokens),
        "prompt": kept(endpoint.pricing.prompt),
        "completion": kept(endpoint.pricing.completion),
        "prices": _plain(texts(endpoint.pricing)),
        "status": _whole(endpoint.status, 2**31 - 1),
        "uptime": None if uptime is None else float(uptime),
        "extra": _extra(endpoint, endpoint.pricing),
    }


def _extra(*parts: Any, also: tuple[str, ...] = ()) -> Any:
    """What we have no column for, of the object and of what it holds."""
    found = {name: value for part in reversed(parts) for name, value in part.extra.items()}
    for name in also:
        value = getattr(parts[0], name)
        if value is not None:
            found[name] = dataclasses.asdict(value) if _is_record(value) else value
    return _plain(found)


def _whole(value: int | None, most: int = 2**63 - 1) -> int | None:
    """A count as the column takes it."""
    return None if value is None else max(-most, min(value, most))


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value)


def _plain(value: Any) -> Any:
    """What JSON can hold, as the database gives it back."""
    if isinstance(value, Mapping):
        value = dict(value)
    return in_every_text(json.loads(json.dumps(value, cls=_Encoder)), writable)


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return dict(o) if isinstance(o, Mapping) else super().default(o)


def _cut(table: type[Table], column: str, text: str) -> str:
    """Text as the column takes it: one odd row must not keep the others from being pulled."""
    longest: int | None = getattr(table._meta.get_field(column), "max_length", None)
    return writable(text)[:longest]

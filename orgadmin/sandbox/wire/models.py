"""`/models`, `/model`, `/embeddings/models` and the endpoints of models: public, with or without a key."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.errors import ForbiddenError
from orgadmin.sandbox.market.offers import offers
from orgadmin.sandbox.wire.model_filters import filtered, of_modalities, sorted_by
from orgadmin.sandbox.wire.model_objects import endpoint_object, model_endpoints_object, model_object
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply

MOST = 1_000
USUAL = 500


def list_models(call: Call) -> Reply:
    models = filtered(call, call.account.shelf.listed(call.now))
    return _paged(call, "/models", sorted_by(call, models))


def list_usable(call: Call) -> Reply:
    """What the calling key may use."""
    if call.caller is None:
        raise ForbiddenError("Management keys cannot use models")
    models = of_modalities(call, call.account.shelf.listed(call.now))
    return _paged(call, "/models/user", sorted_by(call, models))


def list_embeddings(call: Call) -> Reply:
    models = [model for model in call.account.shelf.listed(call.now) if "embeddings" in model.gives]
    return _paged(call, "/embeddings/models", models)


def count_models(call: Call) -> Reply:
    return Reply({"data": {"count": len(of_modalities(call, call.account.shelf.listed(call.now)))}})


def get_model(call: Call) -> Reply:
    return Reply({"data": model_object(call, _named(call))})


def list_model_endpoints(call: Call) -> Reply:
    return Reply({"data": model_endpoints_object(call, _named(call))})


def list_zdr(call: Call) -> Reply:
    """Every endpoint that keeps nothing; aliases and variants have no endpoints of their own."""
    models = call.account.shelf.listed(call.now)
    own = (model for model in models if model.alias_of is None and ":" not in model.id)
    kept = (offer for model in own for offer in offers(model) if offer.keeps_nothing)
    return Reply({"data": [endpoint_object(call, offer) for offer in kept]})


def _named(call: Call) -> Model:
    return call.account.shelf.get(f"{call.path['author']}/{call.path['slug']}", call.now)


def _paged(call: Call, path: str, models: list[Model]) -> Reply:
    """All of them, unless a page is asked for."""
    total, following = len(models), None
    if {"offset", "limit"} & call.query.keys():
        offset = call.whole_number("offset", default=0, low=0)
        limit = call.whole_number("limit", default=USUAL, low=1, high=MOST)
        models = models[offset : offset + limit]
        following = _link(call, path, offset + limit, limit) if offset + limit < total else None
    data = [model_object(call, model) for model in models]
    return Reply({"data": data, "total_count": total, "links": {"next": following}})


def _link(call: Call, path: str, offset: int, limit: int) -> str:
    query: dict[str, Any] = {**call.query, "offset": offset, "limit": limit}
    return f"/api/v1{path}?{urlencode(query)}"


ENDPOINTS = (
    Endpoint("GET", "/models", list_models, public=True),
    Endpoint("GET", "/models/count", count_models, public=True),
    Endpoint("GET", "/models/user", list_usable, inference=True),
    Endpoint("GET", "/model/<author>/<slug>", get_model, public=True),
    Endpoint("GET", "/models/<author>/<slug>/endpoints", list_model_endpoints, public=True),
    Endpoint("GET", "/endpoints/zdr", list_zdr, public=True),
    Endpoint("GET", "/embeddings/models", list_embeddings, public=True),
)

"""Which handler answers which call, and who may make it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod
from werkzeug.exceptions import NotFound as NoSuchPath
from werkzeug.routing import Map, RequestRedirect, Rule

from orgadmin.sandbox.errors import MethodNotAllowedError, NotFoundError, ServiceError
from orgadmin.sandbox.wire import (
    activity,
    analytics,
    assignments,
    balance,
    byok,
    destinations,
    guardrails,
    key,
    keys,
    media_models,
    members,
    models,
    presets,
    providers,
    workspace_budgets,
    workspace_members,
    workspaces,
)
from orgadmin.sandbox.wire.request import Endpoint

BASE = "/api/v1"
GROUPS = (
    key,
    keys,
    workspaces,
    workspace_budgets,
    workspace_members,
    members,
    balance,
    activity,
    analytics,
    models,
    media_models,
    providers,
    guardrails,
    assignments,
    byok,
    destinations,
    presets,
)


@dataclass(frozen=True)
class Match:
    """Where a call goes. `name` is its method and path template, `problem` why there is no endpoint."""

    name: str
    endpoint: Endpoint | None
    arguments: Mapping[str, str]
    problem: ServiceError | None = None


class Router:
    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        rules = [Rule(row.path, methods=[row.method], endpoint=row) for row in endpoints]
        self._map = Map(rules, strict_slashes=True, merge_slashes=False, redirect_defaults=False)
        self._adapter = self._map.bind("sandbox")

    def match(self, method: str, path: str) -> Match:
        """Where a call with this path below the base goes."""
        try:
            endpoint, arguments = self._adapter.match(path, method)
            # werkzeug's map does not mind extra slashes in front and answers HEAD wherever it answers GET.
            if path.startswith("//"):
                raise NoSuchPath
            if method == "HEAD":
                raise NoSuchMethod
        except NoSuchMethod:
            return Match(f"{method} (no such method)", None, {}, MethodNotAllowedError())
        except (NoSuchPath, RequestRedirect):
            return Match(f"{method} (no such path)", None, {}, NotFoundError("Not Found"))
        template = endpoint.path.replace("<", "{").replace(">", "}")
        return Match(f"{method} {template}", endpoint, arguments)


def router() -> Router:
    return Router(row for group in GROUPS for row in group.ENDPOINTS)

"""From upstream's names to the rows of ours that facts point at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from orgadmin.accounts.models import Organization
from orgadmin.audit.text import writable
from orgadmin.inventory.models import Member, Workspace
from orgadmin.usage.models import UsageEndpoint, UsageModel, UsageProvider


@dataclass(frozen=True)
class Names:
    """The workspaces and members of one organization, loaded once for many rows; 0 is unknown."""

    workspaces: Mapping[str, int]
    members: Mapping[str, int]

    @classmethod
    def of(cls, organization: Organization) -> Names:
        return cls(
            workspaces=dict(Workspace.objects.filter(organization=organization).values_list("uid", "pk")),
            members=dict(Member.objects.filter(organization=organization).values_list("uid", "pk")),
        )


class Numbers:
    """The primary keys of models, endpoints and providers, each looked up once however many answers name it.

    For the length of one pull: what was found stays, since no row of these is ever deleted.
    """

    def __init__(self) -> None:
        self._models: dict[str, int] = {}
        self._endpoints: dict[str, int] = {}
        self._providers: dict[str, int] = {}

    def models(self, slugs: Mapping[str, str]) -> Mapping[str, int]:
        """``model_ids``; of a model that is known already the slug is not looked at again."""
        if missing := slugs.keys() - self._models.keys():
            self._models |= model_ids({name: slugs[name] for name in missing})
        return self._models

    def endpoints(self, uids: Iterable[str]) -> Mapping[str, int]:
        """``endpoint_ids``."""
        if missing := set(uids) - self._endpoints.keys():
            self._endpoints |= endpoint_ids(missing)
        return self._endpoints

    def providers(self, names: Iterable[str]) -> Mapping[str, int]:
        """``provider_ids``."""
        if missing := set(names) - self._providers.keys():
            self._providers |= provider_ids(missing)
        return self._providers


def model_ids(slugs: Mapping[str, str]) -> dict[str, int]:
    """Permaslug → primary key. ``slugs`` maps each to the slug it goes by now; what is new is added, what
    was renamed renamed."""
    wanted = {_fit(UsageModel, "permaslug", name): _fit(UsageModel, "slug", slugs[name]) for name in slugs}
    found = _ids(UsageModel, "permaslug", wanted)
    renamed = [
        row
        for row in UsageModel.objects.filter(permaslug__in=list(wanted))
        if wanted[row.permaslug] and row.slug != wanted[row.permaslug]
    ]
    for row in renamed:
        row.slug = wanted[row.permaslug]
    UsageModel.objects.bulk_update(renamed, ["slug"])
    return {name: found[_fit(UsageModel, "permaslug", name)] for name in slugs}


def provider_ids(names: Iterable[str]) -> dict[str, int]:
    """Display name → primary key; "" is 0."""
    return _known_or_new(UsageProvider, "name", names)


def endpoint_ids(uids: Iterable[str]) -> dict[str, int]:
    """Upstream's endpoint id → primary key; "" is 0."""
    return _known_or_new(UsageEndpoint, "uid", uids)


def _known_or_new(model: type[models.Model], column: str, names: Iterable[str]) -> dict[str, int]:
    given = set(names) - {""}
    found = _ids(model, column, {_fit(model, column, name) for name in given})
    return {"": 0, **{name: found[_fit(model, column, name)] for name in given}}


def _ids(model: type[Any], column: str, names: Iterable[str]) -> dict[str, int]:
    wanted = list(names)
    rows = model._default_manager.filter(**{f"{column}__in": wanted})
    found = dict(rows.values_list(column, "pk"))
    missing = [name for name in wanted if name not in found]
    if missing:
        # Another worker may add the same name at this moment.
        model._default_manager.bulk_create(
            [model(**{column: name}) for name in missing], ignore_conflicts=True
        )
        found |= dict(rows.all().values_list(column, "pk"))
    return found


def _fit(model: type[models.Model], column: str, name: str) -> str:
    """The name as the column can hold it."""
    longest = model._meta.get_field(column).max_length  # type: ignore[union-attr]
    return writable(name)[:longest]

"""The pull "catalog": models, providers and which endpoints keep no data, in a handful of calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.catalog.mirroring import What, can_name, changes, filled, is_other, upsert
from orgadmin.catalog.models import (
    CatalogChange,
    CatalogEndpoint,
    CatalogModel,
    CatalogProvider,
    CatalogState,
)
from orgadmin.catalog.rows import model_values, provider_values
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import model_endpoints, models, providers
from orgadmin.openrouter.errors import Forbidden, NotFound, OpenRouterError, UnreadableAnswer
from orgadmin.openrouter.models import Model
from orgadmin.openrouter.transport import OpenRouter

# Models missing from the list that one pull asks for by name; the rest wait for the next one.
CONFIRMATIONS = 30


def pull_catalog(run: SyncRun, held: Holding) -> None:
    """The body of the kind "catalog". Raises OpenRouterError, never Forbidden: these lists are public, and a
    refusal says nothing of the key."""
    client = client_for(run.organization, patience=PATIENCE)
    try:
        _pull(client, run, held)
    except Forbidden as error:
        raise OpenRouterError(error.message, status=error.status, request_id=error.request_id) from error
    finally:
        run.calls = client.calls


def _pull(client: OpenRouter, run: SyncRun, held: Holding) -> None:
    _keep_providers(client, run, held)
    _Models(client, run, held).keep()
    held.renew()
    zdr = _told_zdr(client)
    held.renew()
    note_zdr(run.organization, zdr)


# --- providers ---


def _keep_providers(client: OpenRouter, run: SyncRun, held: Holding) -> None:
    found = providers.get_all(client)
    held.renew()
    rows = {row.slug: row for row in CatalogProvider.objects.filter(organization=run.organization)}
    wanted = {one.slug: provider_values(one) for one in found if can_name(one.slug, 100)}
    if not wanted and rows:
        raise UnreadableAnswer("OpenRouter's list of providers came back empty.")
    written = [
        (old, _row(CatalogProvider, run, old, {"slug": slug, **values}))
        for slug, values in wanted.items()
        if (old := rows.get(slug)) is None or is_other(old, values)
    ]
    gone = [row.pk for slug, row in rows.items() if slug not in wanted and row.gone_at is None]
    with transaction.atomic():
        upsert(run, written, next(iter(wanted.values()), {}))
        CatalogProvider.objects.filter(pk__in=gone).update(gone_at=timezone.now())


def _row(table: Any, run: SyncRun, old: Any, values: dict[str, Any]) -> Any:
    return filled(old if old is not None else table(organization=run.organization), values)


# --- models ---


class _Models:
    def __init__(self, client: OpenRouter, run: SyncRun, held: Holding) -> None:
        self._client, self._run, self._held = client, run, held
        self._rows = {row.slug: row for row in CatalogModel.objects.filter(organization=run.organization)}
        # The first pull fills an empty table: nothing appeared.
        self._is_first = not self._rows
        self._seen: set[str] = set()

    def keep(self) -> None:
        for page in models.walk(self._client):
            self._held.renew()
            self._keep_page(page)
        if not self._seen:
            raise UnreadableAnswer("OpenRouter's list of models came back empty.")
        missing = [row for slug, row in self._rows.items() if slug not in self._seen and row.gone_at is None]
        for row in missing[:CONFIRMATIONS]:
            self._settle(row)

    def _keep_page(self, page: Sequence[Model]) -> None:
        now, history, written = timezone.now(), [], []
        for item in page:
            if not can_name(item.id, 200):
                continue
            self._seen.add(item.id)
            old, values = self._rows.get(item.id), model_values(item)
            if old is not None and not is_other(old, values):
                continue
            if not self._is_first:
                history += changes(self._run, now, item.id, old, values)
            written.append((old, _row(CatalogModel, self._run, old, {"slug": item.id, **values})))
        self._run.seen = len(self._seen)
        with transaction.atomic():
            upsert(self._run, written, model_values(page[0]) if page else ())
            CatalogChange.objects.bulk_create(history)

    def _settle(self, row: CatalogModel) -> None:
        """A list may shift under a walk: gone is what OpenRouter does not know by its name either."""
        try:
            item = models.get(self._client, model_id=row.slug)
        except (NotFound, ValueError):
            item = None
        self._held.renew()
        if item is not None and item.id == row.slug:
            self._keep_page([item])
            return
        now = timezone.now()
        with transaction.atomic():
            CatalogModel.objects.filter(pk=row.pk).update(gone_at=now)
            CatalogEndpoint.objects.filter(model=row, gone_at=None).update(gone_at=now)
            CatalogChange.objects.create(
                organization=self._run.organization, at=now, slug=row.slug, what=What.VANISHED
            )
        self._run.gone += 1


# --- who keeps no data ---

Zdr = frozenset[tuple[str, str]]


def _told_zdr(client: OpenRouter) -> Zdr | None:
    """The endpoints that keep no data, by permaslug and tag; None where OpenRouter does not tell."""
    try:
        found = model_endpoints.zdr(client)
    except (Forbidden, NotFound):
        return None
    return frozenset((one.model_id, one.tag) for one in found)


def note_zdr(organization: Organization, zdr: Zdr | None, now: datetime | None = None) -> None:
    """Keep the list, and what it says of each endpoint we know."""
    kept = None if zdr is None else sorted([permaslug, tag] for permaslug, tag in zdr)
    rows = CatalogEndpoint.objects.filter(organization=organization, gone_at=None).values_list(
        "pk", "model__slug", "permaslug", "tag", "is_zdr"
    )
    found: dict[bool | None, list[int]] = {}
    for pk, slug, permaslug, tag, before in rows:
        if (said := says_zdr(zdr, slug, permaslug, tag)) is not before:
            found.setdefault(said, []).append(pk)
    with transaction.atomic():
        CatalogState.objects.update_or_create(
            organization=organization,
            defaults={"zdr": kept, "zdr_at": None if kept is None else now or timezone.now()},
        )
        for said, pks in found.items():
            for start in range(0, len(pks), 500):
                CatalogEndpoint.objects.filter(pk__in=pks[start : start + 500]).update(is_zdr=said)


def says_zdr(zdr: Zdr | None, slug: str, permaslug: str, tag: str) -> bool | None:
    """What the list says of an endpoint of the model that requests call ``slug``. It has no variants, whose
    endpoints may be named like those of the model itself: of `:free` and the like it says nothing. Nor has it
    aliases, but by the permaslug of what they stand for."""
    if zdr is None or ":" in slug:
        return None
    if (permaslug, tag) in zdr:
        return True
    return None if slug.startswith("~") else False


def known_zdr(state: CatalogState) -> Zdr | None:
    return None if state.zdr is None else frozenset((permaslug, tag) for permaslug, tag in state.zdr)

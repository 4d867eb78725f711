"""The pull "endpoints": who serves each model, at which price. One call a model, so it takes its time.

A round asks for every model once. Each model is one transaction and notes when it was asked for: a worker
that is killed, or has worked for long enough, leaves a round that the next run goes on with.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.catalog.mirroring import What, can_name, changes, filled, is_other, upsert
from orgadmin.catalog.models import (
    CatalogChange,
    CatalogEndpoint,
    CatalogModel,
    CatalogState,
)
from orgadmin.catalog.pull import Zdr, known_zdr, says_zdr
from orgadmin.catalog.rows import endpoint_values, provider_of
from orgadmin.catalog.selectors import provider_slugs
from orgadmin.inventory.kinds import daily
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter.errors import Forbidden, OpenRouterError, Unauthorized
from orgadmin.openrouter.model_endpoints import Endpoint, of_model
from orgadmin.openrouter.transport import OpenRouter

# A worker has other things to do; what is left is due again at once.
SLICE_SECONDS = 120.0
# People and other pulls ask OpenRouter meanwhile: this one takes a part of the rate and no more.
SHARE_OF_RATE = 0.25
# So many models in a row that OpenRouter fails to answer for are no model's fault.
TROUBLES = 4
PROGRESS_EVERY = 10
# A list of what keeps no data that is older than this may not name what is new.
FRESH = timedelta(hours=6)
DAILY = daily(clock(2, 20))


def due(organization: Organization, last: datetime | None) -> datetime | None:
    """Once a day; at once while a round is not through, as when a model is new."""
    state = CatalogState.objects.filter(organization=organization).only("round_at").first()
    began = state.round_at if state else None
    if began is None or _left(organization, began).exists():
        return datetime.min.replace(tzinfo=UTC)
    return DAILY(organization, began)


def _left(organization: Organization, round_at: datetime) -> QuerySet[CatalogModel]:
    """The models that this round has not asked for yet; those never asked for come first."""
    rows = CatalogModel.objects.filter(organization=organization, gone_at=None)
    waiting = rows.filter(Q(endpoints_asked_at=None) | Q(endpoints_asked_at__lt=round_at))
    return waiting.order_by(F("endpoints_asked_at").asc(nulls_first=True), "pk")


def pull_endpoints(run: SyncRun, held: Holding) -> None:
    """The body of the kind "endpoints". Raises OpenRouterError, never Forbidden: of a single model it says
    nothing of the key. A 404 says as little: whether a model is gone, the catalog tells."""
    client = client_for(run.organization, patience=PATIENCE)
    try:
        _Round(client, run, held).work()
    finally:
        run.calls = client.calls


class _Round:
    def __init__(self, client: OpenRouter, run: SyncRun, held: Holding) -> None:
        self._client, self._run, self._held = client, run, held
        self._state, _ = CatalogState.objects.get_or_create(organization=run.organization)
        self._known = Known.of(self._state)
        self._left_out: list[str] = []

    def work(self) -> None:
        until = time.monotonic() + SLICE_SECONDS
        troubles = 0
        for model in self._models():
            try:
                self._ask(model)
                troubles = 0
            except Unauthorized:
                raise
            except OpenRouterError as error:
                troubles += 1
                if troubles >= TROUBLES:
                    self._give_back(troubles)
                    raise OpenRouterError(
                        error.message, status=None if isinstance(error, Forbidden) else error.status
                    ) from error
                self._leave_out(model)
            self._run.seen += 1
            if self._run.seen % PROGRESS_EVERY == 0:
                self._run.calls = self._client.calls
                self._run.save(update_fields=["calls", "seen", "added", "changed", "gone"])
            if time.monotonic() > until:
                return
            time.sleep(1 / (settings.OPENROUTER_RATE * SHARE_OF_RATE))

    def _models(self) -> list[CatalogModel]:
        """What the open round has left; all, in a new round, where it has nothing left or is of yesterday."""
        organization, began, now = self._run.organization, self._state.round_at, timezone.now()
        next_round = None if began is None else DAILY(organization, began)
        if began is not None and next_round is not None and next_round > now:
            found = list(_left(organization, began))
            if found:
                return found
        self._state.round_at = now
        self._state.save(update_fields=["round_at"])
        return list(_left(organization, now))

    def _ask(self, model: CatalogModel) -> None:
        try:
            found = of_model(self._client, model_id=model.slug)
        except ValueError:
            # What is no author and slug has no address to ask at.
            self._leave_out(model)
            return
        self._held.renew()
        keep_endpoints(self._run, model, found.endpoints, self._known)

    def _leave_out(self, model: CatalogModel) -> None:
        """Asked for and not told: the rest of the round goes on, what we knew stays."""
        self._held.renew()
        CatalogModel.objects.filter(pk=model.pk).update(endpoints_asked_at=timezone.now())
        self._left_out.append(model.slug)
        number, first = len(self._left_out), self._left_out[0]
        self._run.error = (
            f"OpenRouter did not tell the endpoints of {number} of the models, such as {first}."[:500]
        )

    def _give_back(self, troubles: int) -> None:
        """What was left out because OpenRouter is in trouble is asked for again by the next run."""
        slugs = self._left_out[-(troubles - 1) :]
        CatalogModel.objects.filter(organization=self._run.organization, slug__in=slugs).update(
            endpoints_asked_at=None
        )


@dataclass(frozen=True)
class Known:
    """What other lists say of endpoints: which keep no data, when that was told, and the slugs of providers
    by slug and by name."""

    zdr: Zdr | None
    zdr_at: datetime | None
    providers: Mapping[str, str]

    @classmethod
    def of(cls, state: CatalogState) -> Known:
        return cls(known_zdr(state), state.zdr_at, provider_slugs(state.organization))

    def is_zdr(self, model: CatalogModel, endpoint: Endpoint, *, is_new: bool) -> bool | None:
        """An endpoint that is new may be younger than the list that does not name it."""
        said = says_zdr(self.zdr, model.slug, endpoint.model_id, endpoint.tag)
        is_old_list = self.zdr_at is None or self.zdr_at < timezone.now() - FRESH
        return None if said is False and is_new and is_old_list else said


# An endpoint's tag and its service tier.
Place = tuple[str, str]


def keep_endpoints(run: SyncRun, model: CatalogModel, found: Sequence[Endpoint], known: Known) -> None:
    """Write who serves a model, in one transaction; what nobody serves any more is gone. The first time a
    model is asked for is no history."""
    now, is_first = timezone.now(), model.endpoints_at is None
    rows = {(row.tag, row.service_tier): row for row in CatalogEndpoint.objects.filter(model=model)}
    wanted = _wanted(model, found, known, rows)
    history: list[CatalogChange] = []
    written = []
    for (tag, tier), values in wanted.items():
        old = rows.get((tag, tier))
        if old is not None and not is_other(old, values):
            continue
        if not is_first:
            history += changes(run, now, model.slug, old, values, tag=tag)
        row = old or CatalogEndpoint(organization=run.organization, model=model, tag=tag, service_tier=tier)
        written.append((old, filled(row, values)))
    gone = [row for place, row in rows.items() if place not in wanted and row.gone_at is None]
    history += [
        CatalogChange(organization=run.organization, at=now, slug=model.slug, tag=row.tag, what=What.VANISHED)
        for row in gone
    ]
    with transaction.atomic():
        upsert(run, written, next(iter(wanted.values()), {}))
        CatalogEndpoint.objects.filter(pk__in=[row.pk for row in gone]).update(gone_at=now)
        CatalogChange.objects.bulk_create(history)
        CatalogModel.objects.filter(pk=model.pk).update(endpoints_asked_at=now, endpoints_at=now)
    run.gone += len(gone)


def _wanted(
    model: CatalogModel, found: Sequence[Endpoint], known: Known, rows: Mapping[Place, CatalogEndpoint]
) -> dict[Place, dict[str, Any]]:
    """What the rows must hold. Of two endpoints that are named alike the first counts."""
    wanted: dict[Place, dict[str, Any]] = {}
    for number, one in enumerate(found):
        place = (one.tag, (one.service_tier or "")[:50])
        if can_name(one.tag, 200) and place not in wanted:
            values = endpoint_values(one, number, provider_of(one, known.providers))
            wanted[place] = {**values, "is_zdr": known.is_zdr(model, one, is_new=place not in rows)}
    return wanted

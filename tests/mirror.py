"""The mirror as the first pull of every noun leaves it, written at once."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import requests
import urllib3
from django.utils import timezone
from requests.adapters import HTTPAdapter
from werkzeug.test import Client

from orgadmin.accounts.limiter import SharedLimiter
from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Mirror, SyncRun
from orgadmin.inventory.nouns import NOUNS, Noun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.inventory.summary import refresh_summary
from orgadmin.inventory.ways import Way
from orgadmin.openrouter import workspaces
from orgadmin.openrouter.errors import Forbidden, Unauthorized
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.sandbox.app import Sandbox


def fill(organization: Organization, sandbox: Sandbox) -> list[SyncRun]:
    """Ask the sandbox what a pull asks, without a socket between, and write the answers with as few
    statements as it takes; the runs, in their order.

    For an organization that was never pulled. A pull finds its way among older rows, leases, acts in flight
    and other workers, which is most of what it costs and comes to nothing when there are none.
    ``tests.inventory.test_filled`` proves that it leaves the same.
    """
    runs = [SyncRun(organization=organization, kind=kind) for kind in NOUNS]
    with requests.Session() as session:
        session.mount("http://", _Within(sandbox))
        for run, noun in zip(runs, NOUNS.values(), strict=True):
            run.started_at = timezone.now()
            client = _client(organization, sandbox, session)
            rows = _rows(organization, noun, client)
            noun.model._default_manager.bulk_create(rows)
            run.calls, run.seen, run.added = client.calls, len(rows), len(rows)
            run.state, run.finished_at = SyncRun.State.OK, timezone.now()
    organization.refresh_from_db()
    capabilities = {noun.capability: True for noun in NOUNS.values() if noun.capability}
    capabilities.update(organization.capabilities)
    Organization.objects.filter(pk=organization.pk).update(capabilities=capabilities)
    runs = SyncRun.objects.bulk_create(runs)
    refresh_summary(organization)
    organization.refresh_from_db()
    return runs


class _Within(HTTPAdapter):
    """Hands a request to the sandbox in this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = Client(sandbox)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = self._sandbox.open(
            request.path_url, method=request.method, headers=dict(request.headers), data=request.body
        )
        raw = urllib3.HTTPResponse(
            BytesIO(answer.data), dict(answer.headers), answer.status_code, preload_content=False
        )
        return self.build_response(request, raw)


def _client(organization: Organization, sandbox: Sandbox, session: requests.Session) -> OpenRouter:
    return OpenRouter(
        base_url=organization.base_url,
        key=Secret(sandbox.management_key),
        patience=PATIENCE,
        limiter=SharedLimiter(organization.key_hash),
        session=session,
    )


def _rows(organization: Organization, noun: Noun, client: OpenRouter) -> list[Mirror]:
    links = noun.prepare(organization)
    scopes: list[str | None] = [None]
    if noun.per_workspace:
        has_its = noun.asks(organization)
        scopes = [row.id for page in workspaces.walk(client) for row in page if has_its(row.id)]
    now = timezone.now()
    if noun.ways is not None:
        items = [item for way in noun.ways(organization, client, PATIENCE) for item in _shown(way)]
    else:
        items = [item for scope in scopes for page in noun.walk(client, scope) for item in page]
    if noun.beyond is not None:
        met = frozenset(getattr(item, noun.upstream_identity) for item in items)
        items += [item for page in noun.beyond(client, organization, met) for item in page]
    # What belongs to no workspace may be in the list of each.
    by_identity = {getattr(item, noun.upstream_identity): item for item in items}
    return [
        noun.model(
            organization=organization,
            **{noun.identity: identity},
            **noun.values(item, None, links, now),
        )
        for identity, item in by_identity.items()
    ]


def _shown(way: Way) -> list[Any]:
    try:
        items = [item for page in way.walk() for item in page]
    except (Unauthorized, Forbidden) as error:
        way.refused(error)
        return []
    way.read()
    return items

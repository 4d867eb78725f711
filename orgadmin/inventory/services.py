"""Asking for pulls, running them, and finding what is due."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.text import writable
from orgadmin.inventory.kinds import KINDS, Kind, every, register
from orgadmin.inventory.leases import SECONDS as LEASE_SECONDS
from orgadmin.inventory.leases import Holding, LeaseLost, lease
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.nouns import KEYS, NOUNS, WORKSPACES, Noun
from orgadmin.inventory.pull import begin
from orgadmin.inventory.search import learn_sizes
from orgadmin.inventory.summary import note_freshness, refresh_summary
from orgadmin.openrouter.errors import Forbidden, NotFound, OpenRouterError, Unauthorized, lacks_feature

log = structlog.get_logger(__name__)

# A queued run that nobody took up by then has lost its message: the sweep rings again.
RING_AGAIN = timedelta(seconds=45)
# A pull of once a day that failed does not wait for the next day.
RETRY_AFTER = timedelta(minutes=10)
# After this many new rows the database should count its tables again.
MANY_NEW = 1000
KEEP_RUNS = timedelta(days=30)


def next_due(
    organization: Organization, kind: str, newest: SyncRun | None, has_gone_through: Callable[[str], bool]
) -> datetime | None:
    """When the clock asks for this kind again after its newest run; a failure is soon tried again. None: it
    has nothing to do, or waits for another kind to go through once."""
    after = KINDS[kind].after
    if newest is None and after and not has_gone_through(after):
        return None
    due = KINDS[kind].due(organization, newest.created_at if newest else None)
    if newest is not None and newest.state == SyncRun.State.FAILED:
        again = newest.created_at + RETRY_AFTER
        # What is due at once, like the next slice of a long pull, waits as well.
        return min(due, again) if due and due > newest.created_at else again
    return due


def request_pull(*, organization: Organization, kind: str, requested_by: User | None = None) -> SyncRun:
    """Queue a pull, or return the one that is already waiting or running. The caller's page follows it."""
    from orgadmin.inventory import tasks

    with transaction.atomic():
        # The organization's row serializes two people who press the button at once.
        Organization.objects.select_for_update().get(pk=organization.pk)
        run = _open_run(organization, kind)
        if run is None:
            run = SyncRun.objects.create(
                organization=organization,
                kind=kind,
                requested_by=requested_by,
                expected=_rows_last_time(organization, kind),
            )
            tasks.ring(run)
            note_freshness(organization)
    return run


def request_all_pulls(*, organization: Organization, requested_by: User | None = None) -> list[SyncRun]:
    """Queue a pull of every noun, in the order a first sync wants."""
    return [request_pull(organization=organization, kind=kind, requested_by=requested_by) for kind in NOUNS]


def request_everything(*, organization: Organization, requested_by: User) -> list[SyncRun]:
    """Queue a pull of every kind but the rare ones. What waits for another kind to go through once is left
    to the clock."""
    good = SyncRun.objects.filter(organization=organization, state=SyncRun.State.OK).order_by()
    gone_through = {"", *good.values_list("kind", flat=True).distinct()}
    return [
        request_pull(organization=organization, kind=kind.name, requested_by=requested_by)
        for kind in KINDS.values()
        if kind.after in gone_through and not kind.is_rare
    ]


def _open_run(organization: Organization, kind: str) -> SyncRun | None:
    open_states = [SyncRun.State.QUEUED, SyncRun.State.RUNNING]
    return SyncRun.objects.filter(organization=organization, kind=kind, state__in=open_states).first()


def _rows_last_time(organization: Organization, kind: str) -> int:
    done = SyncRun.objects.filter(organization=organization, kind=kind, state=SyncRun.State.OK).first()
    return done.seen if done else 0


def run_pull(*, run_id: int) -> None:
    """Execute one queued run. Called twice, late, or after a kill, it does the work once.

    Errors of OpenRouter end in the run's row, not in an exception: the next due pull tries again. When
    somebody enters another key meanwhile, the run starts over with it.
    """
    run = SyncRun.objects.select_related("organization").filter(pk=run_id).first()
    if run is None or not run.is_open or run.kind not in KINDS:
        return
    with lease(f"pull:{run.organization_id}:{run.kind}") as held:
        if held is None:
            return
        run.refresh_from_db()
        # Whoever took over a lost lease writes the row from there on.
        with suppress(LeaseLost):
            while run.is_open:
                _execute(run, KINDS[run.kind], held)


@dataclass(frozen=True)
class _Ending:
    """What a pull came to: its error, and whether the account has the noun's capability (None: unsaid)."""

    error: OpenRouterError | None = None
    is_capable: bool | None = None


def _execute(run: SyncRun, kind: Kind, held: Holding) -> None:
    # A run found RUNNING here belonged to a worker that died: it starts over, on the same row.
    run.state, run.started_at, run.error = SyncRun.State.RUNNING, timezone.now(), ""
    run.calls = run.seen = run.added = run.changed = run.gone = 0
    run.save()
    note_freshness(run.organization)
    ending = _attempt(run, kind, held)
    held.renew()
    if not _close(run, kind, ending):
        # With the organization, and the key that it has now.
        run.refresh_from_db()
        return
    refresh_summary(run.organization)
    if run.kind == "keys" and run.added >= MANY_NEW:
        learn_sizes()
    if ending.error:
        status = ending.error.status
        log.warning("pull failed", kind=run.kind, organization=run.organization.slug, status=status)
    elif run.state == SyncRun.State.OK:
        _ask_for_new_workspaces(run)


def _attempt(run: SyncRun, kind: Kind, held: Holding) -> _Ending:
    """Pull once. Raises LeaseLost and nothing else."""
    try:
        kind.execute(run, held)
    except LeaseLost:
        raise
    except (NotFound, Forbidden) as error:
        is_lacking = bool(kind.capability) and lacks_feature(error)
        return _Ending(is_capable=False) if is_lacking else _Ending(error)
    except OpenRouterError as error:
        return _Ending(error)
    except Exception:
        # Our own mistake, or a database that gave up: the page must say that it failed, and the next due
        # pull tries again. Left running, it would look like a worker that died and be repeated at once.
        log.exception("pull broke", kind=run.kind, organization=run.organization.slug)
        return _Ending(OpenRouterError("Something went wrong here, not at OpenRouter. It was logged."))
    # A pull that had nothing to ask learnt nothing.
    return _Ending(is_capable=True if run.calls else None)


def _close(run: SyncRun, kind: Kind, ending: _Ending) -> bool:
    """Write how the run ended and what that says of the connection. False: the run stays open, because
    somebody entered another key meanwhile, and what the old one found or was refused says nothing about it.

    The organization's row is locked, as by everybody who asks for a pull: a pull asked for after a new key
    was stored either finds this run closed and queues another, or finds it open and it starts over.
    """
    with transaction.atomic():
        row = Organization.objects.select_for_update().defer("management_key").get(pk=run.organization_id)
        began = run.organization
        run.finished_at = timezone.now()
        if (row.key_hash, row.base_url) == (began.key_hash, began.base_url):
            run.state = SyncRun.State.FAILED if ending.error else SyncRun.State.OK
            run.error = writable(ending.error.message)[:500] if ending.error else run.error
            _note_connection(row, kind, ending)
        elif row.status == Organization.Status.DISCONNECTED:
            run.state, run.error = SyncRun.State.INTERRUPTED, "The organization was disconnected."
        else:
            return False
        run.save()
    return True


def _ask_for_new_workspaces(run: SyncRun) -> None:
    """A key in a workspace we never heard of: have the workspaces pulled now, not at their next turn."""
    if run.kind != KEYS.kind:
        return
    homeless = Key.objects.filter(organization=run.organization, workspace=None, gone_at=None)
    if homeless.exclude(workspace_uid="").exists():
        request_pull(organization=run.organization, kind=WORKSPACES.kind)


def _note_connection(row: Organization, kind: Kind, ending: _Ending) -> None:
    """Mark the connection broken when the key itself was refused, and whole again when it works; and note
    whether the account has what the noun needs."""
    if not kind.speaks_for_key:
        return
    error = ending.error
    if isinstance(error, Unauthorized | Forbidden) and row.status == Organization.Status.CONNECTED:
        row.status, row.status_message = Organization.Status.BROKEN, writable(error.message)[:500]
    elif error is None and row.status == Organization.Status.BROKEN:
        row.status, row.status_message = Organization.Status.CONNECTED, ""
    if kind.capability and ending.is_capable is not None:
        row.capabilities = {**row.capabilities, kind.capability: ending.is_capable}
    row.save(update_fields=["status", "status_message", "capabilities"])


def note_refusal(organization: Organization, error: OpenRouterError) -> None:
    """Mark the connection broken when a call outside a pull met a 401 (FACTS 1.4); a good pull mends it.

    Every other error says nothing of the key: a 403 may be about the one thing asked for. Written once, not
    again while it is known, and not when somebody entered another key since the organization was loaded.
    """
    if not isinstance(error, Unauthorized) or not organization.is_connected:
        return
    status, message = Organization.Status.BROKEN, writable(error.message)[:500]
    Organization.objects.filter(
        pk=organization.pk,
        status=Organization.Status.CONNECTED,
        key_hash=organization.key_hash,
        base_url=organization.base_url,
    ).update(status=status, status_message=message)


# --- the sweep: what the clock does ---


def sweep() -> None:
    """Queue what is due, ring again for what was lost, bury what died. Safe to run at any time, twice."""
    now = timezone.now()
    # The keys themselves stay in the database: what is due shows without them.
    connected = Organization.objects.exclude(status=Organization.Status.DISCONNECTED).defer("management_key")
    for organization in connected.filter(management_key__isnull=False):
        for kind in KINDS:
            _sweep_one(organization, kind, now)
    _forget_old_runs(now)


def _forget_old_runs(now: datetime) -> None:
    # The last good run of each kind stays: without one, a pull would take itself for the first.
    good = SyncRun.objects.filter(state=SyncRun.State.OK).order_by()
    kept = good.values("organization", "kind").annotate(last=Max("pk")).values("last")
    old = SyncRun.objects.filter(created_at__lt=now - KEEP_RUNS).exclude(pk__in=kept).values("pk")[:500]
    SyncRun.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()


def _sweep_one(organization: Organization, kind: str, now: datetime) -> None:
    from orgadmin.inventory import tasks

    run = _open_run(organization, kind)
    if run is None:
        if _is_due(organization, kind, now):
            request_pull(organization=organization, kind=kind)
    elif run.state == SyncRun.State.QUEUED and run.created_at < now - RING_AGAIN:
        tasks.ring(run)
    elif run.state == SyncRun.State.RUNNING and _is_dead(run, now):
        SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(
            state=SyncRun.State.INTERRUPTED,
            finished_at=now,
            error="The worker stopped; the pull was repeated.",
        )
        request_pull(organization=organization, kind=kind)


def _is_due(organization: Organization, kind: str, now: datetime) -> bool:
    runs = SyncRun.objects.filter(organization=organization).order_by("-id")

    def has_gone_through(other: str) -> bool:
        return runs.filter(kind=other, state=SyncRun.State.OK).exists()

    due = next_due(organization, kind, runs.filter(kind=kind).first(), has_gone_through)
    return due is not None and due <= now


def _is_dead(run: SyncRun, now: datetime) -> bool:
    """Whether the worker of a running pull is gone: its lease ran out and nobody renewed it."""
    from orgadmin.inventory.models import Lease

    held = Lease.objects.filter(
        name=f"pull:{run.organization_id}:{run.kind}", expires_at__gte=now.timestamp()
    ).exists()
    young = run.started_at is not None and run.started_at > now - timedelta(seconds=LEASE_SECONDS)
    return not held and not young


# --- the nouns are kinds of pulls ---


def _noun_kind(noun: Noun) -> Kind:
    def execute(run: SyncRun, held: Holding) -> None:
        begin(organization=run.organization, noun=noun, run=run, held=held).execute()

    def seconds() -> int:
        return int(settings.SYNC_KEYS_SECONDS if noun is KEYS else settings.SYNC_OTHERS_SECONDS)

    return Kind(
        noun.kind,
        noun.label,
        execute,
        every(seconds),
        capability=noun.capability,
        speaks_for_key=noun.ways is None,
    )


for _noun in NOUNS.values():
    register(_noun_kind(_noun))

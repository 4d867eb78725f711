"""A year of use in the tables, and how quickly it is written: ours, by hand, and through the ORM."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.usage.clock import today
from orgadmin.usage.models import DaySum, Source, UsageDay, UsageModel, UsageProvider
from orgadmin.usage.store import COLUMNS, NATURAL, Fact, Scope, replace_facts
from tests.bench.visitor import Visitor

DAYS, MODELS, PROVIDERS = 395, 300, 60
BATCH = 50_000
SAMPLE = 100_000
CROWDED_MODELS = 100
# What is written at a time: the 30 days of many keys, as activity answers; and of each key all days, as a
# year of history comes, where there are more cells of roll-ups to write than facts.
SHAPES = {"30 days": 30, "13 months": DAYS}


def fill(organization: Organization, rows: int) -> dict[str, Any]:
    """So many facts of all keys over 13 months, written as pulls write them; the seconds it took."""
    models, providers = _names()
    since = today() - timedelta(days=DAYS)
    keys = list(Key.objects.filter(organization=organization).values_list("pk", "owner_id", "workspace_id"))
    each = rows / len(keys)
    dice, written, seconds = random.Random(7), 0, 0.0
    together = max(1, int(BATCH / each))
    for start in range(0, len(keys), together):
        some = keys[start : start + together]
        facts = [fact for key in some for fact in _facts(dice, key, since, each, models, providers)]
        scopes = [Scope(key[0], since, since + timedelta(days=DAYS - 1)) for key in some]
        began = time.perf_counter()
        written += replace_facts(organization_id=organization.pk, scopes=scopes, facts=facts)
        seconds += time.perf_counter() - began
    DaySum.objects.bulk_create(
        DaySum(organization=organization, day=since + timedelta(days=at), source=Source.ACTIVITY)
        for at in range(DAYS)
    )
    return {"rows": written, "seconds": round(seconds, 1), "rows_per_second": round(written / seconds)}


def _names() -> tuple[Sequence[int], Sequence[int]]:
    made = UsageModel.objects.bulk_create(
        UsageModel(permaslug=f"author-{n % 40}/model-{n}-20260101", slug=f"author-{n % 40}/model-{n}")
        for n in range(MODELS)
    )
    providers = UsageProvider.objects.bulk_create(
        UsageProvider(name=f"Provider {n}") for n in range(PROVIDERS)
    )
    return [row.pk for row in made], [row.pk for row in providers]


def _facts(
    dice: random.Random,
    key: tuple[int, int | None, int | None],
    since: date,
    each: float,
    models: Sequence[int],
    providers: Sequence[int],
    days: int = DAYS,
) -> Iterator[Fact]:
    """A key uses a handful of models on the days it is used at all; a few keys use much more money."""
    number, member, workspace = key
    favourites = dice.sample(range(len(models)), 8)
    weight = int(dice.paretovariate(1.1) * 1_000_000)
    places = dice.sample(range(days * len(favourites)), min(int(each), days * len(favourites)))
    for place in places:
        day, at = divmod(place, len(favourites))
        model = favourites[at]
        spent = dice.randrange(weight) + 1
        yield (
            since + timedelta(days=day),
            number,
            member or 0,
            workspace or 0,
            models[model],
            model + 1,
            providers[model % len(providers)],
            1 + spent % 97,
            spent % 100_000,
            spent % 20_000,
            spent % 5_000,
            spent % 30_000,
            spent,
            0,
        )


def ingest() -> dict[str, dict[str, int]]:
    """Rows a second for the same rows, into organizations of their own: in turns, three times, by shape."""
    return {shape: _ingest(100 * at, days) for at, (shape, days) in enumerate(SHAPES.items())}


def _ingest(first: int, days: int) -> dict[str, int]:
    rates: dict[str, list[float]] = {"ours": [], "by hand": [], "bulk_create": []}
    ways = {"ours": _ours, "by hand": _by_hand, "bulk_create": _by_orm}
    for turn in range(3):
        for at, (name, write) in enumerate(ways.items()):
            facts = _sample(turn, days)
            began = time.perf_counter()
            write(1_000_000 + first + 10 * turn + at, facts)
            rates[name].append(len(facts) / (time.perf_counter() - began))
    return {name: round(sorted(found)[1]) for name, found in rates.items()}


def _sample(turn: int, days: int) -> list[Fact]:
    dice, since = random.Random(turn), date(2026, 1, 1)
    models, providers = list(range(1, MODELS + 1)), list(range(1, PROVIDERS + 1))
    keys = ((number, number % 250 + 1, number % 8 + 1) for number in range(1, SAMPLE // 100 + 1))
    return [fact for key in keys for fact in _facts(dice, key, since, 100, models, providers, days)]


def _ours(organization_id: int, facts: list[Fact]) -> None:
    keys = sorted({fact[1] for fact in facts})
    scopes = [Scope(key, date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=DAYS)) for key in keys]
    half = keys[len(keys) // 2]
    for part in (True, False):
        replace_facts(
            organization_id=organization_id,
            scopes=[scope for scope in scopes if (scope.key_id < half) is part],
            facts=[fact for fact in facts if (fact[1] < half) is part],
        )


def _by_hand(organization_id: int, facts: list[Fact]) -> None:
    """COPY into a table and one upsert; on SQLite, which has no COPY, the upsert row by row."""
    names = ", ".join(COLUMNS)
    changed = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[len(NATURAL) :])
    conflict = f"ON CONFLICT (organization_id, {', '.join(NATURAL)}) DO UPDATE SET {changed}"
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(COLUMNS))
            cursor.executemany(
                f"INSERT INTO usage_usageday (organization_id, {names}) "
                f"VALUES ({organization_id}, {marks}) {conflict}",
                [(fact[0].isoformat(), *fact[1:]) for fact in facts],
            )
            return
        typed = ", ".join(["day date", *(f"{name} bigint" for name in COLUMNS[1:])])
        cursor.execute(f"CREATE TEMPORARY TABLE by_hand ({typed}) ON COMMIT DROP")
        with cursor.copy("COPY by_hand FROM STDIN") as copy:
            for fact in facts:
                copy.write_row(fact)
        cursor.execute(
            f"INSERT INTO usage_usageday (organization_id, {names}) "
            f"SELECT {organization_id}, {names} FROM by_hand {conflict}"
        )


def _by_orm(organization_id: int, facts: list[Fact]) -> None:
    rows = (UsageDay(organization_id=organization_id, **_columns(fact)) for fact in facts)
    with transaction.atomic():
        UsageDay.objects.bulk_create(
            rows,
            batch_size=2000,
            update_conflicts=True,
            unique_fields=["organization_id", *NATURAL],
            update_fields=COLUMNS[len(NATURAL) :],
        )


def _columns(fact: Fact) -> dict[str, Any]:
    values = dict(zip(COLUMNS, fact, strict=True))
    return {**values, "usage": 1, "byok_usage": 0}


def crowd(organization: Organization) -> dict[str, Any]:
    """A million facts on one day: a hundred models of each of ten thousand keys; the seconds it took."""
    day, models = today() - timedelta(days=DAYS + 5), list(range(1, CROWDED_MODELS + 1))
    keys = list(Key.objects.filter(organization=organization).values_list("pk", "owner_id", "workspace_id"))
    written, seconds = 0, 0.0
    for start in range(0, len(keys), BATCH // CROWDED_MODELS):
        some = keys[start : start + BATCH // CROWDED_MODELS]
        facts: list[Fact] = [
            (
                day,
                key,
                owner or 0,
                workspace or 0,
                model,
                model,
                model % PROVIDERS + 1,
                3,
                900,
                90,
                0,
                0,
                key + model,
                0,
            )
            for key, owner, workspace in some
            for model in models
        ]
        began = time.perf_counter()
        scopes = [Scope(key, day, day) for key, _, _ in some]
        written += replace_facts(organization_id=organization.pk, scopes=scopes, facts=facts)
        seconds += time.perf_counter() - began
    DaySum.objects.create(organization=organization, day=day, source=Source.ACTIVITY)
    return {"rows": written, "seconds": round(seconds, 1), "rows_per_second": round(written / seconds)}


def crowded_addresses(organization: Organization) -> dict[str, str]:
    """Pages of that one day."""
    day = today() - timedelta(days=DAYS + 5)
    workspace = Workspace.objects.filter(organization=organization).order_by("pk").first()
    assert workspace is not None
    spend = f"/o/bench/spend/?since={day}&until={day}"
    filters = f"workspace={workspace.slug}&model=author-1/model-1-20260101"
    return {
        "a million on one day, by model": spend,
        "a million on one day, by key": f"{spend}&group=key",
        "a million on one day, two filters": f"{spend}&{filters}&group=key",
    }


def addresses(organization: Organization) -> dict[str, str]:
    """The pages whose time is an aim."""
    until = today() - timedelta(days=1)
    month = until - timedelta(days=29)
    key = Key.objects.filter(organization=organization).order_by("pk").first()
    workspace = Workspace.objects.filter(organization=organization).order_by("pk").first()
    member = Member.objects.filter(organization=organization, keys__isnull=False).order_by("pk").first()
    assert key is not None
    assert workspace is not None
    assert member is not None
    spend = "/o/bench/spend/"
    return {
        "overview": "/o/bench/",
        "spend, 30 days by model": f"{spend}?range=30d",
        "spend, 30 days by key": f"{spend}?range=30d&group=key",
        "spend, 30 days by member": f"{spend}?range=30d&group=member",
        "spend, 13 months by model": f"{spend}?range=all",
        "spend, 13 months by key": f"{spend}?range=all&group=key",
        "spend, one key, 90 days": f"{spend}?range=90d&key={key.hash}",
        "spend, two filters, 30 days": f"{spend}?since={month}&until={until}"
        f"&workspace={workspace.slug}&member={member.uid}&group=model",
    }


YEAR_CSV = "/o/bench/spend/csv/?range=12m"


def csv_of_a_year(visitor: Visitor, server: int) -> dict[str, float]:
    """Lines, seconds, and by how many megabytes the web process grew at most while it sent them."""
    visitor.get("/bench/hello/")
    before = peak_memory(server, anew=True)
    lines, seconds = visitor.lines(YEAR_CSV)
    return {
        "lines": lines,
        "seconds": round(seconds, 1),
        "grown_mb": round((peak_memory(server) - before) / 2**20, 1),
    }


def peak_memory(server: int, *, anew: bool = False) -> int:
    """The most bytes that a process and its children held (Linux); ``anew`` forgets what was."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if server in (int(fields["Pid"]), int(fields["PPid"])):
                if anew:
                    status.with_name("clear_refs").write_text("5")
                found += 1024 * int(fields["VmRSS" if anew else "VmHWM"].split()[0])
    return found

"""One database of one size, in a process of its own: ``stage pages|sync|spend|rules|search SIZE``, and JSON
on stdout.

The environment chooses the database (``tests.bench.__main__``).
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import django


def pages(keys: int) -> dict[str, Any]:
    """Fill the database, serve it, measure every page."""
    from django.core.management import call_command

    from tests.bench import serving, weight
    from tests.bench.pages import targets
    from tests.bench.population import populate
    from tests.bench.queries import queries
    from tests.bench.timing import measure
    from tests.bench.visitor import Visitor

    call_command("prepare", verbosity=0, stdout=sys.stderr)
    began = time.perf_counter()
    population = populate(keys)
    settle()
    say(f"{keys:,} keys written in {time.perf_counter() - began:.0f} s")
    wanted, port = targets(), int(os.environ["BENCH_PORT"])
    rounds, repeats = int(os.environ["BENCH_ROUNDS"]), int(os.environ["BENCH_REPEATS"])
    with serving.web(port):
        visitor = Visitor(port, population.session)
        times = measure(visitor, wanted, rounds=rounds, repeats=repeats)
        sizes = {target.name: weight.size(visitor, target.path, **target.headers) for target in wanted}
        first = weight.first_load(visitor, "/o/bench/keys/")
    return {
        "pages": {
            target.name: {
                **times[target.name].as_json(),
                **sizes[target.name],
                "queries": queries(target, population.session),
                "rival": target.rival,
            }
            for target in wanted
        },
        "first_load": first.as_json(),
    }


def sync(keys: int) -> dict[str, Any]:
    """The first pull of everything, then again and again with nothing changed."""
    from django.core.management import call_command

    from tests.bench.syncing import measure

    call_command("prepare", verbosity=0, stdout=sys.stderr)
    return measure(keys, rounds=int(os.environ["BENCH_SYNC_ROUNDS"]))


def spend(rows: int) -> dict[str, Any]:
    """Thirteen months of use of 10,000 keys: writing it, and the pages that read it."""
    from django.core.management import call_command

    from tests.bench import serving, spending
    from tests.bench.pages import Target
    from tests.bench.population import populate
    from tests.bench.timing import measure
    from tests.bench.visitor import Visitor

    call_command("prepare", verbosity=0, stdout=sys.stderr)
    population = populate(10_000)
    ingest = spending.ingest()
    say(f"rows a second: {ingest}")
    filled = spending.fill(population.organization, rows)
    settle()
    say(f"{filled['rows']:,} facts written in {filled['seconds']:.0f} s")
    wanted = [Target(name, path) for name, path in spending.addresses(population.organization).items()]
    wanted.append(Target("hello", "/bench/hello/"))
    port = int(os.environ["BENCH_PORT"])
    rounds, repeats = int(os.environ["BENCH_ROUNDS"]), int(os.environ["BENCH_REPEATS"])
    with serving.web(port) as server:
        visitor = Visitor(port, population.session)
        times = measure(visitor, wanted, rounds=rounds, repeats=repeats)
        csv = spending.csv_of_a_year(visitor, server.pid)
        crowded = spending.crowd(population.organization)
        settle()
        crowd = [
            Target(name, path) for name, path in spending.crowded_addresses(population.organization).items()
        ]
        times |= measure(visitor, crowd, rounds=rounds, repeats=repeats)
    return {
        "ingest": ingest,
        "filled": filled,
        "csv": csv,
        "crowded": crowded,
        "pages": {name: found.as_json() for name, found in times.items()},
    }


def rules(keys: int) -> dict[str, Any]:
    """The pages of guardrails, workspaces, members and budgets of a large organization, and the preview."""
    from django.core.management import call_command

    from tests.bench import ruling, serving
    from tests.bench.pages import Target
    from tests.bench.population import populate
    from tests.bench.queries import queries
    from tests.bench.timing import measure
    from tests.bench.visitor import Visitor

    call_command("prepare", verbosity=0, stdout=sys.stderr)
    population = populate(keys)
    ruling.fill(population.organization)
    settle()
    wanted = [Target(name, path) for name, path in ruling.addresses(population.organization).items()]
    hello, port = Target("hello", "/bench/hello/"), int(os.environ["BENCH_PORT"])
    rounds, repeats = int(os.environ["BENCH_ROUNDS"]), int(os.environ["BENCH_REPEATS"])
    with serving.web(port):
        visitor = Visitor(port, population.session)
        times = measure(visitor, [*wanted, hello], rounds=rounds, repeats=repeats)
    return {
        "preview": ruling.preview(population.organization),
        "pages": {name: found.as_json() for name, found in times.items()},
        "queries": {target.name: queries(target, population.session) for target in wanted},
    }


def search(keys: int) -> dict[str, Any]:
    """What the palette answers in an organization of 30,000 objects."""
    from django.core.management import call_command

    from tests.bench import searching, serving
    from tests.bench.pages import Target
    from tests.bench.population import populate
    from tests.bench.queries import queries
    from tests.bench.timing import measure
    from tests.bench.visitor import Visitor

    call_command("prepare", verbosity=0, stdout=sys.stderr)
    population = populate(keys)
    objects = searching.fill(population.organization)
    settle()
    say(f"{objects:,} objects")
    wanted = searching.targets(population.organization)
    hello, port = Target("hello", "/bench/hello/"), int(os.environ["BENCH_PORT"])
    rounds, repeats = int(os.environ["BENCH_ROUNDS"]), int(os.environ["BENCH_REPEATS"])
    with serving.web(port):
        visitor = Visitor(port, population.session)
        times = measure(visitor, [*wanted, hello], rounds=rounds, repeats=repeats)
    return {
        "objects": objects,
        "pages": {name: found.as_json() for name, found in times.items()},
        "queries": {target.name: queries(target, population.session) for target in wanted},
    }


def settle() -> None:
    """What a large pull does at its end, and PostgreSQL by itself a minute later: count rows, mark pages."""
    from django.db import connection

    from orgadmin.inventory.search import learn_sizes

    learn_sizes()

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


def main() -> None:
    django.setup()
    kind, keys = sys.argv[1], int(sys.argv[2])
    found = {"pages": pages, "sync": sync, "spend": spend, "rules": rules, "search": search}[kind](keys)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

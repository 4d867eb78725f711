"""What was measured, as a table and against the aims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LIST_SHARE, SEARCH_SHARE = 1 / 5, 1 / 8
MOST_QUERIES, MOST_SYNC_SECONDS = 6, 10.0
MOST_FIRST_LOAD, MOST_REQUESTS, MOST_FRAGMENT = 100_000, 5, 15_000
LARGE = 100_000
# Milliseconds for 200 subjects over 30 days; queries beside the three of the frame.
MOST_PREVIEW, MOST_RULES_QUERIES = 500, 8 + 3
# Milliseconds, whatever is typed; one query beside those of the frame.
MOST_SEARCH, MOST_SEARCH_QUERIES = 50, 1 + 3
# Megabytes that a download may take, whatever its length.
MOST_GROWN_MB = 32
MOST_GROWTH = 1.5
LIMITS = {
    "overview": 30,
    "spend, 30 days by model": 30,
    "spend, 30 days by key": 30,
    "spend, 30 days by member": 30,
    "spend, 13 months by model": 100,
    "spend, 13 months by key": 100,
    "spend, two filters, 30 days": 500,
}
TITLES = ("median", "p95", "cpu", "queries", "kB", "gzip kB", "of admin", "x hello")


@dataclass(frozen=True)
class Aim:
    """One thing we set out to reach. ``found`` and ``allowed`` in the words of the table."""

    name: str
    found: str
    allowed: str
    reached: bool

    def line(self) -> str:
        return f"  {'ok  ' if self.reached else 'MISS'} {self.name}: {self.found} (aim: {self.allowed})"


def table(found: Mapping[str, Any]) -> Iterator[str]:
    """The pages of one database and size."""
    pages = found["pages"]
    yield f"  {'':34}" + "".join(f"{title:>9}" for title in TITLES)
    for name, page in pages.items():
        rival = pages.get(page["rival"])
        share = f"1/{rival['median'] / page['median']:.1f}" if rival else ""
        yield (
            f"  {name:34}{page['median']:>9.1f}{page['p95']:>9.1f}{page['effort']:>9.1f}{page['queries']:>9}"
            f"{page['bytes'] / 1000:>9.1f}{page['compressed'] / 1000:>9.1f}{share:>9}"
            f"{page['median'] / pages['hello']['median']:>9.1f}"
        )
    first = found["first_load"]
    yield (
        f"  first load: {first['requests']} requests, {first['sent'] / 1000:.1f} kB sent, "
        f"{first['compressed'] / 1000:.1f} kB with the page compressed too"
    )


def sync_lines(found: Mapping[str, Any]) -> Iterator[str]:
    first, again = found["first"], found["again"]
    yield f"  first sync of {found['keys']:,} keys: {first['calls']} calls, {first['seconds']:.1f} s"
    yield (
        f"  sync with nothing changed: {again['calls']} calls, {again['seconds']:.1f} s "
        f"(median of {again['rounds']}, longest {again['longest']:.1f} s)"
    )


def page_aims(found: Mapping[str, Any], keys: int) -> Iterator[Aim]:
    pages = found["pages"]
    for name, page in pages.items():
        if name.startswith(("list, first page", "list, last page")):
            yield Aim(
                f"queries, {name}", str(page["queries"]), f"{MOST_QUERIES}", page["queries"] <= MOST_QUERIES
            )
        rival = pages.get(page["rival"])
        if rival and name.startswith("list"):
            yield _share(name, page, rival, LIST_SHARE)
        if rival and name.startswith("search") and keys >= LARGE:
            yield _share(name, page, rival, SEARCH_SHARE)
    fragment, first = pages["list, first page, fragment"], found["first_load"]
    yield _bytes("fragment, compressed", fragment["compressed"], MOST_FRAGMENT)
    yield _bytes("first load, compressed", first["compressed"], MOST_FIRST_LOAD)
    yield Aim(
        "first load, requests", str(first["requests"]), f"{MOST_REQUESTS}", first["requests"] <= MOST_REQUESTS
    )


def sync_aims(found: Mapping[str, Any]) -> Iterator[Aim]:
    calls, allowed = found["again"]["calls"], found["calls_allowed"]
    yield Aim("calls of a sync", str(calls), str(allowed), calls <= allowed)
    seconds = found["again"]["seconds"]
    yield Aim("seconds of a sync", f"{seconds:.1f}", f"{MOST_SYNC_SECONDS:.0f}", seconds <= MOST_SYNC_SECONDS)
    changed = found["again"]["changed"]
    yield Aim("rows written by a sync with nothing changed", str(changed), "0", changed == 0)


def spend_lines(found: Mapping[str, Any]) -> Iterator[str]:
    filled, ingest = found["filled"], found["ingest"]
    yield f"  {filled['rows']:,} rows written at {filled['rows_per_second']:,} a second"
    for shape, rates in ingest.items():
        yield f"  {shape}, rows a second: {', '.join(f'{name} {rate:,}' for name, rate in rates.items())}"
    csv = found["csv"]
    yield f"  CSV of a year: {csv['lines']:,} lines in {csv['seconds']} s, {csv['grown_mb']} MB more memory"
    crowded = found["crowded"]
    yield f"  one day of {crowded['rows']:,} facts, {crowded['rows_per_second']:,} a second"
    for name, page in found["pages"].items():
        yield f"  {name:34}{page['median']:>9.1f}{page['p95']:>9.1f}{page['effort']:>9.1f}"


def spend_aims(sizes: Mapping[str, Any]) -> Iterator[Aim]:
    """Server-side medians, the growth from the smallest to the largest, and the speed of writing."""
    small, large = min(sizes, key=int), max(sizes, key=int)
    for name, page in sizes[large]["pages"].items():
        allowed = LIMITS.get(name)
        if allowed:
            yield Aim(f"{name}, ms", f"{page['median']:.0f}", f"{allowed}", page["median"] <= allowed)
        if small != large and name != "hello":
            growth = page["median"] / sizes[small]["pages"][name]["median"]
            yield Aim(f"{name}, growth", f"x{growth:.1f}", f"x{MOST_GROWTH}", growth <= MOST_GROWTH)
    for shape, rates in sizes[large]["ingest"].items():
        for rival, least in (("by hand", 0.6), ("bulk_create", 3.0)):
            ratio = rates["ours"] / rates[rival]
            yield Aim(f"{shape}, ingest against {rival}", f"{ratio:.2f}", f"{least}", ratio >= least)
    grown = sizes[large]["csv"]["grown_mb"]
    yield Aim("CSV of a year, more memory", f"{grown} MB", f"{MOST_GROWN_MB} MB", grown <= MOST_GROWN_MB)


def pages_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Pages with what they take and how much they ask the database."""
    yield f"  {'':34}{'median':>9}{'p95':>9}{'cpu':>9}{'queries':>9}{'x hello':>9}"
    hello = found["pages"]["hello"]["median"]
    for name, page in found["pages"].items():
        asked = found["queries"].get(name, "")
        yield (
            f"  {name:34}{page['median']:>9.1f}{page['p95']:>9.1f}{page['effort']:>9.1f}{asked:>9}"
            f"{page['median'] / hello:>9.1f}"
        )


def rules_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The pages of control, and what a preview takes."""
    yield from pages_lines(found)
    yield "  preview: " + ", ".join(f"{name} {taken} ms" for name, taken in found["preview"].items())


def rules_aims(found: Mapping[str, Any]) -> Iterator[Aim]:
    for name, taken in found["preview"].items():
        yield Aim(f"preview of {name}", f"{taken} ms", f"{MOST_PREVIEW} ms", taken <= MOST_PREVIEW)
    for name, asked in found["queries"].items():
        yield Aim(f"queries of {name}", str(asked), f"{MOST_RULES_QUERIES}", asked <= MOST_RULES_QUERIES)


def search_aims(found: Mapping[str, Any]) -> Iterator[Aim]:
    slowest = max(found["queries"], key=lambda name: found["pages"][name]["median"])
    taken = found["pages"][slowest]["median"]
    yield Aim(f"search, {slowest}", f"{taken:.0f} ms", f"{MOST_SEARCH} ms", taken <= MOST_SEARCH)
    asked = max(found["queries"].values())
    yield Aim("queries of a search", str(asked), f"{MOST_SEARCH_QUERIES}", asked <= MOST_SEARCH_QUERIES)


def _share(name: str, page: Mapping[str, Any], rival: Mapping[str, Any], allowed: float) -> Aim:
    share = page["median"] / rival["median"]
    return Aim(f"{name} against the admin", f"1/{1 / share:.1f}", f"1/{1 / allowed:.0f}", share <= allowed)


def _bytes(name: str, found: int, allowed: int) -> Aim:
    return Aim(name, f"{found / 1000:.1f} kB", f"{allowed / 1000:.0f} kB", found <= allowed)

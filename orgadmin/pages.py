"""Answers: a page or its fragment, toasts, and the arithmetic of pages of rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget
from django_htmx.middleware import HtmxDetails

from orgadmin.openrouter.errors import OpenRouterError

Row = TypeVar("Row")
PAGE_ROWS = 50


def respond(
    request: HttpRequest,
    page: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragment: str | None = None,
    dialog: bool = False,
    status: int = 200,
    no_store: bool = False,
) -> HttpResponse:
    """The whole ``page``, or, when htmx asked and there is a ``fragment``, that alone.

    ``dialog`` puts the fragment into the page's ``#dialog``, whatever the element that asked had as target.
    Toasts waiting in the session travel with a fragment; a page shows its own.
    """
    is_fragment = fragment is not None and wants_fragment(request)
    body = render_to_string(
        fragment if is_fragment and fragment else page, dict(context or {}), request=request
    )
    if is_fragment:
        body += render_to_string("components/_toasts.html", {}, request=request)
    response = HttpResponse(body, status=status)
    if is_fragment and dialog:
        response = reswap(retarget(response, "#dialog"), "innerHTML")
    elif is_fragment and status >= 500:
        # Pages throw away what a broken proxy says; this is ours and says what to do.
        response = reswap(response, "innerHTML")
    if no_store:
        response["Cache-Control"] = "no-store"
    return response


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked for a part of a page (its history restore wants the whole)."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request and not htmx.boosted


def go(request: HttpRequest, url: str, *, toast: str = "", problem: str = "") -> HttpResponse:
    """Send the browser elsewhere after a change, with a toast that waits there."""
    if toast:
        messages.success(request, toast)
    if problem:
        messages.error(request, problem)
    return HttpResponseClientRedirect(url) if wants_fragment(request) else HttpResponseRedirect(url)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list: ``rows`` and where they stand among ``total``; ``number`` starts at 1."""

    rows: Sequence[Row]
    number: int
    total: int
    size: int = PAGE_ROWS

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def count(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def has_next(self) -> bool:
        return self.number < self.count

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def page_of(
    total: int, wanted: str | int | None, rows: Callable[[int, int], Sequence[Row]], *, size: int = PAGE_ROWS
) -> Page[Row]:
    """The page ``wanted`` (what the URL says; nonsense is page 1, too far is the last one).

    ``rows(offset, limit)`` fetches it.
    """
    count = max(1, -(-total // size))
    text = str(wanted or "1")
    number = min(max(int(text), 1), count) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return Page(rows=rows((number - 1) * size, size), number=number, total=total, size=size)


@dataclass(frozen=True)
class ListFilters:
    """What a short list is asked for: words, an order, and whether the rows that are gone are wanted. What
    makes no sense is the default, for an old link still opens a list."""

    q: str = ""
    sort: str = "name"
    gone: str = ""

    @classmethod
    def of(cls, query: QueryDict, sorts: Sequence[str]) -> ListFilters:
        text = {name: query.get(name, "").strip()[:200].replace("\x00", "") for name in ("q", "sort", "gone")}
        return cls(
            q=text["q"],
            sort=text["sort"] if text["sort"].removeprefix("-") in sorts else "name",
            gone="1" if text["gone"] == "1" else "",
        )

    @property
    def is_empty(self) -> bool:
        return not (self.q or self.gone)

    def query(self) -> str:
        kept = {"q": self.q, "gone": self.gone, "sort": "" if self.sort == "name" else self.sort}
        return urlencode({name: value for name, value in kept.items() if value})

    def sorted(self, rows: Sequence[Row], values: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
        """The rows in the order asked for; ties by name."""
        by_name = sorted(rows, key=values["name"])
        column = self.sort.removeprefix("-")
        return sorted(by_name, key=values[column], reverse=self.sort.startswith("-"))


class _Line:
    """What csv.writer writes to: hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_of(
    name: str, organization: str, columns: Sequence[str], lines: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A download, streamed: memory does not grow with the number of lines. Texts are made safe for
    spreadsheets; ``organization`` is the slug that stands in the file's name."""

    def written() -> Iterator[str]:
        writer = csv.writer(_Line())
        yield writer.writerow(columns)
        for line in lines:
            yield writer.writerow(
                [spreadsheet_safe(cell) if isinstance(cell, str) else cell for cell in line]
            )

    response = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
    file = f"{name}-{organization}-{timezone.now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


# The full-width signs mean the same to some spreadsheets.
_STARTS_A_FORMULA = frozenset("=+@\t\r\n＝＋－＠")


def sentence(text: str) -> str:
    """Somebody else's words, ended so that ours can follow them."""
    text = text.strip()
    return text if text[-1:] in {".", "!", "?", "…"} else f"{text}."


def explained(error: OpenRouterError, known: str) -> str:
    """An error of OpenRouter for a person: what it said, and what is true now."""
    if error.outcome_unknown:
        return (
            f"{sentence(error.message)} Nobody knows yet whether the change took effect: the next sync will "
            "tell, and the audit log will say so."
        )
    said = sentence(error.message)
    return f"{said} {known}" if said.startswith("OpenRouter") else f"OpenRouter: {said} {known}"


def spreadsheet_safe(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula: names come from other people. Numbers stay."""
    if text[:1] in _STARTS_A_FORMULA or (text[:1] == "-" and not _is_number(text)):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()

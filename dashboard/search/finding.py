"""Finding objects of the mirror: what a searched noun declares, and the one question that asks for them all.

A whole id comes before the beginning of one, that before the beginning of a name, that before words somewhere
else. A word of one or two letters is in too many names: a query without a longer one finds what begins so.

The question is written here and not by Django: building it from ten querysets took longer than answering it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse

from dashboard.search.pages import READ
from orgadmin.access import OrgRequest
from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.search import FOLD, SHORTEST, beginning, containing
from orgadmin.keys.selectors import visible_keys

EXACT, IDENTIFIED, NAMED, HOLDING, BESIDE = range(5)
# Of an id, fewer characters than these say nothing.
SHORTEST_ID = 6
# Of keys that hold a word, as many are put in order; the list of keys has them all.
MOST_SORTED = 1000
# So many columns of a noun can be shown.
SHOWN = 6
_HASH = re.compile(rf"[0-9a-f]{{{SHORTEST_ID},64}}")

# A part of the question, and the values in it.
Part = tuple[str, Sequence[Any]]
Values = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """What somebody looks for, as it was typed, without more blanks than between words."""

    typed: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, query: str, *, most_words: int) -> Asked:
        words = query.split()
        return cls(" ".join(words), tuple(words[:most_words]))

    @property
    def folded(self) -> str:
        return self.typed.casefold()

    @property
    def is_short(self) -> bool:
        """Whether no word is long enough to be looked for anywhere."""
        return all(len(word) < SHORTEST for word in self.words)

    @property
    def may_be_id(self) -> bool:
        """Whether this may be an id or enough of its beginning."""
        return len(self.words) == 1 and len(self.typed) >= SHORTEST_ID and self.typed.isascii()

    def any_is(self, columns: Sequence[str], pattern: str) -> Part:
        """That one of the columns is like a pattern, whatever the case.

        SQLite by itself knows the case of ASCII only, so anything else is folded for it. PostgreSQL knows all
        of it, and is quicker where it need not.
        """
        condition = "{} ILIKE %s"
        if connection.vendor == "sqlite":
            condition = (
                "{} LIKE %s ESCAPE '\\'" if self.typed.isascii() else f"{FOLD}({{}}) LIKE %s ESCAPE '\\'"
            )
            pattern = pattern.casefold()
        elif self.typed.isascii():
            condition = '{} COLLATE "C" ILIKE %s'
        return _any([(condition.format(_column(name)), [pattern]) for name in columns])

    def all_in(self, columns: Sequence[str]) -> Part:
        """That each word is somewhere in the columns."""
        return _all([self.any_is(columns, f"%{_escaped(word)}%") for word in self.words])

    def rank(self, name: str) -> int:
        """How well a thing of this name is met, if all the words are about it."""
        name = name.casefold()
        if name == self.folded:
            return EXACT
        if name.startswith(self.folded):
            return NAMED
        return HOLDING if all(word.casefold() in name for word in self.words) else BESIDE


@dataclass(frozen=True)
class Noun:
    """One kind of objects that are found, by columns of its mirror's table, which is read through.

    ``names`` are the columns that name an object; ``identities`` are ids, the first of them what its address
    takes as ``argument``; words are looked for in ``also``, too. Beside the label the ``details`` are shown.
    Names and details may be SQL about the row ``o``, in brackets. ``label`` makes the label from the values
    of all of these; without one, or where it makes none, it is the first name, or the id. Whoever has one of
    the permissions in ``needs`` finds the noun. ``listing`` is the list page with ``?q=``, if there is one.
    """

    heading: str
    model: type[Mirror]
    target: str
    argument: str
    names: tuple[str, ...] = ("name",)
    identities: tuple[str, ...] = ("uid",)
    also: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    label: Callable[[Values], str] | None = None
    needs: tuple[str, ...] = (READ,)
    listing: str = ""

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.identities[0], *self.names, *self.details)))

    def parts(self, request: OrgRequest, asked: Asked, most: int) -> Iterator[Part]:
        """What finds at most ``most`` of these: a rank, what to sort by, and the columns that are shown."""
        whole, start = _escaped(asked.typed), f"{_escaped(asked.typed)}%"
        exact, named = asked.any_is(self.names, whole), asked.any_is(self.names, start)
        wanted = [named if asked.is_short else asked.all_in((*self.names, *self.also))]
        ranks = [(EXACT, exact), (NAMED, named), (HOLDING, asked.all_in(self.names))]
        if asked.may_be_id:
            identified = asked.any_is(self.identities, start)
            wanted.append(identified)
            exact = asked.any_is((*self.identities, *self.names), whole)
            ranks = [(EXACT, exact), (IDENTIFIED, identified), *ranks[1:]]
        rank = "".join(f" WHEN {condition} THEN {place}" for place, (condition, _) in ranks)
        ranked = [one for _, (_, values) in ranks for one in values]
        where, values = _any(wanted)
        table = connection.ops.quote_name(self.model._meta.db_table)
        best = (
            f"SELECT o.id AS row, {_column(self.names[0])} AS place, CASE{rank} ELSE {BESIDE} END AS rank "  # noqa: S608
            f"FROM {table} o WHERE o.organization_id = %s AND o.gone_at IS NULL AND {where} "
            f"ORDER BY 3, 2 LIMIT {most:d}"
        )
        # Only of those few is looked up what is shown.
        yield (
            f"SELECT best.rank, best.place, {_padded(map(_column, self.shown))} "  # noqa: S608
            f"FROM ({best}) best JOIN {table} o ON o.id = best.row",
            [*ranked, request.organization.pk, *values],
        )

    def called(self, values: Values) -> str:
        own = self.label(values) if self.label else ""
        return own or values[self.names[0]] or values[self.identities[0]]

    def url(self, organization: str, identity: str) -> str:
        return reverse(self.target, kwargs={"organization": organization, self.argument: identity})


class Keys(Noun):
    """Keys are by far the most: each way to find them is a question of its own, which an index answers."""

    def parts(self, request: OrgRequest, asked: Asked, most: int) -> Iterator[Part]:
        keys, start = visible_keys(request).filter(gone_at=None), asked.folded[:100]
        same = f"CASE WHEN {{}} = %s THEN {EXACT} ELSE {{}} END"
        if _HASH.fullmatch(asked.folded):
            # "g" is behind every digit of a hash.
            ranged = keys.filter(hash__gte=asked.folded, hash__lt=f"{asked.folded}g")
            yield self._part(ranged, same.format("hash", IDENTIFIED), [asked.folded], most)
        named = beginning(keys, "sort_name", start)[:most]
        yield self._part(named, same.format("sort_name", NAMED), [start], most)
        if not asked.is_short:
            inside = _all(
                [
                    ("sort_name LIKE %s ESCAPE '\\'", [f"%{_escaped(word.casefold())}%"])
                    for word in asked.words
                ]
            )
            holding = keys.filter(*containing(asked.typed))[:MOST_SORTED]
            yield self._part(
                holding, f"CASE WHEN {inside[0]} THEN {HOLDING} ELSE {BESIDE} END", inside[1], most
            )

    def _part(self, keys: QuerySet[Any], rank: str, ranked: Sequence[Any], most: int) -> Part:
        sql, values = keys.values("sort_name", *self.shown).query.sql_with_params()
        return (
            f"SELECT {rank}, sort_name, {_padded(map(_quoted, self.shown))} FROM ({sql}) found "  # noqa: S608
            f"ORDER BY 1, 2 LIMIT {most:d}",
            [*ranked, *values],
        )


@dataclass(frozen=True)
class Found:
    """An object that was found: what to show, and how well it was met."""

    noun: Noun
    rank: int
    identity: str
    label: str
    details: tuple[str, ...]


def find(request: OrgRequest, nouns: Sequence[Noun], asked: Asked, *, most: int) -> list[Found]:
    """The objects of these nouns that somebody may see, the best first, at least ``most`` of each noun if
    there are. One query, however many nouns there are and whatever is found."""
    questions: list[str] = []
    values: list[Any] = []
    for number, noun in enumerate(nouns):
        for sql, given in noun.parts(request, asked, most):
            part = f"part{len(questions)}"
            questions.append(f"SELECT {number:d}, {part}.* FROM ({sql}) {part}")  # noqa: S608
            values += given
    if not questions:
        return []
    with connection.cursor() as cursor:
        # Names of ours, and every value a parameter.
        cursor.execute(" UNION ALL ".join(questions), values)
        rows = cursor.fetchall()
    found: dict[tuple[int, str], Found] = {}
    for number, rank, _, *shown in sorted(rows, key=lambda row: (row[1], (row[2] or "").casefold())):
        noun = nouns[number]
        texts = {name: value or "" for name, value in zip(noun.shown, shown, strict=False)}
        identity, details = texts[noun.identities[0]], tuple(filter(None, map(texts.get, noun.details)))
        found.setdefault((number, identity), Found(noun, rank, identity, noun.called(texts), details))
    return list(found.values())


# --- conditions ---


def _all(conditions: Sequence[Part]) -> Part:
    return _together(" AND ", conditions)


def _any(conditions: Sequence[Part]) -> Part:
    return _together(" OR ", conditions)


def _together(word: str, conditions: Sequence[Part]) -> Part:
    return f"({word.join(sql for sql, _ in conditions)})", [one for _, values in conditions for one in values]


def _escaped(text: str) -> str:
    """The text as a pattern that means nothing else."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return text


def _column(name: str) -> str:
    return name if name.startswith("(") else f"o.{_quoted(name)}"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _padded(columns: Iterable[str]) -> str:
    """The columns in a row of ``SHOWN``, since all parts of the question must be as wide."""
    given = list(columns)
    return ", ".join([*given, *["''"] * (SHOWN - len(given))])

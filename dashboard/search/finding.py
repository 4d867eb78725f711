"""Finding objects of the mirror: what a searched noun declares, and the one question that asks for all of them.

A whole id comes before the beginning of one, that before the beginning of a name, that before words somewhere
in the names, and those before words elsewhere. A word of one or two letters holds too much: a query without a
longer one finds only what begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import GreaterThan
from django.urls import reverse

from dashboard.search.pages import READ
from orgadmin.access import OrgRequest
from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.models import Key
from orgadmin.inventory.search import SHORTEST, Folded, beginning, containing
from orgadmin.keys.selectors import visible_keys

EXACT, IDENTIFIED, NAMED, HOLDING, BESIDE = range(5)
# Of an id, fewer characters than these say nothing.
SHORTEST_ID = 6
_HASH = re.compile(r"[0-9a-f]{6,64}")
# What stands between two columns in one text; nobody can type it.
_BREAK = "\n"


@dataclass(frozen=True)
class Asked:
    """What somebody looks for: the text as a whole, and its words."""

    text: str
    words: tuple[str, ...]

    @property
    def is_short(self) -> bool:
        """Whether no word is long enough to be looked for anywhere."""
        return all(len(word) < SHORTEST for word in self.words)

    def rank(self, *names: str) -> int:
        """How well a thing that all the words name is met by the first of its names, and by the others."""
        folded = [name.casefold() for name in names]
        if self.text in folded:
            return EXACT
        if folded[0].startswith(self.text):
            return NAMED
        return HOLDING if all(word in folded[0] for word in self.words) else BESIDE


@dataclass(frozen=True)
class Noun:
    """One kind of objects that are found, each in its mirror's table.

    ``names`` are the columns that name an object, ``identities`` those that are ids, the first of them what
    its address takes as ``argument``; words are also looked for in ``also``. ``label`` is what is shown, and
    at most two ``details`` beside it: columns or expressions. Whoever has one of the permissions in ``needs``
    finds it. ``listing`` is the list page that takes ``?q=``, if there is one.
    """

    heading: str
    model: type[Mirror]
    target: str
    argument: str
    names: tuple[str, ...] = ("name",)
    identities: tuple[str, ...] = ("uid",)
    also: tuple[str, ...] = ()
    label: str | Combinable = "name"
    details: tuple[str | Combinable, ...] = ()
    needs: tuple[str, ...] = (READ,)
    listing: str = ""

    def rows(self, request: OrgRequest) -> QuerySet[Any]:
        """The objects there are that this person may see."""
        rows: QuerySet[Any] = self.model._default_manager.filter(organization=request.organization)
        return rows.filter(gone_at=None)

    def finds(self, request: OrgRequest, asked: Asked) -> Iterable[QuerySet[Any]]:
        """The questions whose rows together are the objects found, with ``rank`` and ``place`` to sort by."""
        names, ids, start = _text(self.names), _text(self.identities), Folded(Value(asked.text))
        begins, ends = _Joined(Value(_BREAK), start), _Joined(Value(_BREAK), start, Value(_BREAK))
        is_named = _has(names, begins)
        is_identified = _has(ids, begins) if len(asked.text) >= SHORTEST_ID else _has(ids, ends)
        holds = is_named if asked.is_short else _has_all(_text((*self.names, *self.also)), asked.words)
        rank = Case(
            When(_has(names, ends) | _has(ids, ends), then=EXACT),
            When(is_identified, then=IDENTIFIED),
            When(is_named, then=NAMED),
            When(_has_all(names, asked.words), then=HOLDING),
            default=BESIDE,
            output_field=IntegerField(),
        )
        found = self.rows(request).filter(holds | is_identified)
        yield found.annotate(rank=rank, place=Folded(_column(self.label)))

    def url(self, organization: str, identity: str) -> str:
        return reverse(self.target, kwargs={"organization": organization, self.argument: identity})


class Keys(Noun):
    """Keys are by far the most: each way to find them is a question of its own that an index answers."""

    def rows(self, request: OrgRequest) -> QuerySet[Key]:
        return visible_keys(request).filter(gone_at=None)

    def finds(self, request: OrgRequest, asked: Asked) -> Iterable[QuerySet[Any]]:
        rows = self.rows(request).annotate(place=F("sort_name"))
        start = asked.text[:100]
        if _HASH.fullmatch(start):
            # "g" is behind every digit of a hash.
            ranged = rows.filter(hash__gte=start, hash__lt=f"{start}g")
            yield ranged.annotate(rank=_ranked(Q(hash=start), EXACT, IDENTIFIED))
        yield rows.filter(beginning("sort_name", start)).annotate(
            rank=_ranked(Q(sort_name=start), EXACT, NAMED)
        )
        if not asked.is_short:
            named = Q(*(Q(sort_name__contains=word) for word in asked.words))
            yield rows.filter(*containing(" ".join(asked.words))).annotate(
                rank=_ranked(named, HOLDING, BESIDE)
            )


@dataclass(frozen=True)
class Found:
    """An object that was found: what to show, and how well it was met."""

    noun: Noun
    rank: int
    place: str
    identity: str
    label: str
    details: tuple[str, ...]


def find(request: OrgRequest, nouns: Sequence[Noun], asked: Asked, *, most: int) -> list[Found]:
    """The objects of these nouns that somebody may see, the best first, at most ``most`` of each way to find
    a noun. One query, however many nouns there are and whatever is found."""
    parts: list[str] = []
    values: list[Any] = []
    for number, noun in enumerate(nouns):
        for rows in noun.finds(request, asked):
            sql, given = _shown(rows, noun, number).query.sql_with_params()
            parts.append(f"SELECT * FROM ({sql} LIMIT {most:d}) AS part{len(parts)}")
            values += given
    if not parts:
        return []
    with connection.cursor() as cursor:
        # Every value in it is a parameter; the parts are Django's own.
        cursor.execute(" UNION ALL ".join(parts), values)
        rows = cursor.fetchall()
    found: dict[tuple[int, str], Found] = {}
    for rank, place, number, identity, label, *details in sorted(rows, key=lambda row: row[:3]):
        shown = tuple(filter(None, details))
        found.setdefault((number, identity), Found(nouns[number], rank, place, identity, label, shown))
    return list(found.values())


def _shown(rows: QuerySet[Any], noun: Noun, number: int) -> QuerySet[Any]:
    """The columns that all parts of the question have in common, the best rows first."""
    details = (*noun.details, Value(""), Value(""))[:2]
    columns = {"number": Value(number), "identity": _column(noun.identities[0]), "shown": _column(noun.label)}
    columns |= {f"detail{at}": _column(detail) for at, detail in enumerate(details)}
    return rows.order_by("rank", "place").annotate(**columns).values_list("rank", "place", *columns)


class _Joined(Func):
    """Texts of any kind of column, none of them null, one behind the other."""

    template, arg_joiner, output_field = "(%(expressions)s)", " || ", TextField()


def _column(name: str | Combinable) -> Any:
    return F(name) if isinstance(name, str) else name


def _text(columns: Sequence[str]) -> Folded:
    """The columns in one text without case, each between two breaks."""
    parts: list[Any] = [Value(_BREAK)]
    for column in columns:
        parts += [Coalesce(F(column), Value(""), output_field=TextField()), Value(_BREAK)]
    return Folded(_Joined(*parts))


def _has(text: Func, part: Any) -> Q:
    return Q(GreaterThan(StrIndex(text, part), 0))


def _has_all(text: Func, words: Sequence[str]) -> Q:
    return Q(*(_has(text, Folded(Value(word))) for word in words))


def _ranked(condition: Q, then: int, otherwise: int) -> Case:
    return Case(When(condition, then=then), default=otherwise, output_field=IntegerField())

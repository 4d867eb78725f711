"""From JSON to frozen dataclasses, guided by the dataclass itself.

A field without a default must be in the answer; one with a default may be absent. `| None` says that null is
an answer, `| Unset` that UNSET as its default tells absence from null, `named` that JSON has another name for
it. What we do not know, and what an optional field holds that we cannot read, is kept in `extra`: upstream
adds fields and values without notice, and none of that may break a page.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from orgadmin.openrouter.errors import UnreadableAnswer
from orgadmin.openrouter.jsontext import LARGEST_EXPONENT, reasonable
from orgadmin.openrouter.timestamps import parse_timestamp
from orgadmin.openrouter.unset import Unset

T = TypeVar("T")
EXTRA = "extra"
_JSON_NAME = "json_name"
_ABSENT = object()
# Whole numbers below this are `reasonable`, whichever they are.
_PLAIN = 10**LARGEST_EXPONENT
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


class MisfitError(Exception):
    """A value that is not what its field promises; carries the path to it."""

    def __init__(self, path: str, *, missing: bool = False) -> None:
        super().__init__(path)
        self.path = path
        self.missing = missing

    def below(self, parent: str) -> MisfitError:
        joint = "" if not self.path or self.path.startswith("[") else "."
        return MisfitError(f"{parent}{joint}{self.path}", missing=self.missing)


Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    attribute: str
    convert: Convert
    required: bool
    nullable: bool
    moment: bool


def read_data(kind: type[T], answer: Mapping[str, Any], *, write: bool = False) -> T:
    """The object under `data`. `write` says the answer belongs to a change, whose outcome a misfit leaves
    unknown.
    """
    return explained(lambda: _read_row(kind, _data(answer)), write)


def read_list(kind: type[T], answer: Mapping[str, Any], *, write: bool = False) -> tuple[T, ...]:
    """The objects of the list under `data`."""
    return explained(lambda: tuple(_read_items(kind, _data(answer))), write)


def read_whole(kind: type[T], answer: Mapping[str, Any]) -> T:
    """The object that an answer is, where upstream does not wrap it in `data`."""
    return explained(lambda: _read_fields(kind, answer))


def read_count(answer: Mapping[str, Any], name: str, *, write: bool = False) -> int:
    """A whole number at the top level of an answer, such as `total_count`."""

    def count() -> int:
        if name not in answer:
            raise MisfitError(name, missing=True)
        return at(name, _integer, answer[name])

    return explained(count, write)


def named(name: str) -> Mapping[str, str]:
    """The `metadata` of a dataclass field that JSON calls otherwise."""
    return {_JSON_NAME: name}


def figure(value: Any) -> Decimal:
    """A number, be it sent as one or as text in JSON's own spelling. MisfitError for anything else."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return _decimal(Decimal(value))
    return _decimal(value)


def _count(value: Any) -> int:
    return value if is_plain(value) else _integer(figure(value))


# Numbers that upstream may send as text.
Count = Annotated[int, _count]
Figure = Annotated[Decimal, figure]


def explained(read: Callable[[], T], write: bool = False) -> T:
    """What `read` gives; its MisfitError becomes an UnreadableAnswer that names the field."""
    try:
        return read()
    except MisfitError as misfit:
        problem = "lacks" if misfit.missing else "has something unexpected in"
        message = f"OpenRouter answered, but the answer {problem} the field “{misfit.path}”."
    raise UnreadableAnswer(message, outcome_unknown=write)


def _data(answer: Mapping[str, Any]) -> Any:
    if "data" not in answer:
        raise MisfitError("data", missing=True)
    return answer["data"]


def _read_items(kind: type[T], raw: Any) -> list[T]:
    if not isinstance(raw, list):
        raise MisfitError("data")
    items = []
    for index, row in enumerate(raw):
        try:
            items.append(_read_fields(kind, row))
        except MisfitError as misfit:
            raise misfit.below(f"data[{index}]") from None
    return items


def _read_row(kind: type[T], raw: Any) -> T:
    return at("data", functools.partial(_read_fields, kind), raw)


def at(name: str, convert: Callable[[Any], T], raw: Any) -> T:
    """The value converted; a misfit in it is reported below `name`."""
    try:
        return convert(raw)
    except MisfitError as misfit:
        raise misfit.below(name) from None


def _read_fields(kind: Callable[..., T], raw: Any) -> T:
    if not isinstance(raw, Mapping):
        raise MisfitError("")
    plan, known = _plan(kind)
    extra = {name: value for name, value in raw.items() if name not in known}
    values: dict[str, Any] = {}
    for field in plan:
        value = raw.get(field.name, _ABSENT)
        if value is _ABSENT:
            if field.required:
                raise MisfitError(field.name, missing=True)
        elif value is None and field.nullable:
            values[field.attribute] = None
        else:
            try:
                values[field.attribute] = field.convert(value)
            except MisfitError as misfit:
                _misfit(field, misfit, value, values, extra)
    return kind(**values, extra=extra)


def _misfit(
    field: _Field, misfit: MisfitError, value: Any, values: dict[str, Any], extra: dict[str, Any]
) -> None:
    # A moment we cannot parse costs a date on a page, not the page; anything else that was promised is an
    # error.
    if field.required and not field.moment:
        raise misfit.below(field.name) from None
    extra[field.name] = value
    if field.required:
        values[field.attribute] = None


@functools.cache
def _plan(kind: Any) -> tuple[tuple[_Field, ...], frozenset[str]]:
    hints = get_type_hints(kind, include_extras=True)
    plan = []
    for field in fields(kind):
        if field.name == EXTRA:
            continue
        hint, nullable = _without_none(hints[field.name])
        required = field.default is MISSING and field.default_factory is MISSING
        name = field.metadata.get(_JSON_NAME, field.name)
        plan.append(_Field(name, field.name, _converter(hint), required, nullable, hint is datetime))
    return tuple(plan), frozenset(field.name for field in plan)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    parts = get_args(hint)
    (only,) = (part for part in parts if part not in (type(None), Unset))
    return only, type(None) in parts


def _converter(hint: Any) -> Convert:
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return functools.partial(_read_fields, hint)
    origin = get_origin(hint)
    if origin is Annotated:
        # The annotation is the way to read it.
        convert: Convert = get_args(hint)[1]
        return convert
    if origin is tuple:
        return functools.partial(_tuple_of, _converter(get_args(hint)[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping
    raise TypeError(f"No way to read {hint!r} from JSON")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MisfitError("")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MisfitError("")
    return value


def is_plain(value: Any) -> bool:
    """Whether this is a whole number, sent as one, that needs no second look, as nearly all counts are."""
    return type(value) is int and -_PLAIN < value < _PLAIN


def _integer(value: Any) -> int:
    if is_plain(value):
        return value  # type: ignore[no-any-return]
    number = _decimal(value)
    if number != number.to_integral_value():
        raise MisfitError("")
    return int(number)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise MisfitError("")
    number = Decimal(value)
    if not reasonable(number):
        raise MisfitError("")
    return number


def _moment(value: Any) -> datetime:
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        raise MisfitError("")
    return moment


def _day(value: Any) -> date:
    """The first ten characters: upstream sends a bare day, and now and then midnight behind it."""
    if not isinstance(value, str) or not _DAY.match(value):
        raise MisfitError("")
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise MisfitError("") from None


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MisfitError("")
    return value


def _tuple_of(convert: Convert, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise MisfitError("")
    return tuple(at(f"[{index}]", convert, item) for index, item in enumerate(value))


_SIMPLE: dict[Any, Convert] = {
    str: _text,
    bool: _flag,
    int: _integer,
    Decimal: _decimal,
    datetime: _moment,
    date: _day,
}

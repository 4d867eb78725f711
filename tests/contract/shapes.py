"""Holds an answer against the vendor's own models, more strictly than its client does.

The client lets extra fields, numbers sent as text and unknown words pass; none of these may come from the
sandbox unasked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from openrouter.types import UnrecognizedStr
from pydantic import BaseModel
from typing_extensions import TypeAliasType

Shape = Any
"""What pydantic calls a type: a class, a union, a list of something."""


def hold_against(model: type[BaseModel], text: str, *, unless: frozenset[str] = frozenset()) -> None:
    """Fails unless the JSON text has exactly the fields of the model, each strictly of its type. Those in
    `unless` may be missing."""
    model.model_validate_json(text, strict=True)
    found = _differences(model, json.loads(text), "$")
    missing = tuple(f".{name} is missing" for name in unless)
    differences = [difference for difference in found if not difference.endswith(missing)]
    if differences:
        raise AssertionError("\n".join(differences))


def _differences(shape: Shape, value: Any, where: str) -> Iterator[str]:
    choices = _choices(shape)
    words = [word for choice in choices if _origin(choice) is Literal for word in get_args(choice)]
    if isinstance(value, dict):
        models = [choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)]
        if models:
            yield from _object_differences(_meant(models, value), value, where)
    elif isinstance(value, list):
        inner = next((get_args(choice)[0] for choice in choices if _origin(choice) is list), Any)
        for index, item in enumerate(value):
            yield from _differences(inner, item, f"{where}[{index}]")
    elif value is None:
        if NoneType not in choices:
            yield f"{where} may not be null"
    elif words and value not in words:
        yield f"{where} is {value!r}, not one of {words}"


def _meant(models: list[type[BaseModel]], value: dict[str, Any]) -> type[BaseModel]:
    """Of several models the one whose `type` is the object's, else the first."""
    for model in models[1:] and models:
        field = next(
            (field for name, field in model.model_fields.items() if (field.alias or name) == "type"), None
        )
        if field is not None and value.get("type") in get_args(field.annotation):
            return model
    return models[0]


def _object_differences(model: type[BaseModel], value: dict[str, Any], where: str) -> Iterator[str]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    if not fields:
        # A row of figures: its columns are those that were asked for.
        return
    for name in sorted(value.keys() - fields.keys()):
        yield f"{where}.{name} is not a field of {model.__name__}"
    for name in sorted(fields.keys() - value.keys()):
        yield f"{where}.{name} is missing"
    for name in sorted(fields.keys() & value.keys()):
        yield from _differences(fields[name].annotation, value[name], f"{where}.{name}")


def _choices(shape: Shape) -> list[Shape]:
    """The members of a union, however deep it is nested; the shape alone when it is none."""
    origin: Any = get_origin(shape)
    if origin is Annotated:
        return _choices(get_args(shape)[0])
    if origin is Union or origin is UnionType:
        return [choice for part in get_args(shape) for choice in _choices(part)]
    if isinstance(origin, TypeAliasType):
        # Nullable[...] and OptionalNullable[...]: null is meant in both.
        return [NoneType, *_choices(get_args(shape)[0])]
    return [] if shape is UnrecognizedStr else [shape]


def _origin(shape: Shape) -> Any:
    return get_origin(shape)

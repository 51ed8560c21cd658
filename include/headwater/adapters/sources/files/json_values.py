"""One JSON text becomes the texts of its fields; numbers keep every digit they were written with."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class DuplicateKeyError(ValueError):
    """An object has a key twice: parsers disagree on which one counts."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=Number, parse_int=Number, parse_constant=_constant, strict=True
)


def text_of(value: Any) -> str | None:
    """A field as text: strings as they are, numbers as written, objects and arrays as JSON without spaces."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, Number):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, Number):
        return str.__str__(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)

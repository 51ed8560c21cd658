"""One JSON text becomes the texts of its fields; numbers keep every digit they were written with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

MOST_LEVELS = 200
"""Deeper values are not taken. How deep the interpreter gets depends on who called it, and that must not decide."""


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class TooDeepError(ValueError):
    """Objects and arrays lie within each other in more levels than are taken."""


class DuplicateKeyError(ValueError):
    """An object has a key twice: parsers disagree on which one counts."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=Number, parse_int=Number, parse_constant=_constant, strict=True
)


def decoded(text: str) -> Any:
    """The value of one JSON text.

    :raises TooDeepError: when it is nested too deep. :raises DuplicateKeyError: when an object has a key twice.
    :raises ValueError: when it is no JSON.
    """
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise TooDeepError from None
    # without so many brackets nothing can be that deep
    if text.count("[") + text.count("{") > MOST_LEVELS and _is_too_deep(value):
        raise TooDeepError
    return value


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [item for one in level if isinstance(one, dict | list) for item in _items(one)]
    return any(isinstance(one, dict | list) for one in level)


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


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

"""Values as SQLite stores them, of whatever type, as texts that a declared type is then asked of."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from headwater.adapters.sources.files.lines import Encoding, is_text
from headwater.adapters.sources.texts import Record, escaped
from headwater.domain.schema import Column

_UTF8 = Encoding("utf-8")
NON_FINITE = (float("inf"), float("-inf"))
_TEXTS: dict[type, Callable[[Any], str]] = {
    int: str,
    float: repr,
    str: lambda value: value,
    bytes: bytes.hex,
}


def record_of(place: int, row: Sequence[Any], columns: Sequence[Column]) -> Record:
    """A row as texts. Bytes in a column of text, or text in one of bytes, are not what is declared."""
    texts = [_text(value, column.type) for value, column in zip(row, columns, strict=True)]
    mixed = any(
        isinstance(value, bytes) != (column.type == "binary")
        for value, column in zip(row, columns, strict=True)
        if value is not None and (isinstance(value, bytes) or column.type == "binary")
    )
    if mixed:
        return Record(place, None, _payload(row, columns), "no_storage_class")
    broken = next((text for text in texts if text is not None and not is_text(text)), None)
    if broken is not None:
        return Record(place, None, _payload(row, columns), _UTF8.problem_of(broken))
    return Record(place, texts)


def keyed_record(place: int, values: Sequence[Any], columns: Sequence[Column], key: Sequence[str]) -> Record:
    """A row as texts; of one that cannot be taken the key alone, where that is sound."""
    record = record_of(place, values, columns)
    if record.fields is not None:
        return record
    # what is set aside has no content, but a key where that is sound
    keyed = [value if column.name in key else None for column, value in zip(columns, values, strict=True)]
    return Record(place, record_of(place, keyed, columns).fields, None, record.problem)


def without_infinity(row: Sequence[Any]) -> list[Any]:
    """The values with NULL for infinities, as ``non_finite: null`` has it."""
    return [None if type(value) is float and value in NON_FINITE else value for value in row]


def _text(value: Any, kind: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and kind.startswith("decimal"):
        # the shortest digits that mean this float: what was written, unless it had more than fifteen
        return format(Decimal(repr(value)), "f")
    return _TEXTS[type(value)](value)


def _payload(row: Sequence[Any], columns: Sequence[Column]) -> str:
    """The row as JSON; bytes in hexadecimal digits, and texts that are none escaped."""

    def shown(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"hex": value.hex()}
        if isinstance(value, str) and not is_text(value):
            return {"escaped": escaped(_UTF8.bytes_of(value))}
        return repr(value) if isinstance(value, float) else value

    return json.dumps({column.name: shown(value) for column, value in zip(columns, row, strict=True)})

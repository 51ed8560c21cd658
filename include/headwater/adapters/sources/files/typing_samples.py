"""The narrowest types that every text of a sample is a value of, and columns that tell its records apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.text_values import is_untypable

if TYPE_CHECKING:
    import duckdb

_CANDIDATES = ("boolean", "long", "decimal", "double", "date", "timestamp", "timestamptz")
_OF_TEXTS = ("date", "timestamp", "timestamptz")
"""What a JSON string can be: a number in quotes was meant to be none."""
_NARROWER = {
    # 0 and 1 are numbers first, and a code such as 00123 is none
    "boolean": "(?i)true|false",
    "long": "[+-]?(0|[1-9][0-9]{0,17})",
    "decimal": r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?",
    # more digits than a double holds are a code, too
    "double": r"[+-]?(0|[1-9][0-9]{0,15})?(\.[0-9]+)?([eE][+-]?[0-9]+)?",
}
_PRECISIONS, _LARGEST_SCALE = (18, 38), 6
_KEY_WORDS = re.compile(r"(?i)(^|_| )(id|key|code|uuid|guid|number|no|nr)$|[a-z]I[dD]$")
_NO_KEYS = ("double", "float", "boolean", "timestamp", "timestamptz")


def guessed_types(
    engine: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str], texts_only: Collection[str] = ()
) -> tuple[str, ...]:
    """An Iceberg type per column of texts. :param rows: a relation of DuckDB with the columns ``c0, c1 …``."""
    return tuple(
        _type_of(engine, rows, f"c{place}", _OF_TEXTS if name in texts_only else _CANDIDATES)
        for place, name in enumerate(columns)
    )


def unique_columns(
    engine: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str], kinds: Sequence[str]
) -> tuple[str, ...]:
    """Columns that are named like keys, never empty and never repeated; the shortest names first."""
    found = []
    for place, (name, kind) in enumerate(zip(columns, kinds, strict=True)):
        if kind in _NO_KEYS or _KEY_WORDS.search(name) is None:
            continue
        counted = f"SELECT count(*), count(c{place}), count(DISTINCT c{place}) FROM {rows}"  # noqa: S608 - made of names of our own
        every, present, distinct = engine.execute(counted).fetchone() or (0, 0, 0)
        if every and every == present == distinct:
            found.append(name)
    return tuple(sorted(found, key=len))


def _type_of(engine: duckdb.DuckDBPyConnection, rows: str, column: str, candidates: Sequence[str]) -> str:
    scale = f"length(split_part({column}, '.', 2))"
    digits = f"length(ltrim(split_part({column}, '.', 1), '+-'))"
    query = f"SELECT count({column}), max({scale}), max({digits}) FROM {rows}"  # noqa: S608 - as above
    present, decimals, integers = engine.execute(query).fetchone() or (0, 0, 0)
    for candidate in candidates if present else ():
        kind = candidate
        if candidate == "decimal":
            precision = next((digits for digits in _PRECISIONS if decimals + integers <= digits), 0)
            if not precision or decimals > _LARGEST_SCALE:
                continue
            kind = f"decimal({precision},{decimals})"
        form = _NARROWER.get(candidate)
        other = f"NOT regexp_full_match({column}, {literal(form)})" if form else "false"
        unfit = (
            f"SELECT count(*) FROM {rows} WHERE ({is_untypable(column, kind)}) OR ({column} IS NOT NULL AND {other})"  # noqa: S608 - as above
        )
        if engine.execute(unfit).fetchone() == (0,):
            return kind
    return "string"

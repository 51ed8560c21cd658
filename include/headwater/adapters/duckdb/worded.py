"""SQL that gives words where Python has no value: infinite instants, intervals of months; also inside nested values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal, quoted

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

_INSTANTS = frozenset(
    {"date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone", "timestamp_tz"}
)
"""Types with infinities, which DuckDB's client makes the last and the first instant it can tell."""
_LISTS = frozenset({"list", "array"})


def worded(kind: DuckDBPyType, value: str, depth: int = 0) -> str:
    """An expression for ``value`` whose infinities and intervals are texts; ``value`` itself where it can hold none.

    :param depth: how many lambdas are around it; each has a variable of its own.
    """
    if kind.id == "interval":
        return f"{value}::VARCHAR"
    if kind.id in _INSTANTS:
        either = f"UNION(instant {kind}, word VARCHAR)"
        return f"CASE WHEN isinf({value}) THEN {value}::VARCHAR::{either} ELSE {value}::{either} END"
    if kind.id in _LISTS:
        return _listed(_parts(kind)[0][1], value, depth)
    if kind.id == "map":
        return _mapped(kind, value, depth)
    return _structured(kind, value, depth) if kind.id == "struct" else value


def _listed(kind: DuckDBPyType, value: str, depth: int) -> str:
    item = f"item{depth}"
    told = worded(kind, item, depth + 1)
    return value if told == item else f"list_transform({value}, lambda {item}: {told})"


def _mapped(kind: DuckDBPyType, value: str, depth: int) -> str:
    (_, key), (_, item) = _parts(kind)
    keys = _listed(key, f"map_keys({value})", depth)
    values = _listed(item, f"map_values({value})", depth)
    if (keys, values) == (f"map_keys({value})", f"map_values({value})"):
        return value
    return f"CASE WHEN {value} IS NOT NULL THEN map({keys}, {values}) END"


def _structured(kind: DuckDBPyType, value: str, depth: int) -> str:
    fields = _parts(kind)
    held = [f"struct_extract({value}, {literal(name) if name else place})" for place, (name, _) in enumerate(fields, 1)]
    told = [worded(part, item, depth) for (_, part), item in zip(fields, held, strict=True)]
    if told == held:
        return value
    if fields[0][0]:
        made = ", ".join(f"{quoted(name)} := {item}" for (name, _), item in zip(fields, told, strict=True))
        return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({made}) END"
    return f"CASE WHEN {value} IS NOT NULL THEN row({', '.join(told)}) END"


def _parts(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Names and types of what a nested type is made of; the length of an array is no part."""
    return [(name, part) for name, part in kind.children if not isinstance(part, int | list)]

"""In which ranges of a table's files the keys of a batch lie, by the bounds that Iceberg keeps of every file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Row

from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.tables.staging import Staging

MOST_RANGES = 64
"""A predicate of more ranges costs more for each file than the files it leaves out."""
_ORDERED = re.compile(r"(tinyint|smallint|int|bigint|decimal\(.*\)|date|timestamp|string)")
"""Types whose literals say exactly the value, and which Spark and Iceberg order alike."""

_TIMES = {"date": "date_from_unix_date", "timestamp": "timestamp_micros"}

Range = tuple[tuple[Any, Any], ...]
"""Least and greatest value of each column."""


def key_ranges(staging: Staging, key: Sequence[str], keys: str) -> str:
    """A predicate that holds for every row of the staging's base with one of the keys, ``{0}`` before every column.

    It is made of the files that can hold a key: of each, the range of those keys. Files without such a key fail it by
    their bounds alone. ``true`` where the bounds tell nothing.

    :param keys: a view with the key's columns.
    """
    types = {field.name: field.dataType.simpleString() for field in staging.spark.table(keys).schema.fields}
    columns = {name: types[name] for name in key if _ORDERED.fullmatch(types[name])}
    if not columns:
        return "true"
    bounds = ", ".join(
        f"readable_metrics.{quoted(name)}.{side}_bound AS hw_{side}_{n}"
        for n, name in enumerate(columns)
        for side in ("lower", "upper")
    )
    within = " AND ".join(
        f"coalesce(k.{quoted(name)} BETWEEN f.hw_lower_{n} AND f.hw_upper_{n}, k.{quoted(name)} IS NOT NULL)"
        for n, name in enumerate(columns)
    )
    ends = ", ".join(_number(f"{end}(k.{quoted(name)})", columns[name]) for name in columns for end in ("min", "max"))
    found = staging.spark.sql(
        f"SELECT {ends} FROM {keys} k JOIN (SELECT /*+ BROADCAST(d) */ file_path, {bounds} "  # noqa: S608 - made of quoted names and literals
        f"FROM {staging.table.iceberg}.data_files VERSION AS OF {staging.head} d) f ON {within} GROUP BY f.file_path"
    ).collect()
    return ranges_predicate(columns, [_range(row) for row in found])


def _range(row: Row) -> Range:
    values = list(row)
    return tuple(zip(values[::2], values[1::2], strict=True))


def ranges_predicate(columns: Mapping[str, str], ranges: Sequence[Range]) -> str:
    """Any of the ranges, ``{0}`` before every column; neighbours become one until they are few enough.

    :param columns: name -> Spark type, in the order of each range.
    """
    if not ranges:
        return "false"
    return f"({' OR '.join(_one(columns, found) for found in fewer(ranges))})"


def fewer(ranges: Sequence[Range]) -> list[Range]:
    """Ranges that together hold all of the given ones, at most ``MOST_RANGES``, in order."""
    found: list[Range] = []
    for one in sorted(ranges):
        if found and one[0][0] <= found[-1][0][1]:
            found[-1] = _both(found[-1], one)
        else:
            found.append(one)
    while len(found) > MOST_RANGES:
        pairs = [found[n : n + 2] for n in range(0, len(found), 2)]
        found = [_both(pair[0], pair[-1]) for pair in pairs]
    return found


def _both(one: Range, other: Range) -> Range:
    return tuple((min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(one, other, strict=True))


def _one(columns: Mapping[str, str], found: Range) -> str:
    parts = [
        f"{{0}}{_plain(quoted(name))} BETWEEN {_value(low, kind)} AND {_value(high, kind)}"
        for (name, kind), (low, high) in zip(columns.items(), found, strict=True)
        if _is_ordered_alike(low) and _is_ordered_alike(high)
    ]
    return f"({' AND '.join(parts) or 'true'})"


def _number(value: str, kind: str) -> str:
    """Times as numbers: Python knows fewer years than Spark does."""
    return {"date": f"unix_date({value})", "timestamp": f"unix_micros({value})"}.get(kind, value)


def _value(value: object, kind: str) -> str:
    """A literal of exactly that value."""
    if kind == "string":
        return _plain(literal(str(value)))
    if kind in _TIMES:
        return f"{_TIMES[kind]}({value})"
    return f"CAST('{value}' AS {kind})"


def _plain(text: str) -> str:
    """The text as it stands in a format."""
    return text.replace("{", "{{").replace("}", "}}")


def _is_ordered_alike(value: object) -> bool:
    """Whether a text is one that every part on the way orders alike."""
    return not isinstance(value, str) or (value.isascii() and value.isprintable())

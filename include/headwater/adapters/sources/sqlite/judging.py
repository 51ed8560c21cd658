"""The rows of a relation as texts, as an extract would judge them, each with its key where that is sound."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from headwater.adapters.duckdb.sql import quoted
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.sqlite.relations import relation_of
from headwater.adapters.sources.storing import keyed_record, without_infinity
from headwater.adapters.sources.texts import Record
from headwater.domain.schema import Column
from headwater.domain.spec import TableSpec

_STORED_AS_TEXT = re.compile("CHAR|CLOB|TEXT")


def records(
    session: sqlite3.Connection,
    table: TableSpec,
    columns: Sequence[Column],
    keys: Collection[tuple[str, ...]] | None,
) -> Iterator[Record]:
    """The rows as texts. :param keys: rows with other keys may be left out; None leaves out none."""
    names, source = ", ".join(quoted(column.name) for column in columns), quoted(relation_of(table))
    condition, values = ("true", ()) if keys is None else _among(table, columns, keys)
    found = session.execute(f"SELECT {names} FROM {source} WHERE {condition}", values)  # noqa: S608 - identifiers are quoted
    as_null = sql_extract(table).non_finite == "null"
    for place, row in enumerate(found, 1):
        yield keyed_record(place, without_infinity(row) if as_null else row, columns, table.key)


def _among(
    table: TableSpec, columns: Sequence[Column], keys: Collection[tuple[str, ...]]
) -> tuple[str, tuple[str, ...]]:
    """A condition that holds of every row with one of the keys, and of as few others as an index can tell, with values.

    Texts of times and fractions have many forms, and only what the column's affinity makes one can be looked for.
    """
    parts, values = ["true"], []
    for place, name in enumerate(table.key):
        column = next(column for column in columns if column.name == name)
        is_number = column.type == "long"
        if is_number or _STORED_AS_TEXT.search(str(column.source_type).upper()):
            parts.append(f"{quoted(name)} IN (SELECT value FROM json_each(?))")  # noqa: S608 - identifiers are quoted
            values.append(json.dumps(sorted({int(key[place]) if is_number else key[place] for key in keys})))
    return " AND ".join(parts), tuple(values)

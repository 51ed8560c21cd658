"""The rows of a relation as an extract would take them: typed, each with whether it would be set aside."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.adapters.duckdb.canonical import Relation
from headwater.adapters.duckdb.engine import make_room
from headwater.adapters.duckdb.snapshots import columns_of
from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.declared import sql_extract
from headwater.adapters.sources.sqlite.reading import one_snapshot
from headwater.adapters.sources.sqlite.relations import relation_of
from headwater.adapters.sources.storing import record_of, without_infinity
from headwater.adapters.sources.text_values import is_untypable, typed
from headwater.adapters.sources.texts import Record, TextFile
from headwater.domain.schema import Column
from headwater.domain.spec import TableSpec

if TYPE_CHECKING:
    import duckdb

ASIDE = "_hw_aside"
_STORED_AS_TEXT = re.compile("CHAR|CLOB|TEXT")


def judged(
    session: sqlite3.Connection,
    table: TableSpec,
    columns: Sequence[Column],
    engine: duckdb.DuckDBPyConnection,
    texts: Path,
    keys: Collection[tuple[str, ...]] | None = None,
) -> Relation:
    """The rows with a sound key, of one snapshot, and as ``ASIDE`` whether they cannot be taken.

    :param texts: where the rows are left. :param keys: rows with other keys may be left out; None leaves out none.
    """
    make_room(engine, len(columns))
    with one_snapshot(session), TextFile(texts, len(columns)) as target:
        for record in _records(session, table, columns, keys):
            target.add(relation_of(table), record)
    types = {column.name: (f"c{place}", column.type) for place, column in enumerate(columns)}
    values = ", ".join(f"{typed(text, kind)} AS {quoted(name)}" for name, (text, kind) in types.items())
    aside = " OR ".join(["problem IS NOT NULL", *(is_untypable(*column) for column in types.values())])
    sound = " AND ".join(f"{types[name][0]} IS NOT NULL AND NOT {is_untypable(*types[name])}" for name in table.key)
    source = f"read_parquet({literal(str(texts))})"
    select = f"SELECT {values}, {aside} AS {ASIDE} FROM {source} WHERE {sound}"  # noqa: S608 - made of quoted names and literals
    return Relation(select, columns_of(engine, f"({select})"))


def _records(
    session: sqlite3.Connection,
    table: TableSpec,
    columns: Sequence[Column],
    keys: Collection[tuple[str, ...]] | None,
) -> Iterator[Record]:
    names, source = ", ".join(quoted(column.name) for column in columns), quoted(relation_of(table))
    condition, values = ("true", ()) if keys is None else _among(table, columns, keys)
    found = session.execute(f"SELECT {names} FROM {source} WHERE {condition}", values)  # noqa: S608 - identifiers are quoted
    as_null = sql_extract(table).non_finite == "null"
    for place, row in enumerate(found, 1):
        yield _record(place, without_infinity(row) if as_null else row, columns, table.key)


def _record(place: int, values: Sequence[Any], columns: Sequence[Column], key: Sequence[str]) -> Record:
    record = record_of(place, values, columns)
    if record.fields is not None:
        return record
    # what is set aside has no content, but a key where that is sound
    keyed = [value if column.name in key else None for column, value in zip(columns, values, strict=True)]
    return Record(place, record_of(place, keyed, columns).fields, None, record.problem)


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

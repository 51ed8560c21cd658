"""Relations of a database and the types their columns declare."""

from __future__ import annotations

import re
import sqlite3
from difflib import get_close_matches

from headwater.adapters.duckdb.sql import quoted
from headwater.adapters.sources.naming import check_history_names, check_names
from headwater.domain.errors import SchemaDriftError, SourceTableMissingError
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.extractor import SourceRelation

_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_LARGEST_PRECISION = 38
_FAMILIES = (
    (re.compile("BOOL"), "boolean"),
    (re.compile("INT"), "long"),
    (re.compile("CHAR|CLOB|TEXT|JSON|UUID|STRING"), "string"),
    (re.compile("BLOB|BINARY|BYTEA"), "binary"),
    (re.compile("REAL|FLOA|DOUB"), "double"),
    (re.compile("TIMESTAMPTZ|WITH TIME ZONE"), "timestamptz"),
    (re.compile("DATETIME|TIMESTAMP"), "timestamp"),
    (re.compile("DATE"), "date"),
)
"""In this order, as SQLite itself decides by parts of words; what is in none of them travels as text."""


def iceberg_type(declared: str) -> str:
    """The type a declaration stands for."""
    decimal = _DECIMAL.fullmatch(declared.strip().upper())
    if decimal is not None and int(decimal[2] or 0) <= int(decimal[1]) <= _LARGEST_PRECISION:
        return f"decimal({int(decimal[1])},{int(decimal[2] or 0)})"
    return next((kind for words, kind in _FAMILIES if words.search(declared.upper())), "string")


def relation_of(table: TableSpec) -> str:
    """The relation's name, without the schema SQLite calls ``main``."""
    name = table.extract.relation if isinstance(table.extract, SqlExtract) else None
    return (name or table.name).removeprefix("main.")


def schema_of(session: sqlite3.Connection, table: TableSpec, facts: dict[str, str]) -> TableSchema:
    """The columns of a table's relation.

    :raises SourceTableMissingError: when it does not exist, naming near misses.
    :raises SchemaDriftError: when a name cannot be carried, or a column the YAML relies on is gone.
    """
    name, names = relation_of(table), _names(session)
    if name not in names:
        near = ", ".join(get_close_matches(name, names, n=3))
        raise SourceTableMissingError(
            f"{name} does not exist at the source",
            got=name,
            allowed=near or f"one of {len(names)} relations, none with a similar name",
            remedy="Restore the relation, or name the new one in `extract: {relation: …}`.",
            facts={**facts, "near": near},
        )
    columns, key = _columns(session, name)
    check_names([column.name for column in columns], name, facts)
    check_history_names([column.name for column in columns], table, name, facts)
    cursor = table.extract.cursor if isinstance(table.extract, SqlExtract) else None
    for role, wanted in [*(("key", item) for item in table.key), *([("cursor", cursor)] if cursor else [])]:
        if wanted not in [column.name for column in columns]:
            raise SchemaDriftError(
                f"{role} column {wanted!r} does not exist in {name}",
                got=", ".join(column.name for column in columns),
                remedy=f"Restore column {wanted!r} at the source, or change `{role}` of table {table.name!r}.",
                facts={**facts, "column": wanted},
            )
    return TableSchema(columns=columns, primary_key=key)


def list_relations(session: sqlite3.Connection) -> tuple[SourceRelation, ...]:
    """Everything readable in the file."""
    found = []
    for name in _names(session):
        columns, key = _columns(session, name)
        cursors = tuple(c.name for c in columns if c.type in ("timestamp", "timestamptz", "date"))
        schema = TableSchema(columns=columns, primary_key=key)
        found.append(
            SourceRelation(relation=f"main.{name}", primary_key=key, cursor_candidates=cursors, schema_=schema)
        )
    return tuple(found)


def _names(session: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
    return sorted(str(row[0]) for row in session.execute(query))


def _columns(session: sqlite3.Connection, name: str) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    rows = session.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    visible = [row for row in rows if row[6] != 1]
    columns = (
        Column(name=row[1], type=iceberg_type(row[2]), required=bool(row[3]), source_type=row[2] or "untyped")
        for row in visible
    )
    key = [row[1] for row in sorted((row for row in visible if row[5]), key=lambda row: int(row[5]))]
    return tuple(columns), tuple(key)

"""The statements of a read, in the source's own SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.cursors import Cursor
from headwater.adapters.sources.queried.database import Database, Relation

NonFinite = Literal["quarantine", "stop", "null"]


def dotted(database: Database, relation: Relation) -> str:
    """Schema and relation, quoted."""
    return ".".join(map(database.quoted, relation))


def projected(column: QueriedColumn, database: Database, non_finite: NonFinite = "quarantine") -> str:
    """A column's value as it travels; NULL for what no type holds, where that is the policy."""
    name = f"t.{database.quoted(column.name)}"
    value = column.form.format(name)
    if non_finite == "null" and column.beyond:
        return f"CASE WHEN {column.beyond.format(name)} THEN NULL ELSE {value} END"
    return value


def selected(
    columns: Sequence[QueriedColumn],
    relation: Relation,
    database: Database,
    cursor: Cursor | None,
    inside: str,
    asks_for_cursors: bool,
    non_finite: NonFinite,
) -> str:
    """Rows of a window: what is wrong with their cursor, then c0, c1 …; those without a usable one where asked for."""
    problem = "NULL"
    if cursor is not None and asks_for_cursors:
        null, future = cursor.is_null(), cursor.is_future()
        # a cursor that came of age between plan and now is in no window yet, and waits
        problem = f"CASE WHEN {null} THEN 'null_cursor' WHEN {future} THEN 'future_cursor' END"
        inside = f"({inside}) OR {null} OR {future}"
    values = [f"{projected(column, database, non_finite)} AS c{place}" for place, column in enumerate(columns)]
    return (
        f"SELECT {', '.join([f'{problem} AS problem', *values])} "  # noqa: S608 - made of quoted names and literals
        f"FROM {dotted(database, relation)} t WHERE {inside}"
    )


def rows(columns: Sequence[QueriedColumn], relation: Relation, cursor: Cursor, inside: str) -> str:
    """The rows of a window alone."""
    database = cursor.database
    values = ", ".join(projected(column, database) for column in columns)
    return f"SELECT {values} FROM {dotted(database, relation)} t WHERE {inside}"  # noqa: S608 - as above


def unusable_counts(relation: Relation, cursor: Cursor) -> str:
    """A query for the numbers of NULL cursors and of cursors in the future (rule 6)."""
    null, future = cursor.is_null(), cursor.is_future()
    return (
        f"SELECT COUNT(CASE WHEN {null} THEN 1 END), COUNT(CASE WHEN {future} THEN 1 END) "  # noqa: S608 - as above
        f"FROM {dotted(cursor.database, relation)} t WHERE {null} OR {future}"
    )


def highest(relation: Relation, cursor: Cursor, condition: str) -> str:
    """A query for the greatest cursor for which a condition holds."""
    value = cursor.column.form.format(f"MAX({cursor.name})")
    return f"SELECT {value} FROM {dotted(cursor.database, relation)} t WHERE {condition}"  # noqa: S608 - as above

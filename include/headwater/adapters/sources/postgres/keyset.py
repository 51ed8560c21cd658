"""The order in which a window is read in chunks, and the bounds between them, in the source's SQL.

Rows are ordered by the cursor and then by the key. Each bound splits the window in two: a condition that is true or
false of a row, never NULL, and its negation. The conditions of growing bounds hold for growing sets of rows, so what
lies after one bound and up to the next is disjoint and leaves nothing out, whatever NULL keys, ties and collations do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.ports.chunks import Bound

_ORDERED = ("int", "long", "date", "timestamp", "timestamptz")


@dataclass(frozen=True, slots=True)
class Keyset:
    """Cursor and key of a relation called ``t``."""

    cursor: Cursor
    key: tuple[SourceColumn, ...] = ()

    def order(self) -> sql.Composed:
        """For ORDER BY. Texts go by their bytes: two servers' collations, or two releases of one, differ."""
        return sql.SQL(", ").join([self.cursor.name, *(_value(column) for column in self.key)])

    def up_to(self, bound: Bound) -> sql.Composed:
        """True for rows up to the bound, false for all others; the cursor alone stands where an index can use it.

        A key with a NULL that an order would have to place comes after all others of its cursor.
        """
        cursor, value = self.cursor.name, self.cursor.value(bound[0])
        if len(bound) == 1:
            return sql.SQL("{} <= {}").format(cursor, value)
        ours = sql.SQL(", ").join(_value(column) for column in self.key)
        theirs = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(text), sql.SQL(_type(column)))
            for column, text in zip(self.key, bound[1:], strict=True)
        )
        return sql.SQL("{0} <= {1} AND ({0} < {1} OR coalesce(({2}) <= ({3}), false))").format(
            cursor, value, ours, theirs
        )

    def after(self, bound: Bound) -> sql.Composed:
        """The negation of ``up_to``, of rows whose cursor is not NULL."""
        cursor = self.cursor.name
        if len(bound) == 1:
            return sql.SQL("{} > {}").format(cursor, self.cursor.value(bound[0]))
        return sql.SQL("{} >= {} AND NOT ({})").format(cursor, self.cursor.value(bound[0]), self.up_to(bound))

    def between(self, window: sql.Composable, after: Bound | None, upto: Bound | None) -> sql.Composed:
        """The condition of a chunk; ``window`` is that of all rows, never true for a NULL cursor."""
        parts = [sql.SQL("({})").format(window)]
        parts += [self.after(after)] if after is not None else []
        parts += [self.up_to(upto)] if upto is not None else []
        return sql.SQL(" AND ").join(sql.SQL("({})").format(part) for part in parts)

    def nth(self, relation: tuple[str, str], window: sql.Composable, after: Bound | None, rows: int) -> sql.Composed:
        """A query for the ``rows``-th row after a bound, and the one that follows it: cursor and key as texts."""
        columns = [self.cursor.name, *(_value(column) for column in self.key)]
        texts = sql.SQL(", ").join(
            sql.SQL("({})::text AS k{}").format(column, sql.SQL(str(place))) for place, column in enumerate(columns)
        )
        return sql.SQL("SELECT {} FROM {} AS t WHERE {} ORDER BY {} OFFSET {} LIMIT 2").format(
            texts,
            sql.Identifier(*relation),
            self.between(window, after, None),
            self.order(),
            sql.Literal(rows - 1),
        )


def keyset(cursor: Cursor, columns: Sequence[SourceColumn], key: Sequence[str]) -> Keyset:
    """The order of a table: by its cursor, then by the columns of its key that are not the cursor."""
    named = {column.name: column for column in columns}
    return Keyset(cursor, tuple(named[name] for name in key if name != cursor.column.name))


def _is_ordered(column: SourceColumn) -> bool:
    return column.type in _ORDERED or column.type.startswith("decimal")


def _value(column: SourceColumn) -> sql.Composable:
    if _is_ordered(column):
        return column.expression()
    if column.type == "binary":
        return sql.SQL("encode({}, 'hex') COLLATE \"C\"").format(column.expression())
    return sql.SQL('({})::text COLLATE "C"').format(column.expression())


def _type(column: SourceColumn) -> str:
    if not _is_ordered(column):
        return "text"
    return (
        "numeric"
        if column.type.startswith("decimal")
        else {"int": "bigint", "long": "bigint"}.get(column.type, column.source_type)
    )

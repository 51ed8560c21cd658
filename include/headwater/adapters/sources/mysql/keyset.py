"""The order in which a window is read in chunks, and the bounds between them, in MySQL's SQL.

As in ``postgres.keyset``: each bound is a condition that is true or false of a row, never NULL, and its negation. Keys
that are no numbers are compared as the bytes of their UTF-8, never by a collation: one that takes ``a`` for ``A``, pads
with spaces, or is another after an upgrade or an ALTER, would make the bound a resumed read goes on from another bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.mysql_sql import column, dotted
from headwater.ports.chunks import Bound


@dataclass(frozen=True, slots=True)
class Keyset:
    """Cursor and key of a relation called ``t``."""

    cursor: Cursor
    key: tuple[SourceColumn, ...] = ()

    def order(self) -> str:
        """For ORDER BY. Where NULL keys come decides nothing: they make no bounds."""
        return ", ".join([self.cursor.name, *map(_compared, self.key)])

    def up_to(self, bound: Bound) -> str:
        """True for rows up to the bound, false for all others; the cursor alone stands where an index can use it.

        A key with a NULL that an order would have to place comes after all others of its cursor.
        """
        cursor, value = self.cursor.name, self.cursor.value(bound[0])
        if len(bound) == 1:
            return f"{cursor} <= {value}"
        ours = ", ".join(map(_compared, self.key))
        theirs = ", ".join(_bound(item, text) for item, text in zip(self.key, bound[1:], strict=True))
        return f"{cursor} <= {value} AND ({cursor} < {value} OR COALESCE(({ours}) <= ({theirs}), FALSE))"

    def after(self, bound: Bound) -> str:
        """The negation of ``up_to``, of rows whose cursor is not NULL."""
        cursor, value = self.cursor.name, self.cursor.value(bound[0])
        if len(bound) == 1:
            return f"{cursor} > {value}"
        return f"{cursor} >= {value} AND NOT ({self.up_to(bound)})"

    def between(self, window: str, after: Bound | None, upto: Bound | None) -> str:
        """The condition of a chunk; ``window`` is that of all rows, never true for a NULL cursor."""
        parts = [window]
        parts += [self.after(after)] if after is not None else []
        parts += [self.up_to(upto)] if upto is not None else []
        return " AND ".join(f"({part})" for part in parts)

    def nth(self, relation: tuple[str, str], window: str, after: Bound | None, rows: int) -> str:
        """A query for the ``rows``-th row after a bound, and the one that follows it: cursor and key as texts.

        No cursor that no calendar has is a bound: not every server compares with such a constant.
        """
        texts = ", ".join([f"CAST({self.cursor.name} AS CHAR)", *map(_text, self.key)])
        inside = f"{self.between(window, after, None)} AND {self.cursor.is_a_day()}"
        return (
            f"SELECT {texts} FROM {dotted(relation)} AS t WHERE {inside} "  # noqa: S608 - made of quoted names and literals
            f"ORDER BY {self.order()} LIMIT 2 OFFSET {rows - 1}"
        )


def keyset(cursor: Cursor, columns: Sequence[SourceColumn], key: Sequence[str]) -> Keyset:
    """The order of a table: by its cursor, then by the columns of its key that are not the cursor."""
    named = {item.name: item for item in columns}
    return Keyset(cursor, tuple(named[name] for name in key if name != cursor.column.name))


def _compared(item: SourceColumn) -> str:
    if item.is_exact_number:
        return f"{column(item.name)} + 0"
    if item.type == "binary":
        return f"CAST({column(item.name)} AS BINARY)"
    text = column(item.name) if item.is_text else f"CAST({column(item.name)} AS CHAR)"
    return f"CAST(CONVERT({text} USING utf8mb4) AS BINARY)"


def _text(item: SourceColumn) -> str:
    return f"CAST({_compared(item)} AS CHAR)" if item.is_exact_number else f"HEX({_compared(item)})"


def _bound(item: SourceColumn, text: str) -> str:
    return text if item.is_exact_number else f"X'{text}'"

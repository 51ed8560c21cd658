"""The order in which a window is read in chunks, and the bounds between them, in MySQL's SQL.

As in ``postgres.keyset``: each bound is a condition that is true or false of a row, never NULL, and its negation. Keys
that are no numbers are compared as the bytes of their UTF-8, never by a collation: one that takes ``a`` for ``A``, pads
with spaces, or is another after an upgrade or an ALTER, would make the bound a resumed read goes on from another bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headwater.adapters.sources.chunking import bound_of
from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.mysql_sql import column, dotted
from headwater.ports.chunks import Bound

Ask = Callable[[str], Sequence[Sequence[Any]]]


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

    def bound_after(
        self, ask: Ask, relation: tuple[str, str], window: str, after: Bound | None, rows: int
    ) -> Bound | None:
        """The bound ``rows`` rows after another; None where no row follows it.

        It is looked for by the cursor alone, which an index of it answers without the rows, and among the rows of one
        cursor by the key: in an order by both the server would sort all that is left of the window for each chunk.

        :param ask: gives a query's rows. Each may see another moment: what is a bound is one at any of them.
        """
        among = _Rows(self, relation, window)
        ties = among.count_of_cursor(ask, after) if after is not None and len(after) > 1 else 0
        if after is not None and ties >= rows:
            return among.bound_at(ask, after[0], after, rows - 1)
        beyond = f"{window} AND {self.after(after[:1])}" if after is not None else window
        found = bound_of(ask(_Rows(self, relation, beyond).cursor_at(rows - ties)))
        if found is None or not self.key:
            return found
        [[before]] = ask(_Rows(self, relation, beyond).count_below(found[0]))
        return among.bound_at(ask, found[0], None, max(rows - 1 - ties - int(before), 0))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Queries about the rows of a window. No cursor that no calendar has: not every server compares with such a one."""

    keyset: Keyset
    relation: tuple[str, str]
    window: str

    def cursor_at(self, rows: int) -> str:
        """For the cursor of the ``rows``-th row, and of the one that follows it."""
        cursor = self.keyset.cursor.name
        return f"SELECT CAST({cursor} AS CHAR) {self._from} ORDER BY {cursor} LIMIT 2 OFFSET {rows - 1}"

    def count_below(self, cursor: str) -> str:
        """For the number of rows whose cursor is below this one."""
        return f"SELECT COUNT(*) {self._from} AND {self.keyset.cursor.name} < {self.keyset.cursor.value(cursor)}"

    def count_of_cursor(self, ask: Ask, after: Bound) -> int:
        """How many rows with the cursor of a bound come after it."""
        return int(ask(f"SELECT COUNT(*) {self._of_cursor(after[0], after)}")[0][0])

    def bound_at(self, ask: Ask, cursor: str, after: Bound | None, place: int) -> Bound:
        """The bound at this place among the rows with this cursor; the cursor alone where a key has a NULL."""
        keys = self.keyset.key
        found = ask(
            f"SELECT {', '.join(map(_text, keys))} {self._of_cursor(cursor, after)} "
            f"ORDER BY {', '.join(map(_compared, keys))} LIMIT 1 OFFSET {place}"
        )
        return (cursor,) if not found or None in found[0] else (cursor, *found[0])

    def _of_cursor(self, cursor: str, after: Bound | None) -> str:
        beyond = f" AND ({self.keyset.after(after)})" if after is not None else ""
        return f"{self._from} AND {self.keyset.cursor.name} = {self.keyset.cursor.value(cursor)}{beyond}"

    @property
    def _from(self) -> str:
        return f"FROM {dotted(self.relation)} AS t WHERE ({self.window}) AND {self.keyset.cursor.is_a_day()}"


def keyset(cursor: Cursor, columns: Sequence[SourceColumn], key: Sequence[str]) -> Keyset:
    """The order of a table: by its cursor, then by the columns of its key that are not the cursor."""
    named = {item.name: item for item in columns}
    return Keyset(cursor, tuple(named[name] for name in key if name != cursor.column.name))


def _compared(item: SourceColumn) -> str:
    if item.is_exact_number:
        return f"{column(item.name)} + 0"
    if item.type == "binary":
        return f"CAST({column(item.name)} AS BINARY)"
    return f"CAST(CONVERT({item.as_text()} USING utf8mb4) AS BINARY)"


def _text(item: SourceColumn) -> str:
    return f"CAST({_compared(item)} AS CHAR)" if item.is_exact_number else f"HEX({_compared(item)})"


def _bound(item: SourceColumn, text: str) -> str:
    return text if item.is_exact_number else f"X'{text}'"

"""A heap cut into stretches of pages, each read by a session of its own under one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from headwater.adapters.sources.postgres.scanning import first
from headwater.domain.run import Window

if TYPE_CHECKING:
    import duckdb

READERS = 2
SMALLEST_PAGES = 1024
"""8 MB: below it a second session costs more than it saves."""
_ROWS_OF_A_SEGMENT = 10**10
_FIRST_ORDINAL = 10**11
_TID_RANGES_SINCE = 140_000
"""Older servers read the whole heap for any stretch of it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Pages [low, high) of a relation called ``t``; None is its end.

    :param before: the number before its first ordinal; None: that of its place among the stretches.
    :param order: what its rows come in the order of; None: as they lie.
    :param within: of a chunk that several readers share: the condition of the rows of this one.
    :param part: which of them it is.
    """

    number: int = 0
    low: int | None = None
    high: int | None = None
    before: int | None = None
    order: sql.Composable | None = None
    within: sql.Composable | None = None
    part: int = 0

    def condition(self) -> sql.Composable:
        parts: list[sql.Composable] = []
        parts += [sql.SQL("t.ctid >= {}::tid").format(sql.Literal(f"({self.low},0)"))] if self.low else []
        parts += [sql.SQL("t.ctid < {}::tid").format(sql.Literal(f"({self.high},0)"))] if self.high else []
        parts += [sql.SQL("({})").format(self.within)] if self.within is not None else []
        return sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")

    @property
    def name(self) -> str:
        """As it stands in the names of its files."""
        return f"{self.number}" if not self.part else f"{self.number}-{self.part}"

    def ordinal(self, place: str) -> str:
        """SQL of the ordinal of the row at this place, from 1: twelve digits, in the order of the segments."""
        return f"({self.first} + {place})"

    @property
    def first(self) -> int:
        """The number before its first ordinal."""
        return ordinals_from(self.number) if self.before is None else self.before


def ordinals_from(number: int) -> int:
    """The number before the first ordinal of a segment (rule 27); they never meet."""
    return _FIRST_ORDINAL + number * _ROWS_OF_A_SEGMENT


def segments_of(
    engine: duckdb.DuckDBPyConnection, relation: tuple[str, str], window: Window, readers: int = READERS
) -> Sequence[Segment]:
    """One stretch per reader where the whole heap is read anyway, one for all where an index may find the rows."""
    if window.low is not None:
        return (Segment(),)
    found = first(
        engine,
        sql.SQL(
            "SELECT pg_relation_size(oid) / current_setting('block_size')::int AS pages FROM pg_class "
            "WHERE oid = to_regclass({})::oid AND relkind IN ('r', 'm') "
            "AND current_setting('server_version_num')::int >= {}"
        ).format(sql.Literal(sql.Identifier(*relation).as_string()), sql.Literal(_TID_RANGES_SINCE)),
    )
    pages = int(found[0]) if found else 0
    readers = min(readers, pages // SMALLEST_PAGES)
    if readers < 2:
        return (Segment(),)
    cuts = [None, *(pages * place // readers for place in range(1, readers)), None]
    return tuple(Segment(place, cuts[place], cuts[place + 1]) for place in range(readers))

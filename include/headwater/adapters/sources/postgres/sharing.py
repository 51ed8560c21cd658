"""A chunk that several readers share: stretches of its order, cut where the number of rows before is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from psycopg import sql

from headwater.adapters.sources.chunking import bound_of
from headwater.adapters.sources.postgres.keyset import Keyset
from headwater.adapters.sources.postgres.scanning import query
from headwater.adapters.sources.postgres.segments import Segment
from headwater.adapters.sources.postgres.work import Read
from headwater.ports.chunks import Bound

if TYPE_CHECKING:
    import duckdb


def shared(
    engine: duckdb.DuckDBPyConnection,
    work: Read,
    keyset: Keyset,
    window: sql.Composable,
    after: Bound | None,
    rows: int,
    number: int,
    start: int,
) -> tuple[Sequence[Segment], Bound | None]:
    """What each reader reads of the chunk of so many rows after a bound, and the bound the chunk ends at.

    Rows that cursor and key do not tell apart are never divided, and how many lie before a cut must be known, for
    positions are counted on from there (rule 27). Where a cut would be among such rows, one reader reads it all.

    :param start: the number before the chunk's first ordinal.
    """
    readers = min(work.extract.readers or 1, rows)
    sizes = [rows // readers + (place < rows % readers) for place in range(readers)]
    bounds: list[Bound | None] = [after]
    for size in sizes:
        found = _nth(engine, work, keyset, window, bounds[-1], size)
        bounds.append(bound_of(found))
        if bounds[-1] is None:
            break
        if len(bounds) <= readers and not _is_clean(found):
            bounds = [after, bound_of(_nth(engine, work, keyset, window, after, rows))]
            break
    order, first = keyset.order(), start
    segments = []
    for part, (low, high) in enumerate(pairwise(bounds)):
        within = keyset.between(sql.SQL("true"), low, high) if len(bounds) > 2 else None
        segments.append(Segment(number, before=first, order=order, within=within, part=part))
        first += sizes[part]
    return tuple(segments), bounds[-1]


def _nth(
    engine: duckdb.DuckDBPyConnection,
    work: Read,
    keyset: Keyset,
    window: sql.Composable,
    after: Bound | None,
    rows: int,
) -> Sequence[Sequence[str | None]]:
    asked = keyset.nth(work.relation, window, after, rows)
    return engine.execute(f"SELECT * FROM {query(asked)}").fetchall()  # noqa: S608 - made of quoted names and literals


def _is_clean(found: Sequence[Sequence[str | None]]) -> bool:
    """Whether the rows up to the first of two are exactly those counted."""
    return None not in found[0] and list(found[0]) != list(found[1])

"""A chunk that several readers share: stretches of its order, cut where the number of rows before is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Sharing:
    """A window in the order of its keyset, looked at in one snapshot to cut its chunks among readers.

    :param window: the rows of the window, whose chunks are taken one after the other.
    """

    engine: duckdb.DuckDBPyConnection
    work: Read
    keyset: Keyset
    window: sql.Composable

    def cut(self, after: Bound | None, rows: int, number: int, start: int) -> tuple[Sequence[Segment], Bound | None]:
        """What each reader reads of the chunk of so many rows after a bound, and the bound the chunk ends at.

        Rows that cursor and key do not tell apart are never divided, and how many lie before a cut must be known, for
        positions are counted on from there (rule 27). Where a cut would be among such rows, one reader reads it all.

        :param start: the number before the chunk's first ordinal.
        """
        readers = min(self.work.extract.readers or 1, rows)
        sizes = [rows // readers + (place < rows % readers) for place in range(readers)]
        bounds: list[Bound | None] = [after]
        for size in sizes:
            found = self._nth(bounds[-1], size)
            bounds.append(bound_of(found))
            if bounds[-1] is None:
                break
            if len(bounds) <= readers and not _is_clean(found):
                bounds = [after, bound_of(self._nth(after, rows))]
                break
        order, first = self.keyset.order(), start
        segments = []
        for part, (low, high) in enumerate(pairwise(bounds)):
            within = self.keyset.between(sql.SQL("true"), low, high) if len(bounds) > 2 else None
            segments.append(Segment(number, before=first, order=order, within=within, part=part))
            first += sizes[part]
        return tuple(segments), bounds[-1]

    def _nth(self, after: Bound | None, rows: int) -> Sequence[Sequence[str | None]]:
        asked = self.keyset.nth(self.work.relation, self.window, after, rows)
        return self.engine.execute(f"SELECT * FROM {query(asked)}").fetchall()  # noqa: S608 - made of quoted names and literals


def _is_clean(found: Sequence[Sequence[str | None]]) -> bool:
    """Whether the rows up to the first of two are exactly those counted."""
    return None not in found[0] and list(found[0]) != list(found[1])

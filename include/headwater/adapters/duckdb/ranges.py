"""Ranges of a release's rows by their cursor, printed by DuckDB over the pinned snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from headwater.adapters.duckdb.canonical import Relation
from headwater.adapters.duckdb.fingerprints import ASKED, DuckDbRows, opened
from headwater.adapters.sources.printing import summed
from headwater.domain.spec import TableSpec
from headwater.domain.storage import S3Settings
from headwater.ports.offloading import CursorRange, RangePrint
from headwater.ports.reconciling import Comparison, ReleasedRows


@contextmanager
def released_ranges(released: ReleasedRows, table: TableSpec, s3: S3Settings | None = None) -> Iterator[DuckDbRanges]:
    """The rows of a release, whose snapshots nobody moves while they are read."""
    with opened(s3) as engine:
        yield DuckDbRanges(engine, released, table)


class DuckDbRanges(DuckDbRows):
    """``ports.offloading.RangedLake``."""

    def print_of(self, compared: Comparison, item: CursorRange) -> RangePrint:
        rows = self._ranged(compared, item)
        halves = (f"sum(('0x' || digest[{place}])::UBIGINT)::VARCHAR" for place in ("1:16", "17:32"))
        found = self._engine.execute(
            f"SELECT count(*), {', '.join(halves)} "  # noqa: S608 - made of quoted names and literals
            f"FROM (SELECT {rows.digest(compared.columns)} AS digest FROM ({rows.select}) b)"
        ).fetchone()
        count, upper, lower = found or (0, None, None)
        return RangePrint(int(count), summed(upper, lower))

    def count_missing(self, compared: Comparison, item: CursorRange, digests: Iterable[str]) -> int:
        rows = self._ranged(compared, item)
        self._load(ASKED, digests)
        found = self._engine.execute(
            f"SELECT count(*) FROM {ASKED} WHERE digest NOT IN "  # noqa: S608 - made of quoted names and literals
            f"(SELECT {rows.digest(compared.columns)} FROM ({rows.select}) b)"
        ).fetchone()
        return int(found[0]) if found else 0

    def _ranged(self, compared: Comparison, item: CursorRange) -> Relation:
        ordinal = self._current.ordinal(compared.cursor)
        above = "" if item.above is None else f"{ordinal} > {item.above} AND "
        return self._current.where(f"{above}{ordinal} <= {item.upto}")

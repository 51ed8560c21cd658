"""Moving the rows of a window from PostgreSQL into Parquet: one consistent snapshot, exact values, bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.engine import make_room, writer
from headwater.adapters.sources import parquet
from headwater.adapters.sources.digest import digested
from headwater.adapters.sources.postgres.by_value import read_by_value
from headwater.adapters.sources.postgres.carry import Carried, carry
from headwater.adapters.sources.postgres.cursors import Cursor, zone_digest
from headwater.adapters.sources.postgres.scanning import first, one_snapshot
from headwater.adapters.sources.postgres.setting_aside import set_aside
from headwater.adapters.sources.postgres.splitting import Split, split
from headwater.adapters.sources.postgres.work import Read
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import Extracted
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    import duckdb

WIDE = 100
"""Columns above which a row group of DuckDB's usual size does not fit its usual memory."""


def read(work: Read, progress: Callable[[str], None]) -> Extracted:
    """Read the window. All queries see one snapshot of the source (repeatable read), whatever changes meanwhile.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside; no file is left then.
    :raises duckdb.Error: when the source fails; its text may hold the password.
    """
    parts = split(work.table, work.extract, work.columns, work.window)
    failpoint("extract.reading")
    with writer() as engine, one_snapshot(engine, work.connection):
        taken = read_by_value(engine, work, parts) if work.judged else _carried(engine, work, parts)
        progress(f"{work.table.name}: {taken.rows:,} rows in {len(taken.files)} files, {taken.rejected:,} set aside")
        failpoint("extract.files")
        return digested(engine, work.schema, taken, work.window, window_digest(engine, work))


def _carried(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> Extracted:
    if len(work.columns) > WIDE:
        make_room(engine, len(work.columns))
    carried = carry(engine, work, parts)
    failpoint("extract.mid")
    rejects = _judged(engine, work, parts, carried)
    return Extracted.of(carried.files, rejects)


def _judged(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, carried: Carried) -> tuple[DataFile, ...]:
    try:
        return set_aside(engine, work, parts, carried)
    except BaseException:
        parquet.delete(carried.files)
        raise


def window_digest(engine: duckdb.DuckDBPyConnection, work: Read) -> str | None:
    """Digest of the lag zone as it is now, of a window that moves the watermark; else None."""
    window = work.window
    if not window.advances_watermark or window.high is None:
        return None
    cursor = Cursor(next(column for column in work.columns if column.name == work.extract.cursor))
    lag_seconds = int(work.extract.lag.total_seconds())
    # where the plan met no unusable cursor none was looked for: one that came since makes the next plan's digest differ
    unusable = None if window.null_cursors or window.future_cursors else (0, 0)
    return str(first(engine, zone_digest(cursor, work.relation, window.high, lag_seconds, unusable))[0])

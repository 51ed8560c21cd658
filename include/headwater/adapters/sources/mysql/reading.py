"""Moving the rows of a window into Parquet: one statement, one moment of the source; exact values, bounded memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.engine import make_room, writer
from headwater.adapters.duckdb.sql import constant, literal
from headwater.adapters.sources import parquet
from headwater.adapters.sources.digest import digested
from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.judging import Fault, faults, is_unfit
from headwater.adapters.sources.mysql.scanning import attach, query
from headwater.adapters.sources.mysql.setting_aside import set_aside
from headwater.adapters.sources.mysql.watching import watched
from headwater.adapters.sources.mysql.work import Read
from headwater.adapters.sources.refusing import redact
from headwater.adapters.sources.windows import zone_left
from headwater.domain.errors import SourceDataError
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import Extracted
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    import duckdb

WIDE = 100
"""Columns above which a row group of DuckDB's usual size does not fit its usual memory."""
FIRST_ORDINAL = 10**11 + 1
"""Of twelve digits, so that positions have one width without being filled up (rule 27)."""
SEEN, LEFT_OUT = "seen", "left_out"
"""Sequences that step once per row met, and per row left out: a COPY tells only how many rows it wrote."""


class BrokenOffError(Exception):
    """A statement's rows ended early. :param reason: what the reader said, without credentials."""

    def __init__(self, work: Read, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.work, self.reason, self.seconds = work, reason, seconds


def read(work: Read, progress: Callable[[str], None]) -> Extracted:
    """Read the window.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside; no file is left then.
    :raises BrokenOffError: when the source fails.
    """
    failpoint("extract.reading")
    for line in warnings(work):
        progress(line)
    # before the rows: what is committed in between is read now, and found again by the next plan
    reading = work.reading()
    zone = zone_left(reading, work.window) if reading else None
    taken = Extracted.of(*take(work, progress))
    progress(f"{work.table.name}: {taken.rows:,} rows in {len(taken.files)} files, {taken.rejected:,} set aside")
    failpoint("extract.files")
    with writer() as engine:
        make_room(engine, max(len(work.columns) - WIDE, 0))
        return digested(engine, work.schema, taken, work.window, zone)


def take(work: Read, progress: Callable[[str], None]) -> tuple[tuple[DataFile, ...], tuple[DataFile, ...]]:
    """Files of the rows of a window or of one chunk of it, and of those set aside.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside; no file is left then.
    :raises BrokenOffError: when the source fails.
    """
    import duckdb

    started = time.monotonic()
    try:
        return _taken(work, progress)
    except duckdb.Error as error:
        # what it says quotes the whole statement
        raise BrokenOffError(work, redact(str(error), work.connection), time.monotonic() - started) from None


def _taken(work: Read, progress: Callable[[str], None]) -> tuple[tuple[DataFile, ...], tuple[DataFile, ...]]:
    with tempfile.TemporaryDirectory(prefix="headwater-mysql-") as scratch, writer() as engine:
        make_room(engine, max(len(work.columns) - WIDE, 0))
        # the rows come one after the other, and a second thread would only wait for them
        engine.execute("SET threads = 1")
        engine.execute(f"CREATE SEQUENCE {LEFT_OUT}")
        attach(engine, work.connection)
        with watched(engine, work, progress):
            return _carry(engine, work, Path(scratch))


def warnings(work: Read) -> Iterator[str]:
    """What is worth knowing of the table before it is read."""
    for column in work.columns:
        if column.name in work.table.key and column.ignores_case:
            yield (
                f"{work.table.name}: key {column.name} has collation {column.collation}: what the source takes for one "
                "key, however it is written, is several keys here"
            )


def _carry(
    engine: duckdb.DuckDBPyConnection, work: Read, scratch: Path
) -> tuple[tuple[DataFile, ...], tuple[DataFile, ...]]:
    """Files of rows, and of rejects.

    Most windows hold no unfit row: their rows go straight into finished files. Where some were left out, all rows are
    read once more into a file that can be looked at twice: two statements would see two moments of the source.
    """
    found = faults(work)
    arriving = _arriving(work)
    first = FIRST_ORDINAL if work.part is None else work.part.first_ordinal
    engine.execute(f"CREATE SEQUENCE {SEEN} START {first}")
    if not work.asks_for_cursors:
        files = _write(engine, work, found, f"({arriving})")
        failpoint("extract.mid")
        if _step(engine, LEFT_OUT) == 1:
            return files, ()
        parquet.delete(files)
    kept = literal(str(scratch / "arrived.parquet"))
    engine.execute(f"CREATE OR REPLACE SEQUENCE {SEEN} START {first}")
    engine.execute(
        f"COPY ({arriving}) TO {kept} "
        f"(FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE {parquet.ROWS_IN_GROUP}, "
        f"ROW_GROUP_SIZE_BYTES '{parquet.ROW_GROUP_SIZE}')"
    )
    files = _write(engine, work, found, f"read_parquet({kept})")
    failpoint("extract.mid")
    try:
        return files, set_aside(engine, work, found, f"read_parquet({kept})")
    except SourceDataError:
        parquet.delete(files)
        raise


def _arriving(work: Read) -> str:
    """The rows with their ordinals, and what is parsed of each."""
    arrivals = ((column, work.arrivals[column.name]) for column in work.columns)
    parsed = [text for column, arrived in arrivals if (text := column.parsed(arrived)) is not None]
    source, ordinal = query(work.select(), work.session, work.connection), f"nextval('{SEEN}') AS ordinal"
    return f"SELECT {', '.join([ordinal, '*', *parsed])} FROM {source}"  # noqa: S608 - made of quoted names and literals


def _write(engine: duckdb.DuckDBPyConnection, work: Read, found: list[Fault], source: str) -> tuple[DataFile, ...]:
    as_value = SourceColumn.value_or_null if work.extract.non_finite == "null" else SourceColumn.value
    values = {column.name: as_value(column, work.arrivals[column.name]) for column in work.columns}
    system = parquet.system_columns(work.stamp, constant(work.origin), "0")
    system |= {"_hw_position": parquet.position(work.stamp, "ordinal::VARCHAR")}
    fit = f"{source} WHERE CASE WHEN {is_unfit(found)} THEN nextval('{LEFT_OUT}') < 0 ELSE true END"
    files = parquet.write_rows(engine, work.schema, values | system, fit, work.folder, work.stem)
    failpoint("extract.batch")
    return files


def _step(engine: duckdb.DuckDBPyConnection, sequence: str) -> int:
    row = engine.execute(f"SELECT nextval('{sequence}')").fetchone()
    return int(row[0]) if row else 0

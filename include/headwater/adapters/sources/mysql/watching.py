"""Telling, while a long read goes on, how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.sources import parquet
from headwater.adapters.sources.mysql.mysql_sql import literal
from headwater.adapters.sources.mysql.work import Read

if TYPE_CHECKING:
    import duckdb

EVERY_SECONDS = 30.0


@contextmanager
def watched(engine: duckdb.DuckDBPyConnection, work: Read, progress: Callable[[str], None]) -> Iterator[None]:
    """Report rows, bytes, share and time left every ``EVERY_SECONDS`` while the block runs."""
    expected, done = _expected_rows(work), threading.Event()
    reporter = engine.cursor()
    started = time.monotonic()

    def report() -> None:
        while not done.wait(EVERY_SECONDS):
            progress(told(work, rows_seen(reporter), expected, time.monotonic() - started))

    thread = threading.Thread(target=report, name="headwater-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        reporter.close()


def rows_seen(reporter: duckdb.DuckDBPyConnection) -> int:
    """How many rows arrived so far."""
    query = "SELECT last_value - start_value + 1 FROM duckdb_sequences() WHERE sequence_name = 'seen'"
    row = reporter.execute(query).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def told(work: Read, rows: int, expected: int | None, seconds: float) -> str:
    """One line. The share is of the server's own estimate, and only of whole relations."""
    size = sum(path.stat().st_size for path in Path(parquet.local(work.folder)).glob(f"{work.stamp.attempt}-*"))
    line = f"{work.table.name}: {rows:,} rows so far, {size / 1_000_000:,.1f} MB written, {seconds:,.0f} s"
    if not expected or not rows:
        return line
    share = min(rows / expected, 0.99)
    return f"{line}, about {share:.0%}, {seconds / share - seconds:,.0f} s left"


def _expected_rows(work: Read) -> int | None:
    if work.window.low is not None or work.part is not None:
        return None
    database, name = map(literal, work.relation)
    found = work.session.one(
        f"SELECT table_rows FROM information_schema.tables WHERE table_schema = {database} AND table_name = {name}"  # noqa: S608 - made of literals
    )
    return None if found is None else int(found)

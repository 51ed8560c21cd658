"""An embedded DuckDB with bounded memory and no network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

THREADS = 2
_BASE_MB, _MB_PER_COLUMN, _MB_PER_READER = 200, 1, 64


@contextmanager
def writer() -> Iterator[duckdb.DuckDBPyConnection]:
    """A private DuckDB in memory that never reaches for the network."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="headwater-duckdb-") as spill:
        connection = duckdb.connect(
            config={
                "temp_directory": spill,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": f"{_BASE_MB}MB",
                "threads": str(THREADS),
            }
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()


def make_room(engine: duckdb.DuckDBPyConnection, columns: int) -> None:
    """Let wide tables have the buffers that each of their columns needs, and large values go as soon as they came.

    The order of rows in the files means nothing: each carries its position.
    """
    engine.execute("SET preserve_insertion_order = false")
    _allow(engine, columns)


def room_for(engine: duckdb.DuckDBPyConnection, readers: int, columns: int) -> None:
    """Let more readers than there are threads have the row groups that each of them fills."""
    if readers > THREADS:
        _allow(engine, columns, (readers - THREADS) * _MB_PER_READER)


def _allow(engine: duckdb.DuckDBPyConnection, columns: int, more_megabytes: int = 0) -> None:
    engine.execute(f"SET memory_limit = '{_BASE_MB + columns * _MB_PER_COLUMN + more_megabytes}MB'")

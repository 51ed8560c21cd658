"""Released snapshots as relations of DuckDB's."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headwater.adapters.sources.duckdb_sql import literal
from headwater.domain.release import ReleasedTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def load_iceberg(connection: DuckDBPyConnection) -> None:
    """Load what reads Iceberg, from the installed wheels."""
    row = connection.execute("SELECT library_version FROM pragma_version()").fetchone()
    version = str(row[0]).removeprefix("v") if row else ""
    for name in ("avro", "iceberg"):
        place = files(f"duckdb_extension_{name}") / "extensions" / f"v{version}"
        connection.execute(f"LOAD {literal(str(place / f'{name}.duckdb_extension'))}")


def scan_of(item: ReleasedTable) -> str:
    """The rows of exactly this snapshot, as a table function to select from."""
    return f"iceberg_scan({literal(path_of(item.metadata_location))}, snapshot_from_id => {int(item.snapshot_id)})"


def columns_of(connection: DuckDBPyConnection, scan: str) -> dict[str, str]:
    """Name -> DuckDB type of a scan's columns."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()  # noqa: S608 - a scan of our own
    return {str(row[0]): str(row[1]) for row in described}


def path_of(location: str) -> str:
    """The place as DuckDB opens it."""
    return urlsplit(location).path if location.startswith("file:") else location

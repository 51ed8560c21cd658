"""Released snapshots as relations of DuckDB's."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headwater.adapters.duckdb.sql import literal
from headwater.domain.release import ReleasedTable
from headwater.domain.storage import S3Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def load_iceberg(connection: DuckDBPyConnection, s3: S3Settings | None = None) -> None:
    """Load what reads Iceberg, from the installed wheels, and let it into the buckets of a warehouse in S3."""
    if s3 is None:
        _load(connection, "avro", "iceberg")
        return
    _load(connection, "avro", "httpfs", "iceberg", *(() if s3.has_key else ("aws",)))
    # DuckDB asks nobody for a certificate unless told to
    connection.execute("SET enable_server_cert_verification = true")
    if s3.ca_file is not None:
        connection.execute(f"SET ca_cert_file = {literal(s3.ca_file)}")
    options = ", ".join(f"{name} {value}" for name, value in _secret(s3).items())
    connection.execute(f"CREATE SECRET warehouse (TYPE s3, {options})")


def _secret(s3: S3Settings) -> dict[str, str]:
    found = {"REGION": s3.region}
    if s3.has_key:
        found |= {"KEY_ID": s3.access_key_id.get_secret_value(), "SECRET": s3.secret_access_key.get_secret_value()}
        found |= {"SESSION_TOKEN": token} if (token := s3.session_token.get_secret_value()) else {}
    else:
        found["PROVIDER"] = "credential_chain"
    if s3.endpoint is not None:
        found |= {"ENDPOINT": urlsplit(s3.endpoint).netloc, "URL_STYLE": "path" if s3.by_path else "vhost"}
    encrypted = s3.endpoint is None or s3.endpoint.startswith("https://")
    return {name: literal(value) for name, value in found.items()} | {"USE_SSL": str(encrypted)}


def _load(connection: DuckDBPyConnection, *names: str) -> None:
    row = connection.execute("SELECT library_version FROM pragma_version()").fetchone()
    version = str(row[0]).removeprefix("v") if row else ""
    for name in names:
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

"""The digest of a whole extract: equal content appends nothing (rule 28)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from headwater.adapters.sources.duckdb_sql import literal, quoted
from headwater.adapters.sources.parquet import local, source_columns
from headwater.domain.schema import TableSchema
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import duckdb

DIGEST_VERSION = "content-v1"


def content_digest(
    connection: duckdb.DuckDBPyConnection, schema: TableSchema, files: Sequence[DataFile], rejects: Sequence[DataFile]
) -> str:
    """sha256 over the rows' content, independent of their order (rule 28): sums of 128-bit hashes of whole rows."""
    columns = source_columns(schema)
    parts = [DIGEST_VERSION, *(f"{column.name}\0{column.type}" for column in columns)]
    parts += _sums(connection, [column.name for column in columns], files)
    parts += _sums(connection, ["_hw_payload"], rejects)
    return sha256("\n".join(parts).encode()).hexdigest()


def _sums(connection: duckdb.DuckDBPyConnection, names: Sequence[str], files: Sequence[DataFile]) -> list[str]:
    if not files:
        return ["0"]
    texts = (f"coalesce(length({quoted(n)}::VARCHAR) || ':' || {quoted(n)}::VARCHAR, '-')" for n in names)
    paths = ", ".join(literal(local(file.path)) for file in files)
    row = connection.execute(
        f"SELECT count(*), sum(md5_number_lower(content)), sum(md5_number_upper(content)) "  # noqa: S608 - made of quoted names and literals
        f"FROM (SELECT {' || '.join(texts)} AS content FROM read_parquet([{paths}]))"
    ).fetchone()
    return [] if row is None else [str(value) for value in row]

"""The digest of a whole extract: equal content appends nothing (rule 28)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.parquet import delete, local, source_columns
from headwater.domain.run import Window
from headwater.domain.schema import TableSchema
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import Extracted

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


def digested(
    connection: duckdb.DuckDBPyConnection, schema: TableSchema, taken: Extracted, window: Window, zone: str | None
) -> Extracted:
    """What was read of a window, with all the next plan has to know of it.

    :param zone: digest of the lag zone, of an incremental window that moves the watermark.
    """
    if window.kind == "snapshot":
        return unless_equal(connection, schema, taken, window.digest)
    watermark = window.high if window.advances_watermark else None
    return taken.model_copy(update={"digest": zone, "watermark": watermark})


def unless_equal(
    connection: duckdb.DuckDBPyConnection, schema: TableSchema, taken: Extracted, known: str | None
) -> Extracted:
    """A whole extract with its digest; of content that is known already no file is left (rule 28)."""
    digest = content_digest(connection, schema, taken.files, taken.rejects)
    if digest != known:
        return taken.model_copy(update={"digest": digest})
    delete([*taken.files, *taken.rejects])
    return Extracted(digest=digest)


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

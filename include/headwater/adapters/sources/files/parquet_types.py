"""Columns of a Parquet file or a Delta table in the types of Iceberg, for a new source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.files.samples import MOST_RECORDS, UnreadableSampleError
from headwater.adapters.sources.files.typing_samples import unique_columns

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    "BOOLEAN": "boolean",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"), "int"),
    **dict.fromkeys(("BIGINT", "UINTEGER"), "long"),
    "UBIGINT": "decimal(20,0)",
    "HUGEINT": "decimal(38,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    **dict.fromkeys(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"), "timestamptz"),
    "BLOB": "binary",
}
_DECIMAL = re.compile(r"decimal\(\d+,\d+\)")
_OF_DELTA = {
    **dict.fromkeys(("byte", "short", "integer"), "int"),
    **{kind: kind for kind in ("boolean", "long", "float", "double", "date", "binary")},
    "timestamp": "timestamptz",
    "timestamp_ntz": "timestamp",
}


def columns_of_parquet(engine: duckdb.DuckDBPyConnection, local: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Types by name, and the columns that tell its first records apart.

    :raises UnreadableSampleError: when it is no Parquet file.
    """
    import duckdb

    source = f"read_parquet({literal(str(local))}, hive_partitioning=false)"
    try:
        described = engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - a literal path
        types = {str(row[0]): iceberg_type(str(row[1])) for row in described}
        texts = ", ".join(f"{quoted(name)}::VARCHAR AS c{place}" for place, name in enumerate(types))
        first = f"(SELECT {texts} FROM {source} LIMIT {MOST_RECORDS})"  # noqa: S608 - quoted names
        return types, unique_columns(engine, first, list(types), list(types.values()))
    except duckdb.Error as error:
        raise UnreadableSampleError("its newest file is no Parquet file that can be read") from error


def iceberg_type(found: str) -> str:
    """What a type of DuckDB's becomes; nested ones are texts of JSON."""
    decimal = found.lower()
    return decimal if _DECIMAL.fullmatch(decimal) else _TYPES.get(found, "string")


def columns_of_delta(fields: Mapping[str, str]) -> dict[str, str]:
    """:param fields: the types of a Delta table's log by column."""
    return {name: kind if _DECIMAL.fullmatch(kind) else _OF_DELTA.get(kind, "string") for name, kind in fields.items()}

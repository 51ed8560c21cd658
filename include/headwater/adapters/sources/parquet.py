"""Finished Parquet files with the columns and field ids of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import constant, duckdb_type, literal, quoted
from headwater.domain.run import position_prefix
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, QUARANTINE_COLUMNS, Column, TableSchema
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import BatchStamp

if TYPE_CHECKING:
    import duckdb

FILE_BYTES = 256_000_000
ROW_GROUP_SIZE = "16MB"
ROWS_IN_GROUP = 122_880
"""Two writers of so many rows at once stay under 400 MB with 20 columns (docs/adr, 10)."""
DICTIONARY_ENTRIES = 4096
"""Of a column and row group. DuckDB's default, a fifth of the group's rows, hashes far more of a unique column."""
_NARROW = 100
"""Columns up to which dictionaries get that limit: a stated one takes its memory at once, for every column."""
_SYSTEM = frozenset(column.name for column in BRONZE_SYSTEM_COLUMNS)


def source_columns(schema: TableSchema) -> tuple[Column, ...]:
    """The columns of a bronze schema that come from the source."""
    return tuple(column for column in schema.columns if column.name not in _SYSTEM)


def system_columns(stamp: BatchStamp, origin: str, ordinal: str) -> dict[str, str]:
    """SQL of the bronze system columns (rule 26), in their types. ``origin`` and ``ordinal`` are SQL expressions."""
    return {
        "_hw_batch": f"{stamp.batch}::BIGINT",
        "_hw_run_key": constant(stamp.run_key),
        "_hw_extracted_at": f"TIMESTAMPTZ {literal(stamp.planned_at.isoformat())}",
        "_hw_op": constant("r"),
        "_hw_position": position(stamp, f"lpad(({ordinal})::VARCHAR, 12, '0')"),
        "_hw_origin": origin,
    }


def position(stamp: BatchStamp, ordinal: str) -> str:
    """SQL of a row's position (rule 27); ``ordinal`` is SQL of twelve digits."""
    return f"{literal(position_prefix(stamp.planned_at))} || {ordinal}"


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    schema: TableSchema,
    values: Mapping[str, str],
    source: str,
    folder: str,
    stem: str,
) -> tuple[DataFile, ...]:
    """Write one row per row of ``source``, with the columns, types and field ids of ``schema``.

    :param values: column -> SQL expression over ``source``.
    :param stem: start of the files' names; carries the attempt (rule 12).
    """
    items = (f"{_typed(c, values[c.name])} AS {quoted(c.name)}" for c in schema.columns)
    ids = ", ".join(f"{quoted(column.name)}: {column.field_id}" for column in schema.columns)
    select = f"SELECT {', '.join(items)} FROM {source}"  # noqa: S608 - identifiers are quoted, values are literals
    dictionaries = f"DICTIONARY_SIZE_LIMIT {DICTIONARY_ENTRIES}, " if len(schema.columns) <= _NARROW else ""
    return _copy(connection, select, f"{dictionaries}FIELD_IDS {{{ids}}}", folder, stem)


def write_rejects(
    connection: duckdb.DuckDBPyConnection,
    stamp: BatchStamp,
    table: str,
    source: str,
    folder: str,
    ordinal: str,
    stem: str | None = None,
) -> tuple[DataFile, ...]:
    """Write quarantine rows from ``source``, which has text columns ``rules, reason, payload, key, origin``.

    ``ordinal`` is SQL for the place among all rows of the batch, carried ones included (rule 27).

    Field ids are the places in ``QUARANTINE_COLUMNS``, which is how a table made of them numbers its columns.
    """
    system = system_columns(stamp, "origin", ordinal)
    values = {
        "_hw_id": f"sha256({literal(table)} || '|' || payload || '|' || origin)",
        "_hw_table": literal(table),
        "_hw_reason": "reason",
        "_hw_rules": "rules",
        "_hw_payload": "payload",
        "_hw_key": "key",
        "_hw_detected_at": system["_hw_extracted_at"],
        **{name: system[name] for name in ("_hw_position", "_hw_batch", "_hw_run_key", "_hw_origin")},
    }
    numbered = (column.model_copy(update={"field_id": place}) for place, column in enumerate(QUARANTINE_COLUMNS, 1))
    schema = TableSchema(columns=tuple(numbered))
    return write_rows(connection, schema, values, source, folder, stem or f"{stamp.attempt}-rejects")


def delete(files: Sequence[DataFile]) -> None:
    """Remove files that will not be committed."""
    for file in files:
        Path(local(file.path)).unlink(missing_ok=True)


def local(path: str) -> str:
    """The path DuckDB writes to."""
    return path.removeprefix("file://")


def _typed(column: Column, value: str) -> str:
    # system columns have their types, and a cast would make a constant of one dictionary entry a string per row again
    return f"({value})" if column.name in _SYSTEM else f"({value})::{duckdb_type(column.type)}"


def _copy(
    connection: duckdb.DuckDBPyConnection, select: str, options: str, folder: str, stem: str
) -> tuple[DataFile, ...]:
    target = Path(local(folder))
    target.mkdir(parents=True, exist_ok=True)
    ordered = connection.execute("SELECT current_setting('preserve_insertion_order')").fetchone()
    # DuckDB bounds row groups by bytes, whatever the size of single values, only where rows may change their order
    bounded = "" if ordered is None or ordered[0] else f"ROW_GROUP_SIZE_BYTES '{ROW_GROUP_SIZE}', "
    copied = connection.execute(
        f"COPY ({select}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
        f"ROW_GROUP_SIZE {ROWS_IN_GROUP}, "
        f"{options}, FILE_SIZE_BYTES {FILE_BYTES}, "
        f"{bounded}FILENAME_PATTERN {literal(stem + '-{i}')}, OVERWRITE_OR_IGNORE true, RETURN_FILES true)"
    ).fetchone()
    names = sorted(copied[1]) if copied else []
    files = tuple(_data_file(connection, folder, Path(name)) for name in names)
    delete([file for file in files if not file.rows])
    return tuple(file for file in files if file.rows)


def _data_file(connection: duckdb.DuckDBPyConnection, folder: str, path: Path) -> DataFile:
    counted = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchone()
    rows = int(counted[0]) if counted else 0
    return DataFile(path=f"{folder.rstrip('/')}/{path.name}", rows=rows, size_bytes=path.stat().st_size)

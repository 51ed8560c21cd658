"""Files that Arrow writes are those that DuckDB would write: columns, types, field ids, system columns, positions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources import parquet, typed_rows
from headwater.adapters.sources.batch_files import BatchFiles
from headwater.adapters.sources.typed_rows import TypedRows
from headwater.adapters.sources.typed_texts import typing_of
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, Column, TableSchema
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import BatchStamp

VALUES = {
    "boolean": "true", "int": "1", "long": "1", "float": "0.1", "double": "0.1", "decimal(5,2)": "1.25",
    "decimal(18,2)": "1.25", "decimal(38,2)": "1.25", "date": "2013-01-01", "timestamp": "2013-01-01 05:06:07",
    "timestamptz": "2013-01-01 05:06:07Z", "string": "a",
}  # fmt: skip
STAMP = BatchStamp(run_key="i/f/r", planned_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), batch=7, attempt="a")
SHAPE = "name, type, type_length, repetition_type, scale, precision, field_id"


def schema(*kinds: str) -> TableSchema:
    columns = (*(Column(name=f"c{place}", type=kind) for place, kind in enumerate(kinds)), *BRONZE_SYSTEM_COLUMNS)
    return TableSchema(columns=tuple(c.model_copy(update={"field_id": n}) for n, c in enumerate(columns, 1)))


def asked(sql: str, path: str) -> list[Any]:
    with duckdb.connect() as engine:
        return engine.execute(sql, [path]).fetchall()


def by_arrow(folder: Path, *columns: tuple[int, list[pa.Array]], kinds: tuple[str, ...]) -> tuple[DataFile, ...]:
    with TypedRows(BatchFiles("x", STAMP, schema(*kinds), str(folder))) as rows:
        for ordinal, arrays in columns:
            rows.add(arrays, "landing:a.csv", ordinal)
        return rows.finish()


def test_rows_and_shape_are_those_of_duckdb(tmp_path: Path) -> None:
    columns = [convert(pa.array([text, None])) for kind, text in VALUES.items() if (convert := typing_of(kind, kind))]
    [ours] = by_arrow(tmp_path, (999, columns), kinds=tuple(VALUES))
    source = "(SELECT unnest([999, 1000]) AS ordinal, unnest([true, false]) AS there)"
    values = {f"c{place}": f"CASE WHEN there THEN '{text}' END" for place, text in enumerate(VALUES.values())}
    with writer() as engine:
        system = parquet.system_columns(STAMP, "'landing:a.csv'", "ordinal")
        [its] = parquet.write_rows(engine, schema(*VALUES), values | system, source, str(tmp_path), "y")
    for sql in ("SELECT * FROM read_parquet(?) ORDER BY _hw_position",
                f"SELECT {SHAPE} FROM parquet_schema(?) WHERE field_id IS NOT NULL"):  # fmt: skip
        assert asked(sql, ours.path) == asked(sql, its.path)
    assert (ours.rows, ours.size_bytes) == (2, Path(ours.path).stat().st_size)


def test_positions_follow_each_other_over_blocks_and_thousands(tmp_path: Path) -> None:
    counts = [1, 998, 1001, 3000, 2]
    blocks = [(1 + sum(counts[:place]), [pa.array(["a"] * count)]) for place, count in enumerate(counts)]
    [file] = by_arrow(tmp_path, *blocks, kinds=("string",))
    positions = [row[0] for row in asked("SELECT _hw_position FROM read_parquet(?)", file.path)]
    assert positions == [f"0000-1767323045678901-{ordinal:012d}" for ordinal in range(1, sum(counts) + 1)]


def test_only_what_recurs_gets_a_dictionary(tmp_path: Path) -> None:
    columns = [pa.array(map(str, range(20_000))), pa.array(["a", "b"] * 10_000)]
    [file] = by_arrow(tmp_path, (1, columns), kinds=("string", "string"))
    group = pq.read_metadata(file.path).row_group(0)
    assert ["RLE_DICTIONARY" in group.column(place).encodings for place in (0, 1)] == [False, True]


def test_large_reads_make_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_rows, "FILE_BYTES", 1)
    monkeypatch.setattr(typed_rows, "ROWS_IN_GROUP", 10)
    files = by_arrow(tmp_path, *((place * 10 + 1, [pa.array(["a"] * 10)]) for place in range(3)), kinds=("string",))
    assert [file.rows for file in files] == [10, 10, 10]
    assert len({file.path for file in files}) == 3


def _failing(folder: Path) -> None:
    with TypedRows(BatchFiles("x", STAMP, schema("string"), str(folder))) as rows:
        rows.add([pa.array(["a"])], "o", 1)
        rows.finish()
        rows.add([pa.array(["b"])], "o", 2)
        raise ZeroDivisionError


def test_nothing_is_left_where_the_extract_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _failing(tmp_path)
    assert list(tmp_path.iterdir()) == []

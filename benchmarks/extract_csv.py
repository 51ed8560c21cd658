"""Rows of CSV to committed bronze, against DuckDB's own CSV→Parquet of the same file, alternating.

Run from the repository: ``python benchmarks/extract_csv.py --rows 5000000``. Both use two threads, and libraries are
imported before the clock runs. DuckDB's own reading has the types told, judges nothing, writes no system columns and
commits nothing. It writes three times: as it does when told nothing but zstd, with the level, the dictionaries and the
row groups of ours, and with snappy, which it takes when told nothing at all (its files are larger). All are timed right
after each other, so that a busy machine slows them alike; rows and sums are compared before a time counts. The share is
that of the CPU seconds, then that of the clock.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
from pyiceberg.catalog.sql import SqlCatalog

from headwater.adapters.iceberg.column_types import iceberg_schema
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import RunRequest
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp

COLUMNS = {
    "id": "int", "note": "string", "fare": "decimal(10,2)", "day": "date", "ratio": "double", "origin": "string",
    "at": "timestamp",
}  # fmt: skip
ROUNDS = 3
OWN = {
    "zstd": "COMPRESSION zstd",
    "zstd as ours": "COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 4096",
    "snappy": "COMPRESSION snappy",
}
# sums of doubles depend on their order, those of integers do not
SUMS = (
    'count(*), sum(id), sum(length(note)), sum(fare), max("day"), sum((ratio * 1000)::HUGEINT), '
    'count(origin), max("at")'
)


def write_csv(path: Path, rows: int) -> None:
    """A file of seven usual columns, about 70 bytes a row."""
    with duckdb.connect() as engine:
        engine.execute(
            "COPY (SELECT i::INT AS id, 'note ' || i AS note, (i % 100000 / 100)::DECIMAL(10,2) AS fare, "
            "DATE '2013-01-01' + (i % 365)::INT AS day, i / 7 AS ratio, ['EWR', 'JFK', 'LGA'][i % 3 + 1] AS origin, "
            f"TIMESTAMP '2013-01-01' + to_seconds(i) AS at FROM range({rows}) AS t(i)) TO '{path}' (HEADER)"
        )


def headwater(folder: Path, number: int) -> list[str]:
    """Plan, extract, and commit to a table of its own."""
    extract = FilesExtract(path="in", columns=COLUMNS)
    table = TableSpec(name="flights", key=("id",), extract=extract, silver=Silver(mode="append"))
    extractor = open_extractor(table, ConnectionInfo(id="landing", kind="fs", extra={"path": str(folder)}))
    columns = (*extractor.inspect(table).columns, *BRONZE_SYSTEM_COLUMNS)
    schema = TableSchema(columns=tuple(c.model_copy(update={"field_id": n}) for n, c in enumerate(columns, 1)))
    stamp = BatchStamp(run_key="i/flights/r", planned_at=datetime.now(UTC), batch=1, attempt=f"a{number}")
    window = extractor.plan(table, None, None, RunRequest(), datetime.now(UTC) + timedelta(seconds=5))
    extracted = extractor.extract(table, window, stamp, schema, str(folder / f"bronze{number}"))
    catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/lake.db", warehouse=str(folder / "warehouse"))
    catalog.create_namespace_if_not_exists("bronze")
    bronze = catalog.create_table(f"bronze.flights{number}", schema=iceberg_schema(schema))
    bronze.add_files([file.path for file in extracted.files])
    return [file.path for file in extracted.files]


def duckdb_alone(options: str, folder: Path, number: int) -> list[str]:
    """The same file, by DuckDB and nothing else."""
    types = {"int": "INTEGER", "string": "VARCHAR"}
    told = ", ".join(f"'{name}': '{types.get(kind, kind.upper())}'" for name, kind in COLUMNS.items())
    target = f"{folder}/alone{number}.parquet"
    with duckdb.connect(config={"threads": "2"}) as engine:
        engine.execute(
            f"COPY (SELECT * FROM read_csv('{folder}/in/a.csv', columns={{{told}}}, header=true)) "
            f"TO '{target}' (FORMAT parquet, {options})"
        )
    return [target]


def sums(paths: list[str]) -> object:
    """What has to be equal in what both wrote."""
    with duckdb.connect() as engine:
        row = engine.execute(f"SELECT {SUMS} FROM read_parquet({paths})").fetchone()
    return list(row or ())


def timed(act: Callable[[Path, int], list[str]], folder: Path, number: int, expected: object) -> tuple[float, float]:
    """CPU seconds and seconds by the clock."""
    cpu, clock = time.process_time(), time.perf_counter()
    paths = act(folder, number)
    taken = time.process_time() - cpu, time.perf_counter() - clock
    if expected is not None and sums(paths) != expected:
        raise SystemExit(f"other rows than DuckDB's: {sums(paths)}, not {expected}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="headwater-benchmark-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        write_csv(folder / "in" / "a.csv", 1)
        headwater(folder, ROUNDS)
        write_csv(folder / "in" / "a.csv", rows)
        expected = sums(duckdb_alone(OWN["zstd"], folder, ROUNDS))
        shares: dict[str, list[tuple[float, float]]] = {label: [] for label in OWN}
        for number in range(ROUNDS):
            ours = timed(headwater, folder, number, expected)
            print(f"headwater {ours[0]:6.2f} CPU s {ours[1]:6.2f} s", end="")
            for label, options in OWN.items():
                own = timed(partial(duckdb_alone, options), folder, number, expected)
                shares[label].append((own[0] / ours[0], own[1] / ours[1]))
                print(f"   duckdb, {label} {own[0]:6.2f} CPU s {own[1]:6.2f} s", end="")
            print(flush=True)
        for label, found in shares.items():
            cpu, clock = (statistics.median(share[place] for share in found) for place in (0, 1))
            print(f"{rows:,} rows: {cpu:.2f} of DuckDB's own ({label}) by CPU, {clock:.2f} by the clock (wanted: 0.80)")


if __name__ == "__main__":
    main()

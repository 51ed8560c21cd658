"""Changes into a silver table, in each mode, against ``pyiceberg`` upsert of the same changes into the same rows.

    uv run python benchmarks/merge_silver.py --rows 1000000 --changes 100000

One warm Spark server, one run. Prints wall seconds and what they are to each other; row counts and sums are compared
before a time counts. Goals: upsert at least 10x pyiceberg; scd2 within 2x of upsert; 1 % late keys at most 2x; twenty
tables at most 4x one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from pyspark.sql import SparkSession

from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.job import JobSpec, RefineTable
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.domain.staging import StagedTable, TableState, new_attempt
from headwater_spark.entrypoints.run_job import open_session, run_job

SYSTEM = (
    "CAST({batch} AS BIGINT) AS _hw_batch, 'r' AS _hw_run_key, TIMESTAMP '{at}' AS _hw_extracted_at, 'u' AS _hw_op, "
    "printf('%04d-%012d', {batch}, k) AS _hw_position, 'bench' AS _hw_origin"
)
VALUES = "concat('name ', k % 1000) AS name, k * 1.5D AS amount, CAST(k % 97 AS INT) AS shop, {v} AS v, '{at}' AS note"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Bench:
    """Bronze and silver tables of one source."""

    spark: SparkSession
    remote: str
    heads: dict[TableName, int] = field(default_factory=dict)

    def bronze(self, table: str, batch: int, keys: str, late: str = "false") -> InputRef:
        """Append a batch with one event per key of the query ``keys``; those of ``late`` are older than the rest."""
        name, at = TableName(layer=Layer.BRONZE, source="bench", table=table), START + timedelta(days=batch)
        moment = f"IF({late}, TIMESTAMP '{START}' - INTERVAL 1 DAY, TIMESTAMP '{at}') AS u"
        values = VALUES.format(v=batch, at=at)
        rows = f"SELECT k, {values}, {moment}, {SYSTEM.format(batch=batch, at=at)} FROM ({keys})"
        if name not in self.heads:
            self.spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bronze").collect()
            self.spark.sql(f"CREATE TABLE {name.iceberg} USING iceberg AS {rows}").collect()
        else:
            self.spark.sql(f"INSERT INTO {name.iceberg} {rows}").collect()
        self.heads[name] = self._head(name)
        return InputRef(snapshot_id=self.heads[name], batch=batch)

    def refine(self, tables: dict[str, InputRef], mode: str) -> float:
        """Refine the tables in one job and publish; seconds of the job."""
        batch = next(iter(tables.values())).batch
        job = JobSpec(
            kind="refine",
            run_key=f"bench/{mode}/{batch}",
            pipeline="bench",
            attempt=new_attempt(),
            planned_at=START + timedelta(days=batch),
            refine=tuple(self._table(table, source, mode) for table, source in tables.items()),
        )
        began = time.perf_counter()
        results = run_job(job, self.remote).tables
        took = time.perf_counter() - began
        for result in results:
            if result.staged is None:
                raise SystemExit(str(result.error))
            self._publish(result.staged)
        return took

    def _table(self, table: str, source: InputRef, mode: str) -> RefineTable:
        silver = TableName(layer=Layer.SILVER, source="bench", table=table)
        return RefineTable(
            spec=TableSpec(
                name=table,
                key=("k",),
                extract=SqlExtract(mode="incremental", cursor="u"),
                silver=Silver.model_validate({"mode": mode, "sequence_by": "u"}),
            ),
            bronze=TableName(layer=Layer.BRONZE, source="bench", table=table),
            silver=silver,
            bronze_input=source,
            from_batch=source.batch - 1,
            base=self.heads.get(silver),
            state=TableState(run_key="r", spec_hash="h", batch=source.batch),
        )

    def _publish(self, staged: StagedTable) -> None:
        name = f"{staged.table.layer.value}.{staged.table.source}__{staged.table.table}"
        self.spark.sql(f"CALL lake.system.fast_forward('{name}', 'main', '{staged.branch}')").collect()
        self.spark.sql(f"ALTER TABLE lake.{name} DROP BRANCH {staged.branch}").collect()
        self.heads[staged.table] = staged.staged

    def _head(self, table: TableName) -> int:
        found = self.spark.sql(f"SELECT snapshot_id FROM {table.iceberg}.refs WHERE name = 'main'").collect()
        return int(found[0].snapshot_id)

    def facts(self, table: str, where: str) -> tuple[int, float]:
        name = TableName(layer=Layer.SILVER, source="bench", table=table).iceberg
        row = self.spark.sql(f"SELECT count(*) AS n, sum(amount + v) AS total FROM {name} WHERE {where}").collect()[0]
        return int(row.n), float(row.total)


@contextmanager
def server() -> Iterator[tuple[Bench, Settings]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "postgres", durable=False) as postgres,
    ):
        postgres.create_databases(["lake"])
        url = postgres.url("lake", "psycopg")
        catalog = CatalogSettings(
            uri=SecretStr(url),
            jdbc_uri=f"jdbc:postgresql://127.0.0.1:{postgres.port}/lake",
            jdbc_user="postgres",
            jdbc_password=SecretStr(urlsplit(url).password or ""),
            warehouse=f"file://{folder}/warehouse",
        )
        spark = SparkSettings(jars=str(jar_cache()), driver_memory="3g")
        settings = Settings(home=folder, repository=folder, run_store=SecretStr(url), catalog=catalog, spark=spark)
        connect = ConnectServer(settings)
        try:
            with connect.used() as remote:
                yield Bench(open_session(remote), remote), settings
        finally:
            connect.stop()


def pyiceberg_upsert(settings: Settings, source: str, changes: str, key: str) -> tuple[float, tuple[int, float]]:
    """The anchor: the same rows and the same changes, by ``Table.upsert``."""
    import pyarrow.compute as compute
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog(
        "lake", uri=settings.catalog.uri.get_secret_value(), warehouse=settings.catalog.warehouse, schema_version="v1"
    )
    given = catalog.load_table(("bronze", source))
    names = [name for name in given.schema().column_names if not name.startswith("_hw_")]
    rows, new = (
        given.scan(row_filter=f"_hw_batch == {batch}", selected_fields=tuple(names)).to_arrow() for batch in (1, 2)
    )
    table = catalog.create_table(("bronze", changes), schema=rows.schema)
    table.append(rows)
    began = time.perf_counter()
    table.upsert(new, join_cols=[key])
    took = time.perf_counter() - began
    held = table.scan(selected_fields=("amount", "v")).to_arrow()
    total = compute.sum(compute.add(held["amount"], held["v"])).as_py()
    return took, (held.num_rows, float(total))


def main(rows: int, changes: int) -> int:
    updated = f"SELECT id * {rows * 10 // (changes * 9)} AS k FROM range({changes * 9 // 10})"
    every = f"{updated} UNION ALL SELECT id + {rows} AS k FROM range({changes // 10})"
    first = f"SELECT id AS k FROM range({rows})"
    times: dict[str, float] = {}
    with server() as (bench, settings):
        bench.refine({"warm": bench.bronze("warm", 1, "SELECT id AS k FROM range(1000)")}, "upsert")
        bench.refine({"warm": bench.bronze("warm", 2, "SELECT id AS k FROM range(1000)")}, "upsert")
        for name, mode, late in (
            ("upsert", "upsert", "false"),
            ("scd2", "scd2", "false"),
            ("late", "scd2", "k % 100 = 0"),
        ):
            bench.refine({name: bench.bronze(name, 1, first)}, mode)
            times[name] = bench.refine({name: bench.bronze(name, 2, every, late)}, mode)
        times["pyiceberg"], expected = pyiceberg_upsert(settings, "bench__upsert", "bench__anchor", "k")
        same = [bench.facts("upsert", "NOT _hw_deleted"), bench.facts("scd2", "is_current"), expected]
        many = [f"t{n}" for n in range(20)]
        small = "SELECT id AS k FROM range(10000)"
        for batch in (1, 2):
            times["one table"] = bench.refine({"alone": bench.bronze("alone", batch, small)}, "upsert")
            times["20 tables"] = bench.refine({name: bench.bronze(name, batch, small) for name in many}, "upsert")
    if len(set(same)) > 1:
        sys.stdout.write(f"the tables differ: {same}\n")
        return 1
    report(times, sys.stdout.write)
    return 0


def report(times: dict[str, float], write: Callable[[str], object]) -> None:
    for name, seconds in times.items():
        write(f"{name:12} {seconds:7.2f} s\n")
    ratios = (
        ("pyiceberg / upsert (goal: at least 10)", times["pyiceberg"] / times["upsert"]),
        ("scd2 / upsert (goal: at most 2)", times["scd2"] / times["upsert"]),
        ("1 % late / scd2 (goal: at most 2)", times["late"] / times["scd2"]),
        ("20 tables / one (goal: at most 4)", times["20 tables"] / times["one table"]),
    )
    for name, ratio in ratios:
        write(f"{name:40} {ratio:5.2f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100_000)
    options = parser.parse_args()
    sys.exit(main(options.rows, options.changes))

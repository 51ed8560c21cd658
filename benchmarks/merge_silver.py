"""Changes into a silver table, in each mode, against ``pyiceberg`` upsert of the same changes into the same rows.

    uv run python benchmarks/merge_silver.py --rows 1000000 --changes 100000

One warm Spark server, one run, the same changes as several batches one after the other. Prints wall seconds and what
their medians are to each other; row counts and sums are compared before a time counts. Goals: upsert at least 10x
pyiceberg; scd2 within 2x of upsert; 1 % late keys at most 2x; a layer of twenty tables at most 4x one of one table,
each a stage as Airflow runs it, in a process of its own on the running server.
"""

from __future__ import annotations

import argparse
import statistics
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
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.job import JobResult, JobSpec, RefineTable
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
CHANGE = (
    "TIMESTAMP '{at}' + make_interval(0, 0, 0, IF({late}, -1000, 0)) AS _hw_event_at, "
    "array('k', 'name', 'amount', 'shop', 'v', 'note', 'u') AS _hw_carried, "
    "CAST(array() AS array<string>) AS _hw_unavailable, CAST(NULL AS STRING) AS _hw_old_key"
)
"""What an event of ``mode: cdc`` has besides; an older one has an older position, too."""
VALUES = "concat('name ', k % 1000) AS name, k * 1.5D AS amount, CAST(k % 97 AS INT) AS shop, {v} AS v, '{at}' AS note"
MODES = {"cdc": {"mode": "cdc"}, "cdc as scd2": {"mode": "cdc", "as": "scd2"}}
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Bench:
    """Bronze and silver tables of one source."""

    spark: SparkSession
    remote: str
    heads: dict[TableName, int] = field(default_factory=dict)

    def bronze(self, table: str, batch: int, keys: str, late: str = "false", *, changes: bool = False) -> InputRef:
        """Append a batch with one event per key of the query ``keys``; those of ``late`` are older than the rest.

        :param changes: the table is one of changes, as ``mode: cdc`` reads it.
        """
        name, at = TableName(layer=Layer.BRONZE, source="bench", table=table), START + timedelta(days=batch)
        moment = f"IF({late}, TIMESTAMP '{START}' - INTERVAL 1 DAY, TIMESTAMP '{at}') AS u"
        values = VALUES.format(v=batch, at=at)
        system = SYSTEM.format(batch=batch, at=at)
        if changes:
            system = f"{system}, {CHANGE.format(at=at, late=late)}".replace(
                "printf('", f"IF({late}, '0000-', '') || printf('"
            )
        rows = f"SELECT k, {values}, {moment}, {system} FROM ({keys})"
        if name not in self.heads:
            self.spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bronze").collect()
            self.spark.sql(f"CREATE TABLE {name.iceberg} USING iceberg AS {rows}").collect()
        else:
            self.spark.sql(f"INSERT INTO {name.iceberg} {rows}").collect()
        self.heads[name] = self.head(name)
        return InputRef(snapshot_id=self.heads[name], batch=batch)

    def refine(
        self, tables: dict[str, InputRef], mode: str, stage: Callable[[JobSpec], JobResult] | None = None
    ) -> float:
        """Refine the tables in one job and publish; seconds of the job.

        :param stage: runs the job as a stage does, in a process of its own; otherwise it runs in this one.
        """
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
        results = (stage(job) if stage else run_job(job, self.remote)).tables
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
                silver=Silver.model_validate(MODES.get(mode) or {"mode": mode, "sequence_by": "u"}),
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

    def head(self, table: TableName) -> int:
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


def pyiceberg_upsert(settings: Settings, source: str, anchor: str, last_batch: int) -> tuple[float, tuple[int, float]]:
    """The anchor: the same rows and the changes of the last batch, by ``Table.upsert``, into a table made here."""
    import pyarrow.compute as compute
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog(
        "lake", uri=settings.catalog.uri.get_secret_value(), warehouse=settings.catalog.warehouse, schema_version="v1"
    )
    given = catalog.load_table(("bronze", source))
    names = [name for name in given.schema().column_names if not name.startswith("_hw_")]
    rows, new = (
        given.scan(row_filter=f"_hw_batch == {batch}", selected_fields=tuple(names)).to_arrow()
        for batch in (1, last_batch)
    )
    table = catalog.create_table(("bronze", anchor), schema=rows.schema)
    table.append(rows)
    began = time.perf_counter()
    table.upsert(new, join_cols=["k"])
    took = time.perf_counter() - began
    held = table.scan(selected_fields=("amount", "v")).to_arrow()
    total = compute.sum(compute.add(held["amount"], held["v"])).as_py()
    return took, (held.num_rows, float(total))


def merged(bench: Bench, name: str, mode: str, first: str, changes: str, late: str, rounds: int) -> list[float]:
    """Seconds of each merge of the same changes, of a new batch each time, into a table of the first rows."""
    stream = mode in MODES
    bench.refine({name: bench.bronze(name, 1, first, changes=stream)}, mode)
    batches = range(2, rounds + 2)
    return [bench.refine({name: bench.bronze(name, batch, changes, late, changes=stream)}, mode) for batch in batches]


def streams(bench: Bench, first: str, changes: str, rounds: int) -> dict[str, list[float]]:
    """Streams of changes, applied as either form: none late, and 1 % of the keys."""
    found = {}
    for number, mode in enumerate(MODES):
        for what, late in ((mode, "false"), (f"{mode}, late", "k % 100 = 0")):
            name = f"stream{number}{'_late' if what != mode else ''}"
            found[what] = merged(bench, name, mode, first, changes, late, rounds)
    return found


def layers(bench: Bench, settings: Settings, rounds: int) -> dict[str, list[float]]:
    """One table of 10,000 rows and twenty, each a stage of its own process, and the same without the process."""
    many, small = [f"t{n}" for n in range(20)], "SELECT id AS k FROM range(10000)"
    engine = ConnectEngine(settings)
    times: dict[str, list[float]] = {}
    for batch in range(1, 2 * rounds + 2):
        stage = engine.run if batch % 2 else None
        for what, names in (("one table", ["alone"]), ("20 tables", many)):
            took = bench.refine({name: bench.bronze(name, batch, small) for name in names}, "upsert", stage)
            if batch > 1:  # the first makes the tables
                times.setdefault(what if stage else f"{what}, no process", []).append(took)
    return times


def main(rows: int, changes: int, rounds: int) -> int:
    updated = f"SELECT id * {rows * 10 // (changes * 9)} AS k FROM range({changes * 9 // 10})"
    every = f"{updated} UNION ALL SELECT id + {rows} AS k FROM range({changes // 10})"
    first = f"SELECT id AS k FROM range({rows})"
    times: dict[str, list[float]] = {}
    with server() as (bench, settings):
        times["upsert"] = merged(bench, "upsert", "upsert", first, every, "false", rounds)
        expected = []
        for number in range(rounds):
            took, found = pyiceberg_upsert(settings, "bench__upsert", f"bench__anchor_{number}", number + 2)
            times.setdefault("pyiceberg", []).append(took)
            expected.append(found)
        times["scd2"] = merged(bench, "scd2", "scd2", first, every, "false", rounds)
        times["late"] = merged(bench, "late", "scd2", first, every, "k % 100 = 0", rounds)
        same = [bench.facts("upsert", "NOT _hw_deleted"), bench.facts("scd2", "is_current"), expected[-1]]
        times |= streams(bench, first, every, rounds)
        times |= layers(bench, settings, rounds)
    if len(set(same)) > 1:
        sys.stdout.write(f"the tables differ: {same}\n")
        return 1
    report(times, sys.stdout.write)
    return 0


def report(times: dict[str, list[float]], write: Callable[[str], object]) -> None:
    for name, seconds in times.items():
        write(f"{name:24} {', '.join(f'{one:.2f}' for one in seconds)} s\n")
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    ratios = (
        ("pyiceberg / upsert (goal: at least 10)", "pyiceberg", "upsert"),
        ("scd2 / upsert (goal: at most 2)", "scd2", "upsert"),
        ("1 % late / scd2 (goal: at most 2)", "late", "scd2"),
        ("cdc: 1 % late / none", "cdc, late", "cdc"),
        ("cdc as scd2: 1 % late / none", "cdc as scd2, late", "cdc as scd2"),
        ("20 tables / one (goal: at most 4)", "20 tables", "one table"),
        ("20 tables / one, no process", "20 tables, no process", "one table, no process"),
    )
    for what, name, other in ratios:
        write(f"{what:40} {median[name] / median[other]:5.2f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sys.exit(main(options.rows, options.changes, options.rounds))

"""A source's bronze and silver tables on a warm Spark server, for the benchmarks that merge into them."""

from __future__ import annotations

import signal
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

    def job(self, tables: dict[str, InputRef], mode: str, key: tuple[str, ...] = ("k",)) -> JobSpec:
        """What a run asks of Spark for a layer of these tables."""
        batch = next(iter(tables.values())).batch
        return JobSpec(
            kind="refine",
            run_key=f"bench/{mode}/{batch}",
            pipeline="bench",
            attempt=new_attempt(),
            planned_at=START + timedelta(days=batch),
            refine=tuple(self._table(table, source, mode, key) for table, source in tables.items()),
        )

    def refine(
        self, tables: dict[str, InputRef], mode: str, stage: Callable[[JobSpec], JobResult] | None = None
    ) -> float:
        """Refine the tables in one job and publish; see ``done``."""
        return self.done(self.job(tables, mode), stage)

    def done(self, job: JobSpec, stage: Callable[[JobSpec], JobResult] | None = None) -> float:
        """Do the job and publish; seconds of the job.

        :param stage: runs the job as a stage does, in a process of its own; otherwise it runs in this one.
        """
        began = time.perf_counter()
        results = (stage(job) if stage else run_job(job, self.remote)).tables
        took = time.perf_counter() - began
        for result in results:
            if result.staged is None:
                raise SystemExit(str(result.error))
            self._publish(result.staged)
        return took

    def _table(self, table: str, source: InputRef, mode: str, key: tuple[str, ...]) -> RefineTable:
        silver = TableName(layer=Layer.SILVER, source="bench", table=table)
        return RefineTable(
            spec=TableSpec(
                name=table,
                key=key,
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
    """An empty catalog and a Spark server, which end with the block, and where a time-out ends the process."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
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

"""One Connect server for the whole session, and a lake of small tables on it: bronze rows in, jobs run, published."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pyspark.sql import Row, SparkSession

from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.job import JobKind, JobResult, JobSpec, RefineTable, TableResult, ValidateTable
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef, position
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.domain.staging import StagedTable, TableState, new_attempt
from headwater_spark.entrypoints.run_job import open_session, run_job

SYSTEM = (
    "_hw_batch bigint, _hw_run_key string, _hw_extracted_at timestamp, _hw_op string, _hw_position string, "
    "_hw_origin string"
)
CHANGES = "_hw_event_at timestamp, _hw_carried array<string>, _hw_unavailable array<string>, _hw_old_key string"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Lake:
    """Tables of one source with a fresh name, so that tests never meet."""

    spark: SparkSession
    remote: str
    source: str = field(default_factory=lambda: "s" + uuid4().hex[:10])
    heads: dict[TableName, int] = field(default_factory=dict)
    refined: dict[str, int] = field(default_factory=dict)

    def name(self, layer: Layer, table: str = "t") -> TableName:
        return TableName(layer=layer, source=self.source, table=table)

    def rows(self, table: TableName, where: str = "true", order: str = "1") -> list[Row]:
        return self.spark.sql(f"SELECT * FROM {table.iceberg} WHERE {where} ORDER BY {order}").collect()

    def bronze(self, batch: int, columns: str, rows: Sequence[str], table: str = "t", ops: str = "") -> InputRef:
        """Append a batch; each row is the SQL of its values. Its run read it ``batch`` days after the start."""
        name, at = self.name(Layer.BRONZE, table), START + timedelta(days=batch)
        if name not in self.heads:
            self.spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bronze").collect()
            self.spark.sql(f"CREATE TABLE {name.iceberg} ({columns}, {SYSTEM}) USING iceberg").collect()
        stamps = [
            f"{batch}, 'r', TIMESTAMP '{at.isoformat()}', '{op}', '{position(at, ordinal)}', 'test'"
            for ordinal, op in enumerate(ops or "r" * len(rows))
        ]
        values = ", ".join(f"({row}, {stamp})" for row, stamp in zip(rows, stamps, strict=True))
        empty = f"SELECT * FROM {name.iceberg} WHERE false"
        self.spark.sql(f"INSERT INTO {name.iceberg} " + (f"VALUES {values}" if rows else empty)).collect()
        self.heads[name] = self.head(name)
        return InputRef(snapshot_id=self.heads[name], batch=batch)

    def events(
        self, batch: int, columns: str, rows: Sequence[Mapping[str, object]], table: str = "t", *, changes: bool
    ) -> InputRef:
        """Append a batch of rows that bring their own ``_hw_op`` and ``_hw_position``; many at once.

        :param changes: the table is one of changes (``domain.schema.CHANGE_COLUMNS``).
        """
        name, at = self.name(Layer.BRONZE, table), START + timedelta(days=batch)
        stamp = {"_hw_batch": batch, "_hw_run_key": "r", "_hw_extracted_at": at, "_hw_origin": "test"}
        ddl = f"{columns}, {SYSTEM}" + (f", {CHANGES}" if changes else "")
        if name not in self.heads:
            self.spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bronze").collect()
            self.spark.sql(f"CREATE TABLE {name.iceberg} ({ddl}) USING iceberg").collect()
        live = self.spark.table(name.iceberg).schema
        values = [tuple({**stamp, **row}.get(field.name) for field in live.fields) for row in rows]
        self.spark.createDataFrame(values, schema=live).writeTo(name.iceberg).append()
        self.heads[name] = self.head(name)
        return InputRef(snapshot_id=self.heads[name], batch=batch)

    def head(self, table: TableName, ref: str = "main") -> int:
        found = self.spark.sql(f"SELECT snapshot_id FROM {table.iceberg}.refs WHERE name = '{ref}'").collect()
        return int(found[0].snapshot_id)

    def job(self, kind: JobKind, batch: int, **tables: object) -> JobSpec:
        return JobSpec(
            kind=kind,
            run_key=f"i/{self.source}/r{batch}",
            pipeline=self.source,
            attempt=new_attempt(),
            planned_at=START + timedelta(days=batch),
            **tables,
        )

    def state(self, batch: int) -> TableState:
        return TableState(run_key=f"i/{self.source}/r{batch}", spec_hash="h", batch=batch)

    def refine_spec(self, spec: TableSpec, source: InputRef, rules: Mapping[str, str] | None = None) -> RefineTable:
        silver = self.name(Layer.SILVER, spec.name)
        return RefineTable(
            spec=spec,
            bronze=self.name(Layer.BRONZE, spec.name),
            silver=silver,
            bronze_input=source,
            from_batch=self.refined.get(spec.name, 0),
            base=self.heads.get(silver),
            state=self.state(source.batch),
            quarantine_rules=dict(rules or {}),
        )

    def refine(self, spec: TableSpec, source: InputRef, rules: Mapping[str, str] | None = None) -> TableResult:
        """Refine one table and publish what it staged."""
        return self.refine_all((self.refine_spec(spec, source, rules),))[0]

    def refine_all(self, tables: Sequence[RefineTable]) -> tuple[TableResult, ...]:
        """Refine several tables in one job, which costs little more than one, and publish what was staged."""
        results = self.run(self.job("refine", tables[0].bronze_input.batch, refine=tuple(tables))).tables
        for table, result in zip(tables, results, strict=True):
            if result.status == "staged":
                self.publish(result.staged)
                self.publish(result.quarantine)
                self.refined[table.spec.name] = table.bronze_input.batch
        return results

    def run(self, job: JobSpec) -> JobResult:
        return run_job(job, self.remote)

    def publish(self, staged: StagedTable | None) -> None:
        if staged is None:
            return
        table = f"{staged.table.layer.value}.{staged.table.source}__{staged.table.table}"
        self.spark.sql(f"CALL lake.system.fast_forward('{table}', 'main', '{staged.branch}')").collect()
        self.spark.sql(f"ALTER TABLE lake.{table} DROP BRANCH {staged.branch}").collect()
        self.heads[staged.table] = staged.staged

    def judging(self, table: TableName, checks: str, dataset: str | None = None, **more: object) -> ValidateTable:
        """The table's head with a contract of these checks."""
        known = dataset or f"lake/{table.layer.value}/{table.source}__{table.table}"
        return ValidateTable(
            table=table,
            snapshot_id=self.heads[table],
            contract=f"dataset: {known}\n{checks}",
            contract_hash="c",
            **more,
        )

    def judge(self, tables: Sequence[ValidateTable]) -> tuple[TableResult, ...]:
        """Judge in one job."""
        return self.run(self.job("validate", 1, validate=tuple(tables))).tables

    def filled(self, table: TableName, columns: str, rows: Sequence[str]) -> TableName:
        """A table made without any job, for what reads it only."""
        self.spark.sql(f"CREATE NAMESPACE IF NOT EXISTS lake.{table.layer.value}").collect()
        self.spark.sql(f"CREATE TABLE {table.iceberg} ({columns}) USING iceberg").collect()
        empty = f"SELECT * FROM {table.iceberg} WHERE false"
        values = ", ".join(f"({row})" for row in rows)
        self.spark.sql(f"INSERT INTO {table.iceberg} " + (f"VALUES {values}" if rows else empty)).collect()
        self.heads[table] = self.head(table)
        return table

    @staticmethod
    def spec(mode: str, *, extract: str = "incremental", name: str = "t", **silver: object) -> TableSpec:
        """A table keyed by ``k``."""
        cursor = "u" if extract == "incremental" else None
        return TableSpec(
            name=name,
            key=("k",),
            extract=SqlExtract(mode=extract, cursor=cursor),
            silver=Silver(mode=mode, **silver),
        )


@pytest.fixture(scope="session")
def settings(postgres_server: EmbeddedPostgres) -> Iterator[Settings]:
    with local_lake(postgres_server) as made:
        yield made


@contextmanager
def local_lake(postgres_server: EmbeddedPostgres) -> Iterator[Settings]:
    """The profile of a lake in a folder of this machine, by a Connect server; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="headwater spark's 100% -"))
    postgres_server.create_databases(["spark_lake"])
    url = postgres_server.url("spark_lake", "psycopg")
    made = Settings(
        home=str(home),
        repository=str(home),
        run_store=url,
        catalog=CatalogSettings(
            uri=url,
            jdbc_uri=f"jdbc:postgresql://127.0.0.1:{postgres_server.port}/spark_lake",
            jdbc_user="postgres",
            jdbc_password=urlsplit(url).password or "",
            warehouse=f"file://{home / 'warehouse'}",
        ),
        spark=SparkSettings(jars=str(jar_cache())),
    )
    yield made
    ConnectServer(made).stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def remote(settings: Settings) -> Iterator[str]:
    with ConnectServer(settings).used() as address:
        yield address


@pytest.fixture(scope="session")
def spark(remote: str) -> SparkSession:
    return open_session(remote)


@pytest.fixture
def lake(spark: SparkSession, remote: str) -> Lake:
    return Lake(spark, remote)


@pytest.fixture(scope="session")
def new_lake(spark: SparkSession, remote: str) -> Callable[[], Lake]:
    """For property tests, whose every example needs a lake of its own."""
    return lambda: Lake(spark, remote)


@pytest.fixture(scope="module")
def shared_lake(spark: SparkSession, remote: str) -> Lake:
    """For a module whose tests read what one job did."""
    return Lake(spark, remote)

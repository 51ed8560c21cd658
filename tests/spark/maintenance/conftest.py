"""A pipeline of one table whose releases come and go, and maintenance of it with everything real."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession

from headwater.adapters.clock import SystemClock
from headwater.adapters.duckdb.snapshots import load_iceberg, scan_of
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.iceberg.upkeep import IcebergUpkeep
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.maintenance import STEPS, MaintenanceSettings, Step, Upkeep
from headwater.domain.names import MAINTENANCE, Layer, TableName
from headwater.domain.release import Move, Release, ReleasedTable
from headwater.domain.run import RunKey
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import Settings
from headwater.domain.staging import StagedTable, TableState, branch_of, new_attempt
from headwater.ports.catalog import DataFile, TableHead
from headwater.ports.run_store import StagedRecord
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.maintenance.table import maintain_table
from headwater.services.releases import Publication, publish_release
from headwater_spark.entrypoints.run_job import run_job
from headwater_spark.tables.preparing import prepare

SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))


@dataclass
class Engine:
    """The job in this process, on the session's server."""

    remote: str

    def run(self, job: JobSpec) -> JobResult:
        return run_job(JobSpec.model_validate_json(job.model_dump_json(by_alias=True)), self.remote)


class States:
    """A scheduler: the runs that are over."""

    def __init__(self) -> None:
        self.over: set[str] = set()

    def is_terminal(self, run_key: RunKey) -> bool:
        return run_key.run_id in self.over


@dataclass
class KeptLake:
    """One table; ``publish`` appends rows under a new release. Also the platform of maintenance."""

    settings: Settings
    spark: SparkSession
    engine: Engine
    table: TableName = field(
        default_factory=lambda: TableName(layer=Layer.BRONZE, source=f"k{uuid4().hex[:12]}", table="t")
    )
    clock: SystemClock = field(default_factory=SystemClock)
    run_states: States = field(default_factory=States)

    def __post_init__(self) -> None:
        self.catalog = IcebergCatalog(self.settings.catalog)
        self.upkeep = IcebergUpkeep(self.settings.catalog)
        self.runs = SqlRunStore(self.settings.run_store.get_secret_value())

    def another(self, **maintenance: object) -> KeptLake:
        """The same, opened anew, as another process has it, or with other settings of maintenance."""
        changed = self.settings.maintenance.model_copy(update=maintenance)
        return replace(self, settings=self.settings.model_copy(update={"maintenance": changed}))

    def close(self) -> None:
        self.catalog.close()
        self.upkeep.close()
        self.runs.close()

    def key(self, run: str) -> str:
        return str(RunKey(installation="i", dag_id=self.table.source, run_id=run))

    def stage(self, run: str, rows: Sequence[int]) -> Move:
        head = self.catalog.create(self.table, SCHEMA)
        branch = branch_of(new_attempt())
        self.catalog.cut_branch(self.table, branch, head.main)
        folder = Path(urlsplit(head.location).path) / "data"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{branch}.parquet"
        schema = pa.schema([pa.field("id", pa.int32(), metadata={"PARQUET:field_id": "1"})])
        pq.write_table(pa.table([list(rows)], schema=schema), path)
        file = DataFile(path=str(path), rows=len(rows), size_bytes=path.stat().st_size)
        staged = self.catalog.stage_files(self.table, branch, [file], {"headwater.run-key": self.key(run)})
        state = TableState(run_key=self.key(run), spec_hash="s", batch=self.batch + 1)
        return Move(table=self.table, base=head.main, target=staged, branch=branch, state=state)

    @property
    def head(self) -> TableHead:
        found = self.catalog.head(self.table)
        assert found is not None
        return found

    @property
    def batch(self) -> int:
        head = self.catalog.head(self.table)
        return head.state.batch if head and head.state else 0

    def merge(self, run: str, rows: Sequence[int], matched: str) -> Move:
        """A merge-on-read change of a silver table, as refine stages one."""
        head, attempt = self.catalog.head(self.table), new_attempt()
        staging = prepare(self.spark, self.table, {"id": "int", "v": "int"}, head.main if head else None, attempt)
        values = ", ".join(f"({row})" for row in rows)
        self.spark.sql(
            f"MERGE INTO {staging.target} t USING (SELECT * FROM VALUES {values} AS s(id)) s ON t.id = s.id "
            f"WHEN MATCHED THEN {matched} WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 0)"
        ).collect()
        staged = self.head.branches[staging.branch]
        state = TableState(run_key=self.key(run), spec_hash="s", batch=self.batch + 1)
        return Move(table=self.table, base=staging.base, target=staged, branch=staging.branch, state=state)

    def publish(self, run: str, move: Move) -> Release:
        return publish_release(
            self.runs,
            self.catalog,
            self.clock,
            Publication(
                run_key=self.key(run),
                pipeline=self.table.source,
                kind="bronze" if self.table.layer is Layer.BRONZE else "audited",
                moves=[move],
                unmoved=(),
            ),
        )

    def append(self, run: str, rows: Sequence[int]) -> Release:
        return self.publish(run, self.stage(run, rows))

    def hold(self, run: str, move: Move, status: str = "held") -> StagedTable:
        """What a gate keeps back."""
        staged = StagedTable(
            table=self.table, attempt=(move.branch or "").removeprefix("hw_"), branch=move.branch or "", base=move.base,
            staged=move.target, state=move.state, rows=1,
        )  # fmt: skip
        record = StagedRecord(
            run_key=self.key(run),
            stage="extract_to_bronze",
            staged=staged,
            status=status,
            inputs_hash="h",
            created_at=self.clock.now(),
        )
        self.runs.save_staged(record)
        return staged

    def maintain(self, *steps: Step, dry_run: bool = False, run: str = "m") -> list[Upkeep]:
        key = str(RunKey(installation="i", dag_id=MAINTENANCE, run_id=run))
        platform = cast("MaintainingPlatform", self)
        return list(
            maintain_table(
                platform, self.table, run_key=key, holder="maintenance", steps=steps or STEPS, dry_run=dry_run
            )
        )

    def did(self, *steps: Step, **options: Any) -> dict[str, Upkeep]:
        """Step -> what it did, of the steps that did something."""
        return {item.step: item for item in self.maintain(*steps, **options) if item.status != "nothing"}

    def released_rows(self, release: Release) -> list[int]:
        """As ``query`` reads a release: by the metadata file it names, without the catalog."""
        return read_released(release.tables[0])

    @property
    def folder(self) -> Path:
        return Path(urlsplit(self.head.location).path)

    def files(self) -> set[Path]:
        return {path for path in self.folder.rglob("*") if path.is_file()}

    def age(self, days: int = 400, but_young_seconds: float = 0.0) -> None:
        """Let the files there are, but those written just now, have been written so many days ago."""
        now = time.time()
        then = now - timedelta(days=days).total_seconds()
        for path in self.files():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= now - but_young_seconds:
                    os.utime(path, (then, then))


def read_released(item: ReleasedTable) -> list[int]:
    with duckdb.connect() as engine:
        load_iceberg(engine)
        return sorted(row[0] for row in engine.execute(f"SELECT id FROM {scan_of(item)}").fetchall())


@pytest.fixture(scope="session")
def run_store_url(postgres_server: EmbeddedPostgres) -> str:
    name = f"kept_{uuid4().hex}"
    postgres_server.create_databases([name])
    url = postgres_server.url(name, "psycopg")
    migrate(url)
    return url


@pytest.fixture
def kept(settings: Settings, spark: SparkSession, remote: str, run_store_url: str) -> Iterator[KeptLake]:
    """A lake whose releases are kept for a second only."""
    maintenance = MaintenanceSettings(retention="1s", longest_run="1s", min_input_files=2)
    mine = settings.model_copy(update={"run_store": SecretStr(run_store_url), "maintenance": maintenance})
    made = KeptLake(mine, spark, Engine(remote))
    yield made
    made.close()


@pytest.fixture
def old_enough() -> Callable[[], None]:
    """Let what was replaced be older than the retention."""
    return lambda: time.sleep(1.1)

"""The demo's January in bronze, and the four Spark jobs that bring it to gold, as the product's own stages ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psycopg
from pydantic import SecretStr

from headwater.adapters.embedded.jars import ensure_jars, jar_cache
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.platform import LocalPlatform
from headwater.adapters.run_store import migrate
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.cli.demo.source_database import load_first_month
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.names import Layer
from headwater.domain.run import InputRef, RunKey, RunRequest
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.staging import StagedTable, new_attempt
from headwater.services.context import RunContext
from headwater.services.stages import building, extraction, planning, publishing, refinement, validation

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class RecordingEngine(ConnectEngine):
    """The product's engine, which keeps the jobs it is asked for."""

    jobs: list[JobSpec] = field(default_factory=list)

    def run(self, job: JobSpec) -> JobResult:
        self.jobs.append(job)
        return super().run(job)


class RecordingPlatform(LocalPlatform):
    @cached_property
    def engine(self) -> RecordingEngine:
        return RecordingEngine(self.settings)


@contextmanager
def installation(folder: Path) -> Iterator[RecordingPlatform]:
    """An installation of its own with January at the source; the repository is this checkout, only read."""
    jars = ensure_jars()
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        server.create_databases(["source", "catalog", "headwater"])
        with psycopg.connect(server.url("source", None), autocommit=True) as session:
            load_first_month(session)
        connections = folder / "connections.env"
        connections.write_text(f"flights_db={server.url('source', None).replace('postgresql://', 'postgres://')}\n")
        settings = Settings(
            home=str(folder / "home"),
            repository=str(ROOT),
            run_store=SecretStr(server.url("headwater", "psycopg")),
            catalog=CatalogSettings(
                uri=SecretStr(server.url("catalog", "psycopg")),
                jdbc_uri=f"jdbc:postgresql://127.0.0.1:{server.port}/catalog",
                jdbc_user="postgres",
                jdbc_password=SecretStr(server.password),
                warehouse=(folder / "warehouse").as_uri(),
            ),
            spark=SparkSettings(jars=str(jars[0].parent if jars else jar_cache())),
            connections_file=str(connections),
        )
        migrate(settings.run_store.get_secret_value())
        platform = RecordingPlatform(settings)
        try:
            yield platform
        finally:
            platform.engine.server.stop()
            platform.close()


def recorded_jobs(platform: RecordingPlatform) -> tuple[JobSpec, ...]:
    """Run the stages of ``flights`` once, up to the last gate: refine, validate silver, build gold, validate gold."""
    key = RunKey(installation=platform.runs.installation(), dag_id="flights", run_id="benchmark")
    run = RunContext(spec=platform.model.load("flights"), run_key=key, holder="benchmark")
    plan = planning.run(platform, run, RunRequest())
    for table in plan.tables:
        extraction.run(platform, run, table.table)
    validation.run(platform, run, Layer.BRONZE)
    publishing.publish_bronze(platform, run)
    platform.engine.jobs.clear()
    refinement.run(platform, run)
    validation.run(platform, run, Layer.SILVER)
    building.run(platform, run)
    validation.run(platform, run, Layer.GOLD)
    return tuple(platform.engine.jobs)


def run_stages(jobs: tuple[JobSpec, ...], engine: Callable[[JobSpec], JobResult]) -> list[JobResult]:
    """The jobs one after the other, each on what the one before staged."""
    staged: dict[str, StagedTable] = {}
    results = []
    for job in jobs:
        result = engine(_renewed(job, staged))
        results.append(result)
        staged |= {table.table.dotted: table.staged for table in result.tables if table.staged is not None}
    return results


def _renewed(job: JobSpec, staged: dict[str, StagedTable]) -> JobSpec:
    """The job as a fresh attempt on these snapshots."""

    def pinned(dotted: str, source: InputRef) -> InputRef:
        found = staged.get(dotted)
        return source if found is None else source.model_copy(update={"snapshot_id": found.staged})

    build = tuple(
        item.model_copy(update={"inputs": {name: pinned(name, source) for name, source in item.inputs.items()}})
        for item in job.build
    )
    judged = tuple(item.model_copy(update={"snapshot_id": staged[item.table.dotted].staged}) for item in job.validate_)
    return job.model_copy(update={"attempt": new_attempt(), "build": build, "validate_": judged})


def forget_silver_and_gold(platform: RecordingPlatform) -> None:
    """Back to bronze only, so that every round makes its tables."""
    url = platform.settings.catalog.uri.get_secret_value().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM iceberg_tables WHERE table_namespace IN ('silver', 'gold')")


def outcome(platform: RecordingPlatform, results: list[JobResult]) -> dict[str, str]:
    """Table -> rows, verdict and a checksum of all that was staged of it: what every way must agree on."""
    said: dict[str, str] = {}
    for table in (table for result in results for table in result.tables):
        name = table.table.dotted
        if table.staged is not None:
            said[name] = f"{table.staged.rows} rows, {_checksum(platform, table.staged)}"
        elif table.verdict is not None:
            said[f"{name} judged"] = f"{len(table.verdict.checks)} checks, passed: {table.verdict.passed}"
        else:
            said[name] = f"{table.status}: {table.error}"
    return said


def _checksum(platform: RecordingPlatform, staged: StagedTable) -> str:
    from pyiceberg.catalog import load_catalog

    catalog = platform.settings.catalog
    lake = load_catalog("lake", type="sql", uri=catalog.uri.get_secret_value(), warehouse=catalog.warehouse)
    rows = lake.load_table(staged.table.iceberg.removeprefix("lake.")).scan(snapshot_id=staged.staged).to_arrow()
    lines = sorted(map(repr, rows.to_pylist()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

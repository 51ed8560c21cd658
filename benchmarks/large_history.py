"""A table of many releases of few rows each, what every release has to hold, and what maintains it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SecretStr

from headwater.adapters.clock import SystemClock
from headwater.adapters.duckdb.snapshots import load_iceberg, scan_of
from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.iceberg.upkeep import IcebergUpkeep
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.maintenance import MaintenanceSettings
from headwater.domain.names import MAINTENANCE, Layer, TableName
from headwater.domain.release import Move, Release
from headwater.domain.run import RunKey
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import DataFile
from headwater.ports.clock import Clock
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.leases import Claim, try_leases
from headwater.services.maintenance.table import maintain_table
from headwater.services.releases import Publication, publish_release

TABLE = TableName(layer=Layer.BRONZE, source="bench", table="events")
COLUMNS = ("id", "shop", "amount", "note")
SCHEMA = TableSchema(
    columns=(
        Column(name="id", type="long"),
        Column(name="shop", type="int"),
        Column(name="amount", type="double"),
        Column(name="note", type="string"),
    )
)
MADE = (
    "SELECT i AS id, (i % 97)::INT AS shop, i * 1.5e0 AS amount, 'note ' || (i * 7919 % 1000003) AS note "
    "FROM range({a}, {b}) t(i)"
)
DIGEST = "count(*), coalesce(bit_xor(hash(id, shop, amount, note)), 0), coalesce(sum(hash(id, note) % 1000003), 0)"
MIB = 1024 * 1024


class States:
    """A scheduler that knows of no run that is over."""

    def is_terminal(self, run_key: RunKey) -> bool:  # noqa: ARG002 - whichever is asked for
        return False


@dataclass(frozen=True, slots=True)
class StandingClock:
    """It is always the same moment."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def data_now(self) -> datetime:
        return self.at


@dataclass
class Bench:
    """The table, what its releases have to hold, and the platform of maintenance."""

    settings: Settings
    engine: ConnectEngine
    catalog: IcebergCatalog
    upkeep: IcebergUpkeep
    runs: SqlRunStore
    clock: Clock = field(default_factory=SystemClock)
    run_states: States = field(default_factory=States)
    rows: int = 0
    releases: list[tuple[Release, int]] = field(default_factory=list)
    """With the number of rows that were there then; rows are numbered."""
    tagged: list[tuple[Release, int]] = field(default_factory=list)

    def append(self, run: str, rows: int, files: int) -> Release:
        """One run: a release with so many more rows."""
        head = self.catalog.create(TABLE, SCHEMA)
        branch = branch_of(new_attempt())
        self.catalog.cut_branch(TABLE, branch, head.main)
        folder = Path(urlsplit(head.location).path) / "data"
        folder.mkdir(parents=True, exist_ok=True)
        bounds = [self.rows + rows * number // files for number in range(files + 1)]
        written = [
            _write(folder / f"{branch}-{number}.parquet", a, b) for number, (a, b) in enumerate(pairwise(bounds))
        ]
        staged = self.catalog.stage_files(TABLE, branch, written, {"headwater.run-key": self.key(run)})
        batch = (head.state.batch if head.state else 0) + 1
        state = TableState(run_key=self.key(run), spec_hash="s", batch=batch)
        move = Move(table=TABLE, base=head.main, target=staged, branch=branch, state=state)
        wanted = Publication(run_key=self.key(run), pipeline=TABLE.source, kind="bronze", moves=[move], unmoved=())
        release = publish_release(self.runs, self.catalog, self.clock, wanted)
        self.rows += rows
        self.releases.append((release, self.rows))
        return release

    def tag(self, name: str) -> None:
        """What a consumer does with the newest release."""
        self.tagged.append(self.releases[-1])
        self.catalog.tag(TABLE, name, self.releases[-1][0].tables[0].snapshot_id)

    def key(self, run: str) -> str:
        return str(RunKey(installation="i", dag_id=TABLE.source, run_id=run))

    def take(self, run: str) -> float:
        """The lease, as every run takes it: from maintenance at once, or after its turn. Returns seconds waited."""
        began = time.monotonic()
        claim = Claim(pipeline=TABLE.source, tables=[TABLE], run_key=self.key(run), holder=run, ttl_seconds=60)
        while try_leases(self.runs, self.catalog, self.run_states, claim):
            time.sleep(0.1)
        return time.monotonic() - began

    def maintain(self) -> None:
        """Every step, by a clock that stands: what is kept does not depend on how long the steps take."""
        platform = cast("MaintainingPlatform", replace(self, clock=StandingClock(self.clock.now())))
        key = str(RunKey(installation="i", dag_id=MAINTENANCE, run_id=f"m{time.time_ns()}"))
        for item in maintain_table(platform, TABLE, run_key=key, holder="maintenance"):
            say(item.line())

    def keep_from(self, position: int) -> None:
        """Keep what was current since this release."""
        since = self.releases[position][0].published_at
        assert since is not None
        retention = datetime.now(UTC) - since + timedelta(seconds=5)
        changed = self.settings.maintenance.model_copy(update={"retention": retention})
        self.settings = self.settings.model_copy(update={"maintenance": changed})

    def check(self, kept: list[tuple[Release, int]]) -> None:
        """Every kept release and tag, row by row. :raises SystemExit: at the first that is not what it was."""
        head = self.catalog.head(TABLE)
        assert head is not None
        now = {"metadata_location": head.metadata_location}
        places = [(release.tables[0], rows) for release, rows in kept]
        places += [(release.tables[0].model_copy(update=now), rows) for release, rows in self.tagged]
        known: dict[int, tuple[Any, ...]] = {}
        with duckdb.connect() as engine:
            load_iceberg(engine)
            for item, rows in places:
                if rows not in known:
                    known[rows] = _one(engine, f"SELECT {DIGEST} FROM ({MADE.format(a=0, b=rows)})")
                found = _one(engine, f"SELECT {DIGEST} FROM {scan_of(item)}")
                if found != known[rows]:
                    raise SystemExit(f"{item.snapshot_id}: {found} in place of {known[rows]}")
        say(f"{len(places)} releases and tags hold what they held, of {min(known):,} to {max(known):,} rows")

    def describe(self) -> None:
        history = self.upkeep.history(TABLE)
        assert history is not None
        main = history.snapshot(history.main)
        assert main is not None
        warehouse = Path(urlsplit(self.settings.catalog.warehouse).path)
        files = [path for path in warehouse.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        say(
            f"main: {main.data_files} files, {main.size_bytes / MIB:.0f} MiB, {main.rows:,} rows; "
            f"{len(history.snapshots)} snapshots, {history.manifests} manifests; "
            f"{len(files)} files of {size / MIB:.0f} MiB on disk"
        )


def _write(path: Path, a: int, b: int) -> DataFile:
    with duckdb.connect() as engine:
        table = engine.execute(MADE.format(a=a, b=b)).to_arrow_table()
    fields = [
        column.with_metadata({"PARQUET:field_id": str(number)}) for number, column in enumerate(table.schema, start=1)
    ]
    pq.write_table(table.cast(pa.schema(fields)), path)
    return DataFile(path=str(path), rows=table.num_rows, size_bytes=path.stat().st_size)


def _one(engine: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    found = engine.execute(sql).fetchone()
    assert found is not None
    return found


def say(line: str) -> None:
    """Print now, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # a time-out leaves no server behind
    with EmbeddedPostgres(folder / "postgres", durable=False) as postgres:
        postgres.create_databases(["lake", "runs"])
        url, runs = postgres.url("lake", "psycopg"), postgres.url("runs", "psycopg")
        migrate(runs)
        settings = Settings(
            home=str(folder), repository=str(folder), run_store=SecretStr(runs),
            catalog=CatalogSettings(
                uri=SecretStr(url), jdbc_uri=f"jdbc:postgresql://127.0.0.1:{postgres.port}/lake", jdbc_user="postgres",
                jdbc_password=SecretStr(urlsplit(url).password or ""), warehouse=(folder / "warehouse").as_uri(),
            ),
            spark=SparkSettings(jars=str(jar_cache())),
            maintenance=MaintenanceSettings(longest_run=timedelta(seconds=1)),
        )  # fmt: skip
        catalog, upkeep, store = IcebergCatalog(settings.catalog), IcebergUpkeep(settings.catalog), SqlRunStore(runs)
        try:
            with closing(catalog), closing(upkeep), closing(store):
                yield Bench(settings, ConnectEngine(settings), catalog, upkeep, store)
        finally:
            ConnectServer(settings).stop()

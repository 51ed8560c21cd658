"""Maintenance of a large table of small files: time, memory, files left, and every kept release afterwards.

    uv run python benchmarks/maintain_large.py --rows 5000000 --files 3000 --releases 300 --writer-seconds 10

A bronze table in many releases of few rows each; the newest thirtieth and a consumer's tags in the middle have to stay.
Then every step by the engine ``connect``, first with nobody else at work, then (``--writer-seconds``) beside a run that
takes the table over, appends and publishes at that pace. Each kept release is read by the file it names: its rows and
a hash over all values have to be what was written. Prints seconds, the largest memory of the Spark server and of this
process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
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
import psutil
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
from headwater.domain.errors import StaleBaseError
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
from headwater.services.leases import try_leases
from headwater.services.maintenance.maintaining import maintain_table
from headwater.services.releases import publish_release

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
        release = publish_release(
            self.runs, self.catalog, self.clock, run_key=self.key(run), pipeline=TABLE.source, kind="bronze",
            moves=[move], unmoved=(),
        )  # fmt: skip
        self.rows += rows
        self.releases.append((release, self.rows))
        return release

    def tag(self, name: str) -> None:
        """What a consumer does with the newest release."""
        self.tagged.append(self.releases[-1])
        self.catalog.tag(TABLE, name, self.releases[-1][0].tables[0].snapshot_id)

    def key(self, run: str) -> str:
        return str(RunKey(installation="i", dag_id=TABLE.source, run_id=run))

    def take(self, run: str) -> None:
        """The lease, as every run takes it: from maintenance at once."""
        blocking = try_leases(
            self.runs, self.catalog, self.run_states, pipeline=TABLE.source, tables=[TABLE], run_key=self.key(run),
            holder=run, ttl_seconds=60,
        )  # fmt: skip
        if blocking:
            raise SystemExit(f"a run had to wait for {blocking}")

    def maintain(self) -> None:
        """Every step, by a clock that stands: what is kept does not depend on how long the steps take."""
        platform = cast("MaintainingPlatform", replace(self, clock=StandingClock(self.clock.now())))
        key = str(RunKey(installation="i", dag_id=MAINTENANCE, run_id=f"m{time.time_ns()}"))
        for item in maintain_table(platform, TABLE, run_key=key, holder="maintenance"):
            _say(item.line())

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
        _say(f"{len(places)} releases and tags hold what they held, of {min(known):,} to {max(known):,} rows")

    def describe(self) -> None:
        history = self.upkeep.history(TABLE)
        assert history is not None
        main = history.snapshot(history.main)
        assert main is not None
        warehouse = Path(urlsplit(self.settings.catalog.warehouse).path)
        files = [path for path in warehouse.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        _say(
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


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass
class Memory:
    """The largest memory of processes, looked at while a block runs; bytes."""

    pids: dict[str, int]
    most: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        over, began, used = threading.Event(), time.perf_counter(), self._used()

        def watch() -> None:
            while not over.wait(0.2):
                for name, pid in self.pids.items():
                    self.most[name] = max(self.most.get(name, 0), psutil.Process(pid).memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()
        now = self._used()
        told = ", ".join(
            f"{name} {most / MIB:.0f} MiB, {now[name] - used[name]:.1f} s" for name, most in self.most.items()
        )
        _say(f"{what}: {time.perf_counter() - began:.1f} s; largest memory and processor time: {told}")

    def _used(self) -> dict[str, float]:
        times = {name: psutil.Process(pid).cpu_times() for name, pid in self.pids.items()}
        return {name: time.user + time.system for name, time in times.items()}


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
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
        with closing(catalog), closing(upkeep), closing(store):
            yield Bench(settings, ConnectEngine(settings), catalog, upkeep, store)
        ConnectServer(settings).stop()


@contextmanager
def writing(made: Bench, pace: float, rows: int) -> Iterator[None]:
    """Runs of their own beside the block; each takes the table over."""
    over, told = threading.Event(), {"published": 0, "stale": 0}

    def write() -> None:
        while not over.wait(pace):
            run = f"beside{made.rows}"
            made.take(run)
            try:
                made.append(run, rows, 10)
                told["published"] += 1
            except StaleBaseError:
                told["stale"] += 1
            made.runs.release_leases(made.key(run))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
    _say(f"runs beside it: {told['published']} published, {told['stale']} had a stale base")


def main(rows: int, files: int, releases: int, pace: float) -> int:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder, bench(Path(folder)) as made:
        began = time.perf_counter()
        for number in range(releases):
            made.append(f"r{number}", rows // releases, files // releases)
            if number % (releases // 5 or 1) == releases // 10:
                made.tag(f"used_by_gold__bench__g{number}")
        _say(f"{releases} releases written in {time.perf_counter() - began:.0f} s")
        with ConnectServer(made.settings).used():
            state = ConnectServer(made.settings).state()
            assert state is not None
            memory = Memory({"Spark": state.pid, "maintenance": psutil.Process().pid})
            _round(made, memory, releases - max(1, releases // 30), 0.0, rows // releases)
            if pace:
                for number in range(max(1, releases // 30)):
                    made.append(f"s{number}", rows // releases, files // releases)
                _round(made, memory, releases - max(1, releases // 30), pace, rows // releases)
    return 0


def _round(made: Bench, memory: Memory, kept: int, pace: float, rows: int) -> None:
    made.keep_from(kept)
    made.describe()
    with memory.watched("all steps"):
        if pace:
            with writing(made, pace, rows):
                made.maintain()
        else:
            made.maintain()
    made.describe()
    made.check(made.releases[kept:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--releases", type=int, default=300)
    parser.add_argument("--writer-seconds", type=float, default=10.0)
    options = parser.parse_args()
    sys.exit(main(options.rows, options.files, options.releases, options.writer_seconds))

"""Three tables of one pipeline, published once and staged a second time, on a real catalog and a real run store."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.table import StaticTable

from headwater.adapters.clock import SystemClock
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move, Release
from headwater.domain.run import RunKey
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import Catalog, DataFile
from headwater.ports.failpoints import VARIABLE
from headwater.services.releases import Publication, publish_release

SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))


class Over:
    """A scheduler that says of every run that it is over."""

    def is_terminal(self, run_key: RunKey) -> bool:
        return True


@dataclass
class World:
    """``catalog`` and ``runs`` are this process's own; a child opens its own."""

    settings: CatalogSettings
    run_store_url: str
    folder: Path
    pipeline: str = field(default_factory=lambda: f"p{uuid4().hex}")
    clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.catalog = IcebergCatalog(self.settings)
        self.runs = SqlRunStore(self.run_store_url)
        self.tables = [TableName(layer=Layer.SILVER, source=self.pipeline, table=f"t{i}") for i in range(3)]

    def key(self, run: str) -> str:
        return str(RunKey(installation="i", dag_id=self.pipeline, run_id=run))

    def stage(self, run: str, row: int) -> list[Move]:
        """An attempt over all tables; each gets one row."""
        attempt = new_attempt()
        return [self._stage(table, run, row, branch_of(attempt)) for table in self.tables]

    def stage_apart(self, run: str, row: int) -> list[Move]:
        """The same, with the first table staged in a physical table that is to replace it (rule 14)."""
        attempt = new_attempt()
        branch, first = branch_of(attempt), self.tables[0]
        move = self._stage(first.at(branch), run, row, branch)
        base = self.catalog.create(first, SCHEMA).main
        apart = move.model_copy(update={"table": first, "base": base, "physical": branch})
        return [apart, *(self._stage(table, run, row, branch) for table in self.tables[1:])]

    def _stage(self, table: TableName, run: str, row: int, branch: str) -> Move:
        base = self.catalog.create(table, SCHEMA).main
        self.catalog.cut_branch(table, branch, base)
        path = self.folder / f"{uuid4().hex}.parquet"
        schema = pa.schema([pa.field("id", pa.int32(), metadata={"PARQUET:field_id": "1"})])
        pq.write_table(pa.table([[row]], schema=schema), path)
        file = DataFile(path=str(path), rows=1, size_bytes=path.stat().st_size)
        staged = self.catalog.stage_files(table, branch, [file], {"headwater.run-key": self.key(run)})
        state = TableState(run_key=self.key(run), spec_hash="s", batch=row)
        return Move(table=table, base=base, target=staged, branch=branch, state=state)

    def publish(self, run: str, moves: list[Move], catalog: Catalog | None = None) -> Release:
        return publish_release(
            self.runs,
            catalog or self.catalog,
            self.clock,
            Publication(run_key=self.key(run), pipeline=self.pipeline, kind="audited", moves=moves, unmoved=()),
        )

    def mains(self) -> list[int | None]:
        return [head.main for table in self.tables if (head := self.catalog.head(table)) is not None]

    def current(self) -> Release:
        """What a reader gets now."""
        (release,) = [release for release in self.runs.current() if release.pipeline == self.pipeline]
        return release

    def rows(self) -> list[list[int]]:
        """Rows of every table through the current release, without the catalog."""
        return [
            sorted(
                StaticTable.from_metadata(t.metadata_location)
                .scan(snapshot_id=t.snapshot_id)
                .to_arrow()["id"]
                .to_pylist()
            )
            for t in self.current().tables
        ]

    def statuses(self) -> Sequence[str]:
        """Of every release, oldest first."""
        return [release.status for release in self.runs.releases(self.pipeline)][::-1]

    def start(self, failpoint: str, act: Callable[[World], object]) -> int:
        """A real process, forked so that it starts at once, with its own connections; returns its id."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.environ[VARIABLE] = failpoint
                mine = World(self.settings, self.run_store_url, self.folder, self.pipeline)
                act(mine)
                status = 0
            except Exception:  # noqa: BLE001 - the child must never run on as a second pytest
                traceback.print_exc()
            finally:
                os._exit(status)
        return child


@pytest.fixture(scope="session")
def stores(postgres_server: EmbeddedPostgres) -> tuple[str, str]:
    """Catalog and run store of the session; pipelines keep tests apart."""
    names = [f"{kind}_{uuid4().hex}" for kind in ("catalog", "runs")]
    postgres_server.create_databases(names)
    catalog, runs = (postgres_server.url(name, "psycopg") for name in names)
    migrate(runs)
    return catalog, runs


@pytest.fixture
def world(stores: tuple[str, str], tmp_path: Path) -> Iterator[World]:
    """Run 1 is published: row 1 in every table."""
    settings = CatalogSettings(uri=stores[0], jdbc_uri="", warehouse=f"file://{tmp_path}/warehouse")
    world = World(settings, stores[1], tmp_path)
    world.publish("run-1", world.stage("run-1", 1))
    yield world
    world.catalog.close()
    world.runs.close()


@pytest.fixture
def over() -> Over:
    return Over()


@pytest.fixture
def ended() -> Callable[[int], int]:
    """Wait for a child; a negative answer is the signal that ended it, -9 for kill -9."""

    def wait(child: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return wait


@pytest.fixture
def paused() -> Iterator[Callable[[int], None]]:
    """Wait until a child stands at its failpoint; whatever still stands when the test ends is killed."""
    children: list[int] = []

    def wait(child: int) -> None:
        children.append(child)
        _, status = os.waitpid(child, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"the child ended instead: {status}"

    yield wait
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue

"""The same small source behind every extractor, and a process that is killed while it extracts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from tests.integration.sources.sources_under_test import PLANNED_AT, live_schema

from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.chunks import ChunkClaim
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import VARIABLE
from headwater.services.chunking import RunChunks

SECRET = "s3cr3t-Zq"
RUN_KEY = "i/flights/r1"
CHILD = """
import os, sys
from pydantic import SecretStr
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp

table, connection, window, stamp, schema, folder = sys.argv[1:]
table = TableSpec.model_validate_json(table)
secret = {"password": SecretStr(os.environ["SOURCE_PASSWORD"])}
extractor = open_extractor(table, ConnectionInfo.model_validate_json(connection).model_copy(update=secret))
window, stamp = Window.model_validate_json(window), BatchStamp.model_validate_json(stamp)
extractor.extract(table, window, stamp, TableSchema.model_validate_json(schema), folder)
"""


CHUNKED_CHILD = (
    CHILD.rpartition("extractor.extract")[0]
    + """
from headwater.adapters.run_store import SqlRunStore
from headwater.ports.chunks import ChunkClaim
from headwater.services.chunking import RunChunks

claim = ChunkClaim(run_key=stamp.run_key, table=table.name, plan="p", attempt=stamp.attempt)
chunks = RunChunks(SqlRunStore(os.environ["RUN_STORE"]), claim)
extractor.extract_in_chunks(table, window, stamp, TableSchema.model_validate_json(schema), folder, chunks)
"""
)


class Subject(ABC):
    """A source of rows (id, note, fare), and what the run store would remember of it."""

    child = CHILD
    environment: Mapping[str, str] = {}
    table: TableSpec
    connection: ConnectionInfo

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: TableState | None = None
        self.ledger: bytes | None = None
        self.stamp = BatchStamp(run_key=RUN_KEY, planned_at=PLANNED_AT, batch=7, attempt="")

    @abstractmethod
    def add(self, ids: Sequence[int]) -> None: ...

    @abstractmethod
    def remove(self) -> None:
        """Take the relation or folder away."""

    def with_extractor(self, act: Callable[[Any], Any], connection: ConnectionInfo | None = None) -> Any:
        extractor = open_extractor(self.table, connection or self.connection)
        try:
            return act(extractor)
        finally:
            extractor.close()

    def schema(self) -> TableSchema:
        return live_schema(self.with_extractor(lambda extractor: extractor.inspect(self.table)))

    def plan(self) -> Window:
        now = datetime.now(UTC)
        window: Window = self.with_extractor(
            lambda extractor: extractor.plan(self.table, self.state, self.ledger, RunRequest(), now)
        )
        return window

    def extract(self, window: Window, schema: TableSchema | None = None) -> Extracted:
        """By a fresh attempt, as each execution of the task is one (rule 2)."""
        self.stamp = self.stamp.model_copy(update={"attempt": uuid4().hex})
        live = schema or self.schema()
        extracted: Extracted = self.with_extractor(
            lambda extractor: extractor.extract(self.table, window, self.stamp, live, str(self.folder), self.ledger)
        )
        return extracted

    def run(self) -> Extracted:
        """Plan, extract, publish the state, and the files with it."""
        extracted = self.extract(self.plan())
        old = self.state or TableState(run_key=RUN_KEY, spec_hash="h")
        changes = {"watermark": extracted.watermark or old.watermark, "digest": extracted.digest or old.digest}
        self.state, self.ledger = old.model_copy(update=changes), extracted.ledger or self.ledger
        return extracted

    def killed(self, window: Window, point: str) -> None:
        """A process that extracts this window dies by kill -9."""
        scratch = self.folder.with_name("scratch-of-the-killed")
        scratch.mkdir(exist_ok=True)
        password = self.connection.password.get_secret_value()
        environment = {VARIABLE: f"{point}:kill", "SOURCE_PASSWORD": password, "TMPDIR": str(scratch)}
        values = (self.table, self.connection, window, self.stamp, self.schema())
        arguments = [*(value.model_dump_json(by_alias=True) for value in values), str(self.folder)]
        command = [sys.executable, "-c", self.child, *arguments]
        environment |= self.environment
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, timeout=200, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()


class ByLedger(Subject):
    """A relation read in chunks of a few rows, by the ledger of a run store."""

    child = CHUNKED_CHILD
    options: ClassVar = {"mode": "incremental", "cursor": "id", "chunk_rows": 25}

    @cached_property
    def runs(self) -> SqlRunStore:
        url = f"sqlite:///{self.folder.with_name('runs.db')}"
        migrate(url)
        self.environment = {"RUN_STORE": url}
        return SqlRunStore(url)

    def killed(self, window: Window, point: str) -> None:
        assert self.runs
        super().killed(window, point)

    def extract(self, window: Window, schema: TableSchema | None = None) -> Extracted:
        """By a fresh attempt that goes on from what an earlier one finished, and whose files are committed then."""
        self.stamp = self.stamp.model_copy(update={"attempt": uuid4().hex})
        live, name = schema or self.schema(), self.table.name
        claim = ChunkClaim(run_key=RUN_KEY, table=name, plan="p", attempt=self.stamp.attempt)
        chunks = RunChunks(self.runs, claim)
        extracted: Extracted = self.with_extractor(
            lambda extractor: extractor.extract_in_chunks(
                self.table, window, self.stamp, live, str(self.folder), chunks
            )
        )
        self.runs.forget_chunks(RUN_KEY, name)
        return extracted

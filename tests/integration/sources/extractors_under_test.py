"""The same small source behind every extractor, and a process that is killed while it extracts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from tests.integration.sources.sources_under_test import PLANNED_AT, Source, live_schema, sql_table

from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import VARIABLE

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


class Subject(ABC):
    """A source of rows (id, note, fare), and what the run store would remember of it."""

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
        scratch.mkdir()
        password = self.connection.password.get_secret_value()
        environment = {VARIABLE: f"{point}:kill", "SOURCE_PASSWORD": password, "TMPDIR": str(scratch)}
        values = (self.table, self.connection, window, self.stamp, self.schema())
        arguments = [*(value.model_dump_json(by_alias=True) for value in values), str(self.folder)]
        command = [sys.executable, "-c", CHILD, *arguments]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, timeout=200, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()


class Relation(Subject):
    def __init__(self, source: Source, **extract: str) -> None:
        super().__init__(source.folder)
        self.table, self.connection, self.source = sql_table(**extract), source.info, source  # type: ignore[arg-type]
        source.sql("create table flights (id int primary key, note text, fare numeric(10,2))")

    def add(self, ids: Sequence[int]) -> None:
        rows = ", ".join(f"({number}, 'note {number}', {number} / 7.0)" for number in ids)
        self.source.sql(f"insert into flights values {rows}")

    def remove(self) -> None:
        self.source.sql("drop table flights")


class Landed(Subject):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "data")
        self.landing = folder / "landing"
        (self.landing / "flights").mkdir(parents=True)
        extract = FilesExtract(path="flights", columns={"id": "int", "note": "string", "fare": "decimal(10,2)"})
        self.table = TableSpec(name="flights", key=("id",), extract=extract, silver=Silver(mode="append"))
        extra = {"path": str(self.landing)}
        self.connection = ConnectionInfo(id="landing", kind="fs", password=SecretStr(SECRET), extra=extra)

    def add(self, ids: Sequence[int]) -> None:
        lines = ["id,note,fare", *(f"{number},note {number},{number / 7:.2f}" for number in ids)]
        (self.landing / "flights" / f"{ids[0]:06d}.csv").write_text("\n".join(lines) + "\n")

    def remove(self) -> None:
        (self.landing / "flights").rename(self.landing / "elsewhere")


SUBJECTS: dict[str, Callable[[Source, Path], Subject]] = {
    "incremental": lambda source, _: Relation(source, mode="incremental", cursor="id"),
    "snapshot": lambda source, _: Relation(source, mode="snapshot"),
    "files": lambda _, folder: Landed(folder),
}

"""The same small source behind every extractor, and a process that is killed while it extracts."""

from __future__ import annotations

import gzip
import io
import os
import signal
import sqlite3
import subprocess
import sys
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from pydantic import SecretStr
from tests.integration.sources.s3_under_test import S3Server
from tests.integration.sources.sources_under_test import PLANNED_AT, Source, live_schema, sql_table

from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import FilesExtract, Silver, TableSpec
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


class Relation(Subject):
    def __init__(self, source: Source, **extract: Any) -> None:
        super().__init__(source.folder)
        self.table, self.connection, self.source = sql_table(**extract), source.info, source
        source.sql("create table flights (id int primary key, note text, fare numeric(10,2))")

    def add(self, ids: Sequence[int]) -> None:
        rows = ", ".join(f"({number}, 'note {number}', {number} / 7.0)" for number in ids)
        self.source.sql(f"insert into flights values {rows}")

    def remove(self) -> None:
        self.source.sql("drop table flights")


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


class InChunks(ByLedger, Relation):
    def __init__(self, source: Source) -> None:
        super().__init__(source, **self.options)


class Table(Subject):
    """A relation of an SQLite database."""

    def __init__(self, folder: Path, **extract: Any) -> None:
        super().__init__(folder / "data")
        self.table, self.path = sql_table(**extract), folder / "flights.db"
        self.connection = ConnectionInfo(id="sqlite", kind="sqlite", host=str(self.path), password=SecretStr(SECRET))
        self.sql("create table flights (id int primary key, note text, fare numeric(10,2))")

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.path)) as session, session:
            session.execute(statement)

    def add(self, ids: Sequence[int]) -> None:
        rows = ", ".join(f"({number}, 'note {number}', {number / 7:.2f})" for number in ids)
        self.sql(f"insert into flights values {rows}")

    def remove(self) -> None:
        self.sql("drop table flights")


COLUMNS = {"id": "int", "note": "string", "fare": "decimal(10,2)"}


class Landed(Subject):
    """Files in a folder."""

    def __init__(self, folder: Path, ending: str = "csv") -> None:
        super().__init__(folder / "data")
        self.landing, self.ending = folder / "landing", ending
        (self.landing / "flights").mkdir(parents=True)
        values = {"path": "flights", "columns": COLUMNS, "format": ending.partition(".")[0]}
        extract = FilesExtract.model_validate(values)
        self.table = TableSpec(name="flights", key=("id",), extract=extract, silver=Silver(mode="append"))
        extra = {"path": str(self.landing)}
        self.connection = ConnectionInfo(id="landing", kind="fs", password=SecretStr(SECRET), extra=extra)

    def add(self, ids: Sequence[int]) -> None:
        rows = [(number, f"note {number}", f"{number / 7:.2f}") for number in ids]
        self.put(f"flights/{ids[0]:06d}.{self.ending}", CONTENTS[self.ending](rows))

    def put(self, path: str, content: bytes) -> None:
        (self.landing / path).write_bytes(content)

    def remove(self) -> None:
        (self.landing / "flights").rename(self.landing / "elsewhere")


class Uploaded(Landed):
    """Objects in a bucket."""

    def __init__(self, server: S3Server, folder: Path) -> None:
        super().__init__(folder)
        self.server, self.bucket = server, server.make_bucket()
        self.connection = server.connection(f"s3://{self.bucket}/landing")

    def put(self, path: str, content: bytes) -> None:
        self.server.put(f"{self.bucket}/landing/{path}", content)

    def plan(self) -> Window:
        # an object of this very second could be replaced without its time changing: it waits
        later = datetime.now(UTC) + timedelta(seconds=5)
        window: Window = self.with_extractor(
            lambda extractor: extractor.plan(self.table, self.state, self.ledger, RunRequest(), later)
        )
        return window

    def remove(self) -> None:
        self.server.clear(self.bucket)


class Versioned(Landed):
    """A Delta table in a folder; each ``add`` is a version."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "parquet")
        values = {"path": "flights", "columns": COLUMNS, "format": "delta"}
        self.table = self.table.model_copy(update={"extract": FilesExtract.model_validate(values)})
        self.add([])

    def add(self, ids: Sequence[int]) -> None:
        fares = pa.array([Decimal(f"{number / 7:.2f}") for number in ids], pa.decimal128(10, 2))
        rows = {"id": pa.array(ids, pa.int32()), "note": pa.array([f"note {n}" for n in ids], pa.string())}
        write_deltalake(str(self.landing / "flights"), pa.table(rows | {"fare": fares}), mode="append")


Rows = list[tuple[int, str, str]]


def _csv(rows: Rows) -> bytes:
    return "".join(["id,note,fare\n", *(",".join(map(str, row)) + "\n" for row in rows)]).encode()


def _objects(rows: Rows) -> list[str]:
    return [f'{{"id": {row[0]}, "note": "{row[1]}", "fare": {row[2]}}}' for row in rows]


def _zip(rows: Rows) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flights.csv", _csv(rows))
    return content.getvalue()


def _parquet(rows: Rows) -> bytes:
    numbers, notes, fares = zip(*rows, strict=True)
    content = io.BytesIO()
    values = pa.table({"note": notes, "id": numbers, "fare": pa.array(map(Decimal, fares), pa.decimal128(10, 2))})
    pq.write_table(values, content)
    return content.getvalue()


CONTENTS: dict[str, Callable[[Rows], bytes]] = {
    "csv": _csv,
    "csv.zip": _zip,
    "jsonl": lambda rows: "\n".join(_objects(rows)).encode(),
    "jsonl.zst": lambda rows: bytes(pa.Codec("zstd").compress("\n".join(_objects(rows)).encode(), asbytes=True)),
    "json": lambda rows: f"[{','.join(_objects(rows))}]".encode(),
    "json.gz": lambda rows: gzip.compress(f"[{','.join(_objects(rows))}]".encode()),
    "parquet": _parquet,
}


def _maria(request: pytest.FixtureRequest, folder: Path, **extract: str) -> Subject:
    from tests.integration.sources.mariadb_under_test import MariaTable

    return MariaTable(request.getfixturevalue("mariadb"), folder, **extract)


def _maria_in_chunks(request: pytest.FixtureRequest, folder: Path) -> Subject:
    from tests.integration.sources.mariadb_under_test import MariaInChunks

    return MariaInChunks(request.getfixturevalue("mariadb"), folder)


SUBJECTS: dict[str, Callable[[pytest.FixtureRequest, Path], Subject]] = {
    "incremental": lambda request, _: Relation(request.getfixturevalue("source"), mode="incremental", cursor="id"),
    "in-chunks": lambda request, _: InChunks(request.getfixturevalue("source")),
    "in-chunks-of-postgres-15": lambda request, _: InChunks(request.getfixturevalue("source_15")),
    "snapshot": lambda request, _: Relation(request.getfixturevalue("source"), mode="snapshot"),
    "sqlite-incremental": lambda _, folder: Table(folder, mode="incremental", cursor="id"),
    "sqlite-snapshot": lambda _, folder: Table(folder, mode="snapshot"),
    "mariadb-incremental": lambda request, folder: _maria(request, folder, mode="incremental", cursor="id"),
    "mariadb-snapshot": lambda request, folder: _maria(request, folder, mode="snapshot"),
    "mariadb-in-chunks": _maria_in_chunks,
    "s3": lambda request, folder: Uploaded(request.getfixturevalue("s3_server"), folder),
    "delta": lambda _, folder: Versioned(folder),
    **{ending: partial(lambda ending, _, folder: Landed(folder, ending), ending) for ending in CONTENTS},
}

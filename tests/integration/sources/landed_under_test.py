"""The rows of a subject as files, objects and versions of a Delta table."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake
from pydantic import SecretStr
from tests.integration.sources.s3_under_test import BucketServer
from tests.integration.sources.subject import SECRET, Subject

from headwater.domain.run import RunRequest, Window
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.ports.connections import ConnectionInfo

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

    def __init__(self, server: BucketServer, folder: Path) -> None:
        super().__init__(folder)
        self.server, self.bucket = server, server.make_bucket()
        self.connection = server.connection(server.place(self.bucket, "landing"))

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

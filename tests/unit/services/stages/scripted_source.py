"""A source whose tables grow as a test says."""

from __future__ import annotations

from datetime import datetime

from tests.unit.services.stages.shop import SCHEMA, TABLES

from headwater.domain.errors import SourceTableMissingError
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import BatchStamp, Extracted


class Source:
    """Tables that grow: ``rows`` of each is its cursor. ``rejecting`` tables hand over an unreadable row."""

    def __init__(self) -> None:
        self.rows = dict.fromkeys(TABLES, 1)
        self.missing: set[str] = set()
        self.rejecting: set[str] = set()
        self.read: list[str] = []

    def inspect(self, table: TableSpec) -> TableSchema:
        return SCHEMA

    def plan(
        self, table: TableSpec, state: TableState | None, ledger: bytes | None, request: RunRequest, now: datetime
    ) -> Window:
        if table.name in self.missing:
            raise SourceTableMissingError(f"public.{table.name} is gone")
        low, high = state.watermark if state else None, str(self.rows[table.name])
        if low == high and not request.window_from:
            return Window(kind="nothing")
        return Window(kind="incremental", low=low, high=high, advances_watermark=not request.window_from)

    def extract(
        self, table: TableSpec, window: Window, stamp: BatchStamp, schema: TableSchema, folder: str, *_: object
    ) -> Extracted:
        self.read.append(table.name)
        file = DataFile(path=f"{folder}/{stamp.attempt}.parquet", rows=1, size_bytes=1)
        bad = DataFile(path=f"{folder}/{stamp.attempt}-rejects.parquet", rows=1, size_bytes=1)
        rejects = (bad,) if table.name in self.rejecting else ()
        return Extracted(files=(file,), rejects=rejects, rows=1, rejected=len(rejects), watermark=window.high)

    def close(self) -> None:
        self.read.append("closed")

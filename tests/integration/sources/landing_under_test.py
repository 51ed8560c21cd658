"""A landing folder, driven the way plan_run and extract_to_bronze drive an extractor of files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.integration.sources.sources_under_test import PLANNED_AT, live_schema, rows_of

from headwater.adapters.sources.opening import open_extractor
from headwater.domain.run import RunRequest, Window
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted

COLUMNS = {"origin": "string", "time_hour": "timestamptz", "temp": "decimal(5,2)", "n": "int"}


class Landing:
    """A landing folder and the extractor over it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder / "in", folder / "out"
        self.ledger: bytes | None = None
        (self.folder / "weather").mkdir(parents=True)
        self.extractor = open_extractor(
            self.table(), ConnectionInfo(id="landing", kind="fs", extra={"path": str(self.folder)})
        )

    def table(self, path: str = "weather", key: tuple[str, ...] = (), **extract: Any) -> TableSpec:
        values: dict[str, Any] = {"path": path, "columns": COLUMNS} | extract
        return TableSpec(
            name="weather",
            key=key or tuple(list(dict(values["columns"]))[:1]),
            extract=FilesExtract.model_validate(values),
            silver=Silver(mode="append"),
        )

    def land(self, name: str, content: bytes) -> Path:
        path = self.folder / "weather" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def plan(self, table: TableSpec | None = None, ago: timedelta = timedelta(0)) -> Window:
        return self.extractor.plan(table or self.table(), None, self.ledger, RunRequest(), datetime.now(UTC) - ago)

    def extract(self, window: Window, table: TableSpec | None = None) -> Extracted:
        table = table or self.table()
        stamp = BatchStamp(run_key="i/weather/r", planned_at=PLANNED_AT, batch=1, attempt="a1")
        live = live_schema(self.extractor.inspect(table))
        return self.extractor.extract(table, window, stamp, live, str(self.out), self.ledger)

    def run(self, table: TableSpec | None = None) -> Extracted:
        extracted = self.extract(self.plan(table), table)
        self.ledger = extracted.ledger or self.ledger
        return extracted


AB = {"a": "int", "b": "string"}


def rows(landing: Landing, **extract: Any) -> list[Any]:
    """What a read of its files gives, without our own columns."""
    return rows_of(
        landing.run(landing.table(**({"columns": AB} | extract))), "COLUMNS(c -> NOT starts_with(c, '_hw_'))"
    )

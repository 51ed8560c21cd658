"""Moving the rows of a window from SQLite into Parquet: one consistent snapshot, exact values, bounded memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwater.adapters.duckdb.engine import make_room, writer
from headwater.adapters.duckdb.sql import quoted
from headwater.adapters.sources.digest import digested
from headwater.adapters.sources.sqlite.cursors import Cursor
from headwater.adapters.sources.sqlite.surveying import Reading
from headwater.adapters.sources.storing import NON_FINITE, record_of, without_infinity
from headwater.adapters.sources.taking import judge_rows
from headwater.adapters.sources.texts import Record, TextFile
from headwater.domain.errors import SourceDataError
from headwater.domain.run import Window
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import failpoint

_BATCH = 5_000
_REPORT_EVERY = 1_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """One extract of one relation, everything decided."""

    session: sqlite3.Connection
    table: TableSpec
    extract: SqlExtract
    relation: str
    columns: tuple[Column, ...]
    cursor: Cursor | None
    window: Window
    stamp: BatchStamp
    schema: TableSchema
    folder: str
    facts: dict[str, str]

    @property
    def origin(self) -> str:
        return f"{self.facts['connection']}:main.{self.relation}"


def read(work: Read, progress: Callable[[str], None]) -> Extracted:
    """Read the window. All queries see one snapshot of the file, whatever changes meanwhile.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside.
    """
    failpoint("extract.reading")
    with tempfile.TemporaryDirectory(prefix="headwater-sqlite-") as scratch, writer() as engine:
        make_room(engine, len(work.columns))
        texts = Path(scratch) / "texts.parquet"
        with one_snapshot(work.session), TextFile(texts, len(work.columns)) as target:
            for record in _records(work, progress):
                target.add(work.relation, record)
            zone = _zone_digest(work)
        kinds = {column.name: column.type for column in work.columns}
        taken = judge_rows(engine, work, kinds, texts, target.written)
        progress(f"{work.table.name}: {taken.rows:,} rows, {taken.rejected:,} set aside")
        return digested(engine, work.schema, taken, work.window, zone)


@contextmanager
def one_snapshot(session: sqlite3.Connection) -> Iterator[None]:
    """All queries within see one state of the file, from the first of them on."""
    session.execute("BEGIN")
    try:
        yield
    finally:
        session.execute("ROLLBACK")


def _zone_digest(work: Read) -> str | None:
    if work.cursor is None or not work.window.advances_watermark or work.window.high is None:
        return None
    reading = Reading(work.session, work.table, work.extract, work.relation, work.cursor, work.stamp.planned_at)
    return reading.zone_digest(work.window.high)


def _records(work: Read, progress: Callable[[str], None]) -> Iterator[Record]:
    names = ", ".join(quoted(column.name) for column in work.columns)
    found = work.session.execute(*_query(work, names))
    place = 0
    while rows := found.fetchmany(_BATCH):
        for row in rows:
            place += 1
            yield _record(work, place, row)
        failpoint("extract.batch")
        if place % _REPORT_EVERY == 0:
            progress(f"{work.table.name}: {place:,} rows so far")


def _query(work: Read, names: str) -> tuple[str, Sequence[Any]]:
    """Rows of the window with what is wrong with their cursor; those without a usable one belong to every window."""
    source, cursor, window = quoted(work.relation), work.cursor, work.window
    if cursor is None:
        return f"SELECT NULL, {names} FROM {source}", ()  # noqa: S608 - identifiers are quoted
    null, future = cursor.is_unusable(work.stamp.planned_at)
    bounds = [(sign, value) for sign, value in ((">", window.low), ("<=", window.high)) if value is not None]
    inside = " AND ".join([f"{cursor.value} {sign} ?" for sign, _ in bounds]) if window.high is not None else "false"
    values = [cursor.order(value) for _, value in bounds] if window.high is not None else []
    unusable = f"CASE WHEN {null} THEN 'null_cursor' WHEN {future} THEN 'future_cursor' END"
    where = f"({inside}) OR {null} OR {future}"
    return f"SELECT {unusable}, {names} FROM {source} WHERE {where}", values  # noqa: S608 - as above


def _record(work: Read, place: int, row: tuple[Any, ...]) -> Record:
    unusable, *values = row
    if any(value in NON_FINITE for value in values if type(value) is float):
        values = _finite(work, values)
    record = record_of(place, values, work.columns)
    if unusable is None or record.fields is None:
        return record
    if _is_no_value(work, values, unusable):
        return record
    return Record(place, record.fields, None, f"{unusable}:{work.extract.cursor}")


def _is_no_value(work: Read, values: list[Any], unusable: str) -> bool:
    """Whether the cursor holds something that is no value of its type: that is what is wrong with the row then."""
    place = [column.name for column in work.columns].index(str(work.extract.cursor))
    return unusable == "null_cursor" and values[place] is not None


def _finite(work: Read, values: list[Any]) -> list[Any]:
    if work.extract.non_finite == "null":
        return without_infinity(values)
    if work.extract.non_finite == "stop":
        name = next(c.name for c, v in zip(work.columns, values, strict=True) if type(v) is float and v in NON_FINITE)
        raise SourceDataError(
            f"column {name} of {work.relation} holds infinity",
            got="inf",
            allowed="none, by `non_finite: stop`",
            remedy="Correct it at the source, or set `non_finite: quarantine` (or `null`) in the YAML.",
            facts={**work.facts, "column": name},
        )
    return values

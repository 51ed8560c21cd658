"""Moving the rows of a window into Parquet: one statement, one moment of the source; exact values, bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwater.adapters.duckdb.engine import make_room, writer
from headwater.adapters.sources.digest import digested
from headwater.adapters.sources.queried import statements
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.cursors import Cursor
from headwater.adapters.sources.queried.database import Database, Relation, Session
from headwater.adapters.sources.queried.surveying import Reading
from headwater.adapters.sources.storing import record_of
from headwater.adapters.sources.taking import judge_rows
from headwater.adapters.sources.texts import Record, TextFile
from headwater.adapters.sources.windows import zone_left
from headwater.domain.errors import SourceDataError
from headwater.domain.run import Window
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import failpoint

_REPORT_EVERY_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """One extract of one relation, everything decided. ``read_as`` are the columns in the types of the live table."""

    session: Session
    database: Database
    table: TableSpec
    extract: SqlExtract
    relation: Relation
    columns: tuple[QueriedColumn, ...]
    read_as: tuple[Column, ...]
    cursor: Cursor | None
    window: Window
    stamp: BatchStamp
    schema: TableSchema
    folder: str
    facts: dict[str, str]

    @property
    def origin(self) -> str:
        return f"{self.facts['connection']}:{self.facts['relation']}"

    @property
    def asks_for_cursors(self) -> bool:
        """Whether rows whose cursor is in no window are to be read too: the plan met some, and they are this run's."""
        met = self.window.null_cursors or self.window.future_cursors
        return bool(self.cursor and met and (self.window.advances_watermark or self.window.low is None))

    def statement(self) -> str:
        """The window's rows in the source's SQL."""
        inside = self.cursor.inside(self.window.low, self.window.high) if self.cursor else "1 = 1"
        return statements.selected(
            self.columns, self.relation, self.database, self.cursor, inside, self.asks_for_cursors,
            self.extract.non_finite,
        )  # fmt: skip


def read(work: Read, progress: Callable[[str], None]) -> Extracted:
    """Read the window.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside; no file is left then.
    """
    failpoint("extract.reading")
    for line in (work.session.told, *(f"{item.name}: {item.note}" for item in work.columns if item.note)):
        progress(f"{work.table.name}: {line}")
    with tempfile.TemporaryDirectory(prefix="headwater-queried-") as scratch, writer() as engine:
        make_room(engine, len(work.columns))
        texts = Path(scratch) / "texts.parquet"
        with work.session.one_moment(), TextFile(texts, len(work.columns)) as target:
            zone = _zone_digest(work)
            for record in _records(work, progress):
                target.add(work.facts["relation"], record)
        kinds = {column.name: column.type for column in work.read_as}
        taken = judge_rows(engine, work, kinds, texts, target.written)
        progress(f"{work.table.name}: {taken.rows:,} rows, {taken.rejected:,} set aside")
        return digested(engine, work.schema, taken, work.window, zone)


def _zone_digest(work: Read) -> str | None:
    if work.cursor is None:
        return None
    reading = Reading(work.session, work.table, work.extract, work.relation, work.columns, work.cursor)
    return zone_left(reading, work.window)


def _records(work: Read, progress: Callable[[str], None]) -> Iterator[Record]:
    place, reported = 0, 0
    for batch in work.session.batches(work.statement()):
        for row in batch:
            place += 1
            yield record_with_problem(work, place, row)
        failpoint("extract.batch")
        if place - reported >= _REPORT_EVERY_ROWS:
            reported = place
            progress(f"{work.table.name}: {place:,} rows so far")


def record_with_problem(work: Read, place: int, row: Sequence[Any]) -> Record:
    """A row as texts, with what is wrong with its cursor."""
    unusable, *values = row
    record = record_of(place, values, work.read_as)
    if work.extract.non_finite == "stop":
        _stop_at_what_no_type_holds(work, record)
    if unusable is None or record.fields is None:
        return record
    return Record(place, record.fields, None, f"{unusable}:{work.extract.cursor}")


def _stop_at_what_no_type_holds(work: Read, record: Record) -> None:
    for column, text in zip(work.columns, record.fields or (), strict=False):
        if column.beyond and text is not None and _is_beyond(column, text):
            raise SourceDataError(
                f"column {column.name} of {work.facts['relation']} holds a value that no type holds",
                got=text[:160],
                allowed="none, by `non_finite: stop`",
                remedy="Correct it at the source, or set `non_finite: quarantine` (or `null`) in the YAML.",
                facts={**work.facts, "column": column.name},
            )


def _is_beyond(column: QueriedColumn, text: str) -> bool:
    """Years before 1 are shown with a sign or as 0000; NaN and infinities in letters."""
    if column.moments is not None:
        return text.startswith(("-", "0000"))
    return text.lstrip("+-")[:1].isalpha()

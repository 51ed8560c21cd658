"""Carrying the rows of a window into Parquet, by one reader or by several at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from headwater.adapters.duckdb.engine import THREADS, room_for
from headwater.adapters.duckdb.sql import constant
from headwater.adapters.sources import parquet
from headwater.adapters.sources.postgres.diagnosing import check_apart
from headwater.adapters.sources.postgres.scanning import (
    LEFT_OUT,
    SUSPECT,
    exported_snapshot,
    first,
    query,
    same_snapshot,
    step,
)
from headwater.adapters.sources.postgres.segments import READERS, Segment, ordinals_from, segments_of
from headwater.adapters.sources.postgres.splitting import FLAG, Split, carried_expression, transport_names
from headwater.adapters.sources.postgres.work import Read
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of the window's rows.

    :param unfit: rows that were met and left out.
    :param suspect: rows carried that may be unfit: only the source can tell.
    :param last_ordinal: no position of theirs is counted beyond it.
    """

    files: tuple[DataFile, ...]
    unfit: int
    suspect: int
    last_ordinal: int = ordinals_from(1)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def carry(
    engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, segments: Sequence[Segment] | None = None
) -> Carried:
    """The rows that fit, seen by ``engine``'s open transaction, or by several more under its snapshot.

    Asking the source to judge each row costs a tenth of the read. So it is asked only of windows in which it has
    to: where suspect rows arrived, and some of the window's are indeed unfit, they are read again.

    :param segments: the stretches that make up the window's rows, where they are known.
    """
    segments = segments or segments_of(engine, work.relation, work.window, work.extract.readers or READERS)
    carried = _carry(engine, work, parts, segments, flagged=False)
    if not carried.suspect or not _is_any_unfit(engine, work, parts):
        return carried
    parquet.delete(carried.files)
    return _carry(engine, work, parts, segments, flagged=True)


def _is_any_unfit(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> bool:
    asked = sql.SQL("SELECT EXISTS (SELECT FROM {} AS t WHERE ({}) AND ({})) AS found").format(
        sql.Identifier(*work.relation), parts.window, parts.flag or sql.SQL("false")
    )
    return bool(first(engine, asked)[0])


def _carry(
    engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, segments: Sequence[Segment], *, flagged: bool
) -> Carried:
    """No reader has helpers: its rows come one after the other, and a second thread would only wait for them."""
    engine.execute("SET threads = 1")
    if len(segments) == 1:
        done = [_write(engine, work, parts, segments[0], flagged)]
    else:
        room_for(engine, len(segments), len(work.columns))
        done = _side_by_side(engine, work, parts, segments, flagged)
    engine.execute(f"SET threads = {THREADS}")
    check_apart(work, segments, done)
    files = tuple(file for one in done for file in one.files)
    return Carried(files, sum(one.unfit for one in done), sum(one.suspect for one in done), done[-1].last_ordinal)


def _side_by_side(
    engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, segments: Sequence[Segment], flagged: bool
) -> list[Carried]:
    snapshot = exported_snapshot(engine)
    with ExitStack() as opened:
        readers = [opened.enter_context(same_snapshot(engine, snapshot)) for _ in segments]
        pool = opened.enter_context(ThreadPoolExecutor(len(segments)))
        writing = [
            pool.submit(_write, reader, work, parts, segment, flagged)
            for reader, segment in zip(readers, segments, strict=True)
        ]
        try:
            return [one.result() for one in writing]
        except BaseException:
            for reader in readers:
                reader.interrupt()
            raise


def _write(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, segment: Segment, flagged: bool) -> Carried:
    names = transport_names(work.columns)
    system = parquet.system_columns(work.stamp, constant(work.origin), "0")
    ordinal = f"{segment.ordinal('row_number() OVER ()')}::VARCHAR"
    values = names | system | {"_hw_position": parquet.position(work.stamp, ordinal)}
    unfit, suspect = (f"{parts.unfit} OR {FLAG}", "false") if flagged else (parts.unfit, parts.suspect)
    source = (
        f"{query(_selected(work, parts, segment, names, flagged))} "
        f"WHERE CASE WHEN {unfit} THEN nextval('{LEFT_OUT}') < 0 ELSE true END "
        f"AND CASE WHEN {suspect} THEN nextval('{SUSPECT}') > 0 ELSE true END"
    )
    stem = f"{work.stamp.attempt}-{work.table.name}-{segment.name}"
    before = step(engine, LEFT_OUT), step(engine, SUSPECT)
    files = parquet.write_rows(engine, work.schema, values, source, work.folder, stem)
    after = step(engine, LEFT_OUT), step(engine, SUSPECT)
    unfit_rows, suspect_rows = after[0] - before[0] - 1, after[1] - before[1] - 1
    # a stretch of pages is followed by the ordinals of the next, whatever it holds
    last = ordinals_from(segment.number + 1)
    if segment.before is not None:
        last = segment.before + sum(file.rows for file in files) + unfit_rows
    return Carried(files, unfit_rows, suspect_rows, last)


def _selected(work: Read, parts: Split, segment: Segment, names: Mapping[str, str], flagged: bool) -> sql.Composed:
    """The segment's rows of the window. Columns travel as c0, c1 … and get their names back in the file."""
    items = [
        sql.SQL("{} AS {}").format(carried_expression(column, work.extract), sql.Identifier(names[column.name]))
        for column in work.columns
    ]
    if flagged and parts.flag is not None:
        items.append(sql.SQL("({}) AS {}").format(parts.flag, sql.Identifier(FLAG)))
    selected = sql.SQL("SELECT {} FROM {} AS t WHERE ({}) AND {}").format(
        sql.SQL(", ").join(items), sql.Identifier(*work.relation), parts.window, segment.condition()
    )
    return selected if segment.order is None else sql.SQL("{} ORDER BY {}").format(selected, segment.order)

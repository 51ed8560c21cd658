"""Carrying the rows of a window into Parquet, by one reader or by several at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from headwater.adapters.sources import parquet
from headwater.adapters.sources.postgres.scanning import LEFT_OUT, exported_snapshot, query, same_snapshot
from headwater.adapters.sources.postgres.segments import Segment, segments_of
from headwater.adapters.sources.postgres.splitting import FLAG, Split, carried_expression, transport_names
from headwater.adapters.sources.postgres.work import Read
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of the window's rows.

    :param unfit: rows that were met and left out.
    """

    files: tuple[DataFile, ...]
    unfit: int
    segments: int = 1

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def carry(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> Carried:
    """The rows that fit, seen by ``engine``'s open transaction, or by several more under its snapshot.

    No reader has helpers: its rows come one after the other, and a second thread would only wait for them.
    """
    segments = segments_of(engine, work.relation, work.window)
    engine.execute("SET threads = 1")
    if len(segments) == 1:
        done = [_write(engine, work, parts, segments[0])]
    else:
        done = _side_by_side(engine, work, parts, segments)
    engine.execute(f"SET threads = {parquet.THREADS}")
    return Carried(tuple(file for one in done for file in one.files), sum(one.unfit for one in done), len(segments))


def _side_by_side(
    engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, segments: Sequence[Segment]
) -> list[Carried]:
    snapshot = exported_snapshot(engine)
    with ExitStack() as opened:
        readers = [opened.enter_context(same_snapshot(engine, snapshot)) for _ in segments]
        pool = opened.enter_context(ThreadPoolExecutor(len(segments)))
        writing = [
            pool.submit(_write, reader, work, parts, segment) for reader, segment in zip(readers, segments, strict=True)
        ]
        try:
            return [one.result() for one in writing]
        except BaseException:
            for reader in readers:
                reader.interrupt()
            raise


def _write(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, segment: Segment) -> Carried:
    """Columns travel as c0, c1 … and get their names, types and ids back in the file."""
    names = transport_names(work.columns)
    items = [
        sql.SQL("{} AS {}").format(carried_expression(column, work.extract), sql.Identifier(names[column.name]))
        for column in work.columns
    ]
    if parts.flag is not None:
        items.append(sql.SQL("({}) AS {}").format(parts.flag, sql.Identifier(FLAG)))
    select = sql.SQL("SELECT {} FROM {} AS t WHERE ({}) AND {}").format(
        sql.SQL(", ").join(items), sql.Identifier(*work.relation), parts.window, segment.condition()
    )
    source = query(select)
    if parts.unfit is not None:
        source += f" WHERE CASE WHEN {parts.unfit} THEN nextval('{LEFT_OUT}') < 0 ELSE true END"
    system = parquet.system_columns(work.stamp, parquet.constant(work.origin), "0")
    ordinal = f"{segment.ordinal('row_number() OVER ()')}::VARCHAR"
    values = names | system | {"_hw_position": parquet.position(work.stamp, ordinal)}
    stem = f"{work.stamp.attempt}-{work.table.name}-{segment.number}"
    files = parquet.write_rows(engine, work.schema, values, source, work.folder, stem)
    left_out = engine.execute(f"SELECT nextval('{LEFT_OUT}') - 1").fetchone()
    return Carried(files, int(left_out[0]) if left_out else 0)

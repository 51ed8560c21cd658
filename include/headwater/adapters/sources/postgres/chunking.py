"""Reading a window in chunks, each from one snapshot of the source; finished ones are never read again (rule 28)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headwater.adapters.sources import parquet
from headwater.adapters.sources.chunks import adopted, forget, gathered, sealed
from headwater.adapters.sources.duckdb_engine import writer
from headwater.adapters.sources.duckdb_sql import literal
from headwater.adapters.sources.postgres.carry import Carried, carry
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.adapters.sources.postgres.keyset import Keyset, bound_of, keyset
from headwater.adapters.sources.postgres.reading import window_digest
from headwater.adapters.sources.postgres.scanning import one_snapshot, query
from headwater.adapters.sources.postgres.segments import Segment, ordinals_from
from headwater.adapters.sources.postgres.setting_aside import set_aside
from headwater.adapters.sources.postgres.splitting import Split, split
from headwater.adapters.sources.postgres.work import Read
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.errors import SourceDataError
from headwater.ports.catalog import DataFile
from headwater.ports.chunks import Bound, Chunk, ChunkLedger
from headwater.ports.extractor import Extracted
from headwater.ports.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class Chunked:
    """A window that is read in chunks of about ``rows`` rows."""

    work: Read
    parts: Split
    keyset: Keyset
    rows: int

    @property
    def has_unusable_cursors(self) -> bool:
        asked = self.work.window.null_cursors or self.work.window.future_cursors
        return bool(asked) and any(rule.of_cursor for rule in self.parts.rules)


def read_in_chunks(work: Read, rows: int, ledger: ChunkLedger, progress: Callable[[str], None]) -> Extracted:
    """Read the window, and go on from the chunks that an earlier attempt finished.

    Each chunk is one moment of the source, the window is not: see docs/guides/sources/postgres.md.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside.
    :raises StagingError: when another attempt has taken over.
    """
    cursor = Cursor(next(column for column in work.columns if column.name == work.extract.cursor))
    window = Chunked(
        work, split(work.table, work.extract, work.columns, work.window),
        keyset(cursor, work.columns, work.table.key), rows,
    )  # fmt: skip
    done = adopted(ledger, work.table.name, progress)
    while not _is_complete(window, done):
        failpoint("extract.reading")
        done.append(_next(window, done))
        failpoint("extract.files")
        ledger.finish(done[-1])
        failpoint("extract.chunk")
        total = sum(chunk.rows for chunk in done)
        progress(f"{work.table.name}: chunk {done[-1].number}: {done[-1].rows:,} rows, {total:,} so far")
    _check_share(window, done, ledger)
    return gathered(done, work.window)


def _is_complete(window: Chunked, done: Sequence[Chunk]) -> bool:
    """The chunk that ends the window has no bound; neither has the first of all, of rows without a usable cursor."""
    return len(done) > window.has_unusable_cursors and done[-1].upto is None


def _next(window: Chunked, done: Sequence[Chunk]) -> Chunk:
    number = len(done)
    start = done[-1].next_ordinal if done else ordinals_from(0)
    with writer() as engine, one_snapshot(engine, window.work.connection):
        digest = done[0].digest if done else window_digest(engine, window.work)
        if window.has_unusable_cursors and not done:
            rejects = set_aside(engine, window.work, _cursors_only(window.parts), Carried((), 0, 0, start), number)
            return _chunk(window, number, None, None, (), rejects, 0, start, digest)
        after = done[-1].upto if done else None
        asked = window.keyset.nth(window.work.relation, window.parts.window, after, window.rows)
        upto = bound_of(engine.execute(f"SELECT * FROM {query(asked)}").fetchall())  # noqa: S608 - made of quoted names and literals
        parts = _values_only(window, after, upto)
        segment = Segment(number, before=start, order=window.keyset.order())
        # how much may be set aside is a share of the window, so it is judged when all of it is there
        lenient = window.work.extract.model_copy(update={"max_quarantined_share": 1.0})
        work = replace(window.work, extract=lenient)
        carried = carry(engine, work, parts, (segment,))
        failpoint("extract.mid")
        try:
            rejects = set_aside(engine, work, parts, carried, number)
        except BaseException:
            parquet.delete(carried.files)
            raise
    return _chunk(window, number, after, upto, carried.files, rejects, carried.unfit, carried.last_ordinal, digest)


def _chunk(
    window: Chunked,
    number: int,
    after: Bound | None,
    upto: Bound | None,
    files: Sequence[DataFile],
    rejects: Sequence[DataFile],
    rejected: int,
    last_ordinal: int,
    digest: str | None,
) -> Chunk:
    return Chunk(
        number=number,
        after=after,
        upto=upto,
        attempt=window.work.stamp.attempt,
        files=sealed(files),
        rejects=sealed(rejects),
        rejected=rejected,
        next_ordinal=last_ordinal + sum(file.rows for file in rejects),
        digest=digest,
    )


def _cursors_only(parts: Split) -> Split:
    """The rows that are in no window: they are looked for once, and first, for there may be too many of them."""
    return Split(parts.window, tuple(rule for rule in parts.rules if rule.of_cursor))


def _values_only(window: Chunked, after: Bound | None, upto: Bound | None) -> Split:
    rules = tuple(rule for rule in window.parts.rules if not rule.of_cursor)
    return Split(window.keyset.between(window.parts.window, after, upto), rules)


def _check_share(window: Chunked, done: Sequence[Chunk], ledger: ChunkLedger) -> None:
    """:raises SourceDataError: when too much of the window was set aside; such chunks are read again by a retry."""
    suspects = [chunk for chunk in done if chunk.rejected]
    if not suspects:
        return
    rejected, rows = sum(chunk.rejected for chunk in done), sum(chunk.rows for chunk in done)
    share, facts = window.work.extract.max_quarantined_share, window.work.facts
    try:
        check_share(rejected, rows + rejected, share, _reasons(suspects), facts)
    except SourceDataError:
        forget(ledger, done[suspects[0].number :])
        raise


def _reasons(chunks: Sequence[Chunk]) -> str:
    paths = ", ".join(literal(parquet.local(file.path)) for chunk in chunks for file in chunk.rejects)
    with writer() as engine:
        counted = engine.execute(
            f"SELECT _hw_rules, count(*) FROM read_parquet([{paths}]) GROUP BY ALL ORDER BY ALL"  # noqa: S608 - made of literals
        ).fetchall()
    return ", ".join(f"{rules} {count}" for rules, count in counted)

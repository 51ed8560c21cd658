"""Reading a window of any database in chunks: what is finished is not read again (rule 28)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources import parquet
from headwater.adapters.sources.chunks import adopted, forget, gathered
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.errors import SourceDataError
from headwater.domain.run import Window
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.chunks import Bound, Chunk, ChunkLedger
from headwater.ports.extractor import Extracted
from headwater.ports.failpoints import failpoint


class Work(Protocol):
    """One extract of one relation, everything decided."""

    @property
    def table(self) -> TableSpec: ...
    @property
    def extract(self) -> SqlExtract: ...
    @property
    def window(self) -> Window: ...
    @property
    def facts(self) -> Mapping[str, str]: ...


class ChunkReader(Protocol):
    """A window that one kind of database reads chunk by chunk."""

    @property
    def work(self) -> Work: ...
    @property
    def has_unusable_cursors(self) -> bool:
        """Whether the first chunk is of rows whose cursor is in no window: they are looked for once, and first."""
        ...

    def next(self, done: Sequence[Chunk]) -> Chunk:
        """Read the chunk that follows these, without judging how much of it was set aside."""
        ...


def read_in_chunks(reader: ChunkReader, ledger: ChunkLedger, progress: Callable[[str], None]) -> Extracted:
    """Read the window, and go on from the chunks that an earlier attempt finished.

    Each chunk is one moment of the source, the window is not: see docs/guides/sources/postgres.md.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside.
    :raises StagingError: when another attempt has taken over.
    """
    work = reader.work
    done = adopted(ledger, work.table.name, progress)
    while not _is_complete(reader, done):
        failpoint("extract.reading")
        done.append(reader.next(done))
        failpoint("extract.files")
        ledger.finish(done[-1])
        failpoint("extract.chunk")
        total = sum(chunk.rows for chunk in done)
        progress(f"{work.table.name}: chunk {done[-1].number}: {done[-1].rows:,} rows, {total:,} so far")
    _check_share(work, done, ledger)
    return gathered(done, work.window)


def bound_of(found: Sequence[Sequence[str | None]]) -> Bound | None:
    """The bound at the first of two rows; None where no row follows it.

    A key with a NULL is no bound: then all rows of its cursor stay in one chunk.
    """
    if len(found) < 2:
        return None
    cursor, *key = found[0]
    texts = tuple(text for text in (cursor, *key) if text is not None)
    return texts if len(texts) == len(found[0]) else (str(cursor),)


def lenient(extract: SqlExtract) -> SqlExtract:
    """For one chunk: how much may be set aside is a share of the window, so it is judged when all of it is there."""
    return extract.model_copy(update={"max_quarantined_share": 1.0})


def _is_complete(reader: ChunkReader, done: Sequence[Chunk]) -> bool:
    """The chunk that ends the window has no bound; neither has the first of all, of rows without a usable cursor."""
    return len(done) > reader.has_unusable_cursors and done[-1].upto is None


def _check_share(work: Work, done: Sequence[Chunk], ledger: ChunkLedger) -> None:
    """:raises SourceDataError: when too much of the window was set aside; such chunks are read again by a retry."""
    suspects = [chunk for chunk in done if chunk.rejected]
    if not suspects:
        return
    rejected, rows = sum(chunk.rejected for chunk in done), sum(chunk.rows for chunk in done)
    share, facts = work.extract.max_quarantined_share, dict(work.facts)
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

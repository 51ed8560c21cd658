"""One chunk of a window, read from one snapshot of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources import parquet
from headwater.adapters.sources.chunking import lenient
from headwater.adapters.sources.chunks import sealed
from headwater.adapters.sources.postgres.carry import Carried, carry
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.adapters.sources.postgres.keyset import Keyset, keyset
from headwater.adapters.sources.postgres.reading import window_digest
from headwater.adapters.sources.postgres.scanning import one_snapshot
from headwater.adapters.sources.postgres.segments import ordinals_from
from headwater.adapters.sources.postgres.setting_aside import set_aside
from headwater.adapters.sources.postgres.sharing import Sharing
from headwater.adapters.sources.postgres.splitting import Split, split
from headwater.adapters.sources.postgres.work import Read
from headwater.ports.catalog import DataFile
from headwater.ports.chunks import Bound, Chunk
from headwater.ports.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class Chunked:
    """``sources.chunking.ChunkReader``: a window in chunks of about ``rows`` rows."""

    work: Read
    parts: Split
    keyset: Keyset
    rows: int

    @classmethod
    def of(cls, work: Read, rows: int) -> Chunked:
        cursor = Cursor(next(column for column in work.columns if column.name == work.extract.cursor))
        parts = split(work.table, work.extract, work.columns, work.window)
        return cls(work, parts, keyset(cursor, work.columns, work.table.key), rows)

    @property
    def has_unusable_cursors(self) -> bool:
        asked = self.work.window.null_cursors or self.work.window.future_cursors
        return bool(asked) and any(rule.of_cursor for rule in self.parts.rules)

    def next(self, done: Sequence[Chunk]) -> Chunk:
        number = len(done)
        start = done[-1].next_ordinal if done else ordinals_from(0)
        with writer() as engine, one_snapshot(engine, self.work.connection):
            digest = done[0].digest if done else window_digest(engine, self.work)
            if self.has_unusable_cursors and not done:
                none = Carried((), 0, 0, start)
                rejects = set_aside(engine, self.work, _cursors_only(self.parts), none, number)
                return self._chunk(number, (None, None), none, rejects, digest)
            after = done[-1].upto if done else None
            sharing = Sharing(engine, self.work, self.keyset, self.parts.window)
            segments, upto = sharing.cut(after, self.rows, number, start)
            parts = self._values_only(after, upto)
            work = replace(self.work, extract=lenient(self.work.extract))
            carried = carry(engine, work, parts, segments)
            failpoint("extract.mid")
            try:
                rejects = set_aside(engine, work, parts, carried, number)
            except BaseException:
                parquet.delete(carried.files)
                raise
        return self._chunk(number, (after, upto), carried, rejects, digest)

    def _chunk(
        self,
        number: int,
        bounds: tuple[Bound | None, Bound | None],
        carried: Carried,
        rejects: Sequence[DataFile],
        digest: str | None,
    ) -> Chunk:
        return Chunk(
            number=number,
            after=bounds[0],
            upto=bounds[1],
            attempt=self.work.stamp.attempt,
            files=sealed(carried.files),
            rejects=sealed(rejects),
            rejected=carried.unfit,
            next_ordinal=carried.last_ordinal + sum(file.rows for file in rejects),
            digest=digest,
        )

    def _values_only(self, after: Bound | None, upto: Bound | None) -> Split:
        rules = tuple(rule for rule in self.parts.rules if not rule.of_cursor)
        return Split(self.keyset.between(self.parts.window, after, upto), rules)


def _cursors_only(parts: Split) -> Split:
    """The rows that are in no window: they are looked for once, and first, for there may be too many of them."""
    return Split(parts.window, tuple(rule for rule in parts.rules if rule.of_cursor))

"""One chunk of a window, read by one statement of MySQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headwater.adapters.sources.chunking import lenient
from headwater.adapters.sources.chunks import sealed
from headwater.adapters.sources.mysql.keyset import Keyset, keyset
from headwater.adapters.sources.mysql.reading import FIRST_ORDINAL, take
from headwater.adapters.sources.mysql.surveying import Reading
from headwater.adapters.sources.mysql.work import Part, Read
from headwater.adapters.sources.windows import zone_left
from headwater.ports.chunks import Chunk


@dataclass(frozen=True, slots=True)
class Chunked:
    """``sources.chunking.ChunkReader``: a window in chunks of about ``rows`` rows.

    A bound is found by one statement and the rows up to it are read by another: what is committed in between makes a
    chunk longer or shorter, and no bound another.
    """

    work: Read
    reading: Reading
    keyset: Keyset
    rows: int
    progress: Callable[[str], None]

    @classmethod
    def of(cls, work: Read, reading: Reading, rows: int, progress: Callable[[str], None]) -> Chunked:
        return cls(work, reading, keyset(reading.cursor, work.columns, work.table.key), rows, progress)

    @property
    def has_unusable_cursors(self) -> bool:
        return self.work.asks_for_cursors

    def next(self, done: Sequence[Chunk]) -> Chunk:
        window, start = self.work.window, done[-1].next_ordinal if done else FIRST_ORDINAL
        # before the rows: what is committed in between is read now, and found again by the next plan
        digest = done[0].digest if done else zone_left(self.reading, window)
        after = upto = None
        if self.has_unusable_cursors and not done:
            part, extract = Part(0, "FALSE", start, of_cursors=True), self.work.extract
        else:
            inside = self.keyset.cursor.inside(window.low, window.high)
            after = done[-1].upto if done else None
            upto = self.keyset.bound_after(self.work.session.all, self.work.relation, inside, after, self.rows)
            condition = self.keyset.between(inside, after, upto)
            part, extract = Part(len(done), condition, start, self.keyset.order()), lenient(self.work.extract)
        files, rejects = take(replace(self.work, extract=extract, part=part), self.progress)
        rejected = sum(file.rows for file in rejects)
        return Chunk(
            number=part.number,
            after=after,
            upto=upto,
            attempt=self.work.stamp.attempt,
            files=sealed(files),
            rejects=sealed(rejects),
            rejected=0 if part.of_cursors else rejected,
            next_ordinal=start + sum(file.rows for file in files) + rejected,
            digest=digest,
        )

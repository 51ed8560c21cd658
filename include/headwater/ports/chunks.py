"""Finished chunks of a long read: what an interrupted extract goes on from (rule 28)."""

from __future__ import annotations

from typing import Protocol

from headwater.domain.base import Value
from headwater.domain.errors import StagingError
from headwater.ports.catalog import DataFile

Bound = tuple[str, ...]
"""The cursor of a row and then the columns of its key, as texts of the source; or a cursor alone, which stands for all
rows that have it."""


class StoredFile(DataFile):
    """A finished file and the hash of its bytes, so that another attempt can tell that it is still that file."""

    sha256: str


class Chunk(Value):
    """The rows of a window after one bound and up to the next, in finished files.

    :param after: None for the first chunk: from the start of the window.
    :param upto: None for the last chunk: to the end of the window, wherever that is.
    :param attempt: which wrote the files; their names carry it (rule 12).
    :param rejected: rows set aside because of their values; ``rejects`` may hold more, whose cursor is in no window.
    :param next_ordinal: what the positions of the next chunk are counted from (rule 27).
    :param digest: ``Extracted.digest`` of the window, as it was when its first chunk was read.
    """

    number: int
    after: Bound | None = None
    upto: Bound | None = None
    attempt: str
    files: tuple[StoredFile, ...] = ()
    rejects: tuple[StoredFile, ...] = ()
    rejected: int = 0
    next_ordinal: int
    digest: str | None = None

    @property
    def rows(self) -> int:
        """Rows in its files, those set aside not among them."""
        return sum(file.rows for file in self.files)


class ChunkClaim(Value):
    """Which attempt may write the chunks of one run's table, under which plan.

    :param plan: hash of everything that decides what the window's rows are and how they lie in files. Chunks of
        another plan are never taken over.
    """

    run_key: str
    table: str
    plan: str
    attempt: str

    def lost(self) -> StagingError:
        """What an attempt is told that writes on although a later one has begun."""
        return StagingError(
            f"another attempt reads {self.table} in this one's place",
            got=f"attempt {self.attempt} writes after a later one has begun",
            allowed="the newest attempt of the run",
            remedy="Nothing has to be done: the later attempt goes on from the chunks that were finished.",
            facts={"table": self.table},
        )


class ChunkLedger(Protocol):
    """The chunks of one window, for one attempt: a later one takes it over, and the earlier can then write no more."""

    def finished(self) -> tuple[Chunk, ...]:
        """Claim the ledger; the chunks that earlier attempts of the same plan finished, in order."""
        ...

    def finish(self, chunk: Chunk) -> None:
        """Record a chunk, whose files are complete. :raises StagingError: when another attempt has taken over."""
        ...

    def forget(self, first: int) -> None:
        """Drop the chunks from this number on. :raises StagingError: when another attempt has taken over."""
        ...

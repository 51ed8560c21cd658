"""Extractors move rows of a frozen window into finished Parquet files, memory bounded whatever the size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, Self, runtime_checkable

from headwater.domain.base import Value
from headwater.domain.run import RunRequest, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.catalog import DataFile
from headwater.ports.chunks import ChunkLedger


class BatchStamp(Value):
    """What every row of a batch carries (rule 26)."""

    run_key: str
    planned_at: datetime
    batch: int
    attempt: str


class Extracted(Value):
    """What one extract produced.

    :param files: finished files with the bronze columns and field ids; empty when the window held nothing.
    :param rejects: files of rows that could not be typed or parsed, with the quarantine columns.
    :param digest: snapshot extracts: sha256 over the content, independent of physical order. Incremental extracts
        with a lag: digest of the rows of (watermark - lag, watermark], so that the next plan sees late commits.
        Belongs into the table's state in either case; None leaves the state's digest as it is.
    :param watermark: highest cursor among rows taken, as text; None when unchanged.
    :param ledger: file sources: the new ledger's bytes, to be written before the commit.
    :param noticed: what files have that the table bears and does not take, in words; for its owner.
    """

    files: tuple[DataFile, ...] = ()
    rejects: tuple[DataFile, ...] = ()
    rows: int = 0
    size_bytes: int = 0
    rejected: int = 0
    digest: str | None = None
    watermark: str | None = None
    ledger: bytes | None = None
    noticed: tuple[str, ...] = ()

    @classmethod
    def of(cls, files: Sequence[DataFile], rejects: Sequence[DataFile]) -> Self:
        """What finished files amount to."""
        return cls(
            files=tuple(files),
            rejects=tuple(rejects),
            rows=sum(file.rows for file in files),
            size_bytes=sum(file.size_bytes for file in files),
            rejected=sum(file.rows for file in rejects),
        )


class SourceRelation(Value):
    """What a source offers, for ``new-source`` and ``doctor``.

    :param unique_key: columns that never repeat and are never empty: the primary key, else the shortest unique one.
    :param comment: what the source says of it, in words.
    :param problem: why no run could carry the relation as it is; None when it can be read.
    :param files: how the files of a landing folder that look like one table are read, as guessed from some of them.
    :param doubt: what of this a person has to look at, in words.
    """

    relation: str
    primary_key: tuple[str, ...]
    unique_key: tuple[str, ...] = ()
    cursor_candidates: tuple[str, ...]
    estimated_rows: int | None = None
    schema_: TableSchema
    comment: str | None = None
    problem: str | None = None
    files: FilesExtract | None = None
    doubt: str = ""


class Extractor(Protocol):
    """One kind of source, opened for one connection. Close it; it holds a connection."""

    def inspect(self, table: TableSpec) -> TableSchema:
        """The table's columns as the source has them now, in Iceberg types, without system columns.

        :raises SourceTableMissingError: when the relation does not exist, naming near misses.
        :raises SchemaDriftError: when two columns are equal but for case, or a type cannot be carried.
        """
        ...

    def plan(
        self, table: TableSpec, state: TableState | None, ledger: bytes | None, request: RunRequest, now: datetime
    ) -> Window:
        """Freeze what the next run reads (rules 5, 6). Reads no rows.

        :param ledger: content of the ledger named by ``state``, for file sources.
        """
        ...

    def extract(
        self,
        table: TableSpec,
        window: Window,
        stamp: BatchStamp,
        schema: TableSchema,
        folder: str,
        ledger: bytes | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Extracted:
        """Read the window into Parquet files in ``folder``, whose names carry the attempt.

        :param schema: the live bronze schema with field ids (source columns, then system columns).
        """
        ...

    def list_relations(self) -> tuple[SourceRelation, ...]:
        """Everything readable in the source."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class ChunkedExtractor(Extractor, Protocol):
    """An extractor that can read a window piece by piece, and go on where an earlier attempt was interrupted."""

    def extract_in_chunks(
        self,
        table: TableSpec,
        window: Window,
        stamp: BatchStamp,
        schema: TableSchema,
        folder: str,
        chunks: ChunkLedger,
        progress: Callable[[str], None] | None = None,
    ) -> Extracted:
        """``extract`` of an incremental window in chunks of ``chunk_rows``: what is finished is not read again.

        :raises StagingError: when another attempt of the run has taken the read over.
        """
        ...


def unheard(_: str) -> None:
    """Progress that nobody reads."""

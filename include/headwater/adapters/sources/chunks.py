"""Chunks of any database: which of them still stand, and what they are together (rules 12, 28)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import file_digest
from pathlib import Path

from headwater.adapters.sources import parquet
from headwater.domain.run import Window
from headwater.ports.catalog import DataFile
from headwater.ports.chunks import Chunk, ChunkLedger, StoredFile
from headwater.ports.extractor import Extracted


def adopted(ledger: ChunkLedger, table: str, progress: Callable[[str], None]) -> list[Chunk]:
    """The chunks that need not be read again: all up to the first one of which a file is gone or no longer the same.

    The others are forgotten and their files removed: what lies behind a gap is read again, for positions have to be
    counted on from there (rule 27).
    """
    found = ledger.finished()
    sound = next((place for place, chunk in enumerate(found) if not _is_intact(chunk)), len(found))
    if sound < len(found):
        progress(f"{table}: a file of chunk {found[sound].number} is gone or altered: it is read again from there")
        forget(ledger, found[sound:])
    if sound:
        rows = sum(chunk.rows for chunk in found[:sound])
        progress(f"{table}: {sound} chunks with {rows:,} rows were finished by an earlier try of this run")
    return list(found[:sound])


def forget(ledger: ChunkLedger, chunks: Sequence[Chunk]) -> None:
    """Drop these chunks and all after them, and only then their files: the ledger never names one that is gone."""
    ledger.forget(chunks[0].number)
    for chunk in chunks:
        parquet.delete([*chunk.files, *chunk.rejects])


def sealed(files: Iterable[DataFile]) -> tuple[StoredFile, ...]:
    """The files with the hashes of their bytes."""
    return tuple(StoredFile(**file.model_dump(), sha256=_sha256(file)) for file in files)


def gathered(chunks: Sequence[Chunk], window: Window) -> Extracted:
    """What the chunks are together: one extract, committed once (rule 11)."""
    files = tuple(file for chunk in chunks for file in chunk.files)
    rejects = tuple(file for chunk in chunks for file in chunk.rejects)
    extracted = Extracted.of(tuple(map(_plain, files)), tuple(map(_plain, rejects)))
    watermark = window.high if window.advances_watermark else None
    return extracted.model_copy(update={"digest": chunks[0].digest, "watermark": watermark})


def _plain(file: StoredFile) -> DataFile:
    return DataFile(path=file.path, rows=file.rows, size_bytes=file.size_bytes)


def _is_intact(chunk: Chunk) -> bool:
    return all(_is_same(file) for file in (*chunk.files, *chunk.rejects))


def _is_same(file: StoredFile) -> bool:
    path = Path(parquet.local(file.path))
    return path.is_file() and path.stat().st_size == file.size_bytes and _sha256(file) == file.sha256


def _sha256(file: DataFile) -> str:
    with Path(parquet.local(file.path)).open("rb") as content:
        return file_digest(content, "sha256").hexdigest()

"""Rows as texts in one Parquet file: where readers leave records before they are judged and typed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_RECORDS = 20_000
BATCH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the texts of its fields, None for NULL; or None altogether, and what is wrong with it.

    :param place: line, index or row number, counted from 1.
    :param raw: the record as it was delivered; where ``fields`` are given only when it has to be kept beside them.
    """

    place: int
    fields: Sequence[str | None] | None
    raw: str | None = None
    problem: str | None = None


def escaped(content: bytes) -> str:
    r"""Bytes that are no text, as a text they can be had back from: backslashes doubled, the rest as ``\xNN``."""
    plain = content.replace(b"\\", b"\\\\").replace(b"\0", b"\\x00")
    return plain.decode("utf-8", errors="backslashreplace")


def numbers(first: int, count: int) -> pa.Array:
    """``first, first + 1 …`` as an array, without an object per number."""
    import pyarrow as pa

    content = pa.py_buffer(array("q", range(first, first + count)))
    return pa.Array.from_buffers(pa.int64(), count, [None, content])


@dataclass(slots=True)
class TextFile:
    """Writes records as ``c0, c1 … file, place, ordinal, problem, raw``; memory bounded by rows and by bytes."""

    path: Path
    width: int
    ordinal: int = 0
    _writer: Any = None
    _waiting: list[tuple[str, Record]] = field(default_factory=list)
    _bytes: int = 0

    @property
    def written(self) -> int:
        """Records taken so far, those that wait included."""
        return self.ordinal + len(self._waiting)

    def __enter__(self) -> TextFile:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(self.path, self.schema, compression="lz4", use_dictionary=["file", "problem"])
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self.flush()
        self._writer.close()

    @property
    def schema(self) -> pa.Schema:
        import pyarrow as pa

        texts = [(f"c{place}", pa.string()) for place in range(self.width)]
        numbers = [("place", pa.int64()), ("ordinal", pa.int64())]
        return pa.schema([*texts, ("file", pa.string()), *numbers, ("problem", pa.string()), ("raw", pa.string())])

    def add(self, file: str, record: Record) -> None:
        """One more record of a file."""
        self._waiting.append((file, record))
        self._bytes += len(record.raw or "") + sum(len(text) for text in record.fields or () if text)
        if len(self._waiting) >= BATCH_RECORDS or self._bytes >= BATCH_BYTES:
            self.flush()

    def add_columns(self, file: str, columns: Sequence[pa.Array], places: pa.Array) -> None:
        """Many whole records of a file at once."""
        import pyarrow as pa

        self.flush()
        rows = len(places)
        nothing = pa.nulls(rows, pa.string())
        self._write([*columns, pa.repeat(file, rows), places, self._ordinals(rows), nothing, nothing])

    def pass_over(self, rows: int) -> int:
        """So many records that follow are taken by somebody else; the ordinal of the first."""
        self.flush()
        first, self.ordinal = self.ordinal + 1, self.ordinal + rows
        return first

    def flush(self) -> None:
        """Write what waits."""
        import pyarrow as pa

        batch, self._waiting, self._bytes = self._waiting, [], 0
        if not batch:
            return
        fields = [record.fields for _, record in batch]
        columns = [
            pa.array([row[place] if row is not None else None for row in fields], pa.string())
            for place in range(self.width)
        ]
        columns.append(pa.array([file for file, _ in batch], pa.string()))
        columns.append(pa.array([record.place for _, record in batch], pa.int64()))
        columns.append(self._ordinals(len(batch)))
        columns.append(pa.array([record.problem for _, record in batch], pa.string()))
        self._write([*columns, pa.array([record.raw for _, record in batch], pa.string())])

    def _ordinals(self, rows: int) -> pa.Array:
        first, self.ordinal = self.ordinal + 1, self.ordinal + rows
        return numbers(first, rows)

    def _write(self, columns: list[pa.Array]) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_arrays(columns, schema=self.schema))

"""Rows whose columns are typed by now into finished Parquet files, by Arrow; memory bounded by a row group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.adapters.sources.batch_files import BatchFiles
from headwater.adapters.sources.parquet import (
    DICTIONARY_ENTRIES,
    FILE_BYTES,
    ROWS_IN_GROUP,
    delete,
    local,
)
from headwater.adapters.sources.stamped import Stamped
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP_BYTES = 32 << 20
"""In memory, where a third of it are positions."""


class TypedRows:
    """Writes the rows of one extract. Files that were written are deleted where the extract fails."""

    def __init__(self, into: BatchFiles) -> None:
        self.schema, self._into = into.schema, into
        self._stamped = Stamped(into.stamp)
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = self._in_file = 0
        self._writer: Any = None
        self._files: list[DataFile] = []

    def __enter__(self) -> TypedRows:
        return self

    def __exit__(self, *failure: object) -> None:
        self._waiting.clear()
        try:
            if self._writer is not None:
                self._end_file()
        finally:
            if failure[0] is not None:
                delete(self._files)

    def add(self, columns: Sequence[pa.Array], origin: str, ordinal: int) -> None:
        """Rows of one file that follow each other.

        :param columns: those of the source in their order in the live table, in their types.
        :param ordinal: that of the first row (rule 27).
        """
        import pyarrow as pa

        rows = len(columns[0])
        system = self._stamped.columns(rows, origin, ordinal)
        found = iter(columns)
        every = [system[c.name] if c.name in system else next(found) for c in self.schema.columns]
        table = pa.Table.from_arrays(every, names=[column.name for column in self.schema.columns])
        self._waiting.append(table)
        self._rows += rows
        self._bytes += table.nbytes
        if self._rows >= ROWS_IN_GROUP or self._bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def finish(self) -> tuple[DataFile, ...]:
        """Write what waits; the files."""
        self._flush()
        if self._writer is not None:
            self._end_file()
        return tuple(self._files)

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting, self._bytes = [], 0
        if self._writer is None:
            self._begin_file(table)
        self._writer.write_table(table, row_group_size=self._rows)
        self._in_file, self._rows = self._in_file + self._rows, 0
        if self._sink.tell() >= FILE_BYTES:
            self._end_file()

    def _begin_file(self, first: pa.Table) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        ids = {column.name: str(column.field_id).encode() for column in self.schema.columns}
        fields = [field.with_metadata({b"PARQUET:field_id": ids[field.name]}) for field in first.schema]
        self._path = Path(local(self._into.folder)) / f"{self._into.stem}-typed-{len(self._files)}.parquet"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = pa.OSFile(str(self._path), "wb")
        self._writer = pq.ParquetWriter(
            self._sink, pa.schema(fields), compression="zstd", compression_level=1, store_schema=False,
            store_decimal_as_integer=True, use_dictionary=[name for name in first.column_names if _recurs(first[name])],
        )  # fmt: skip

    def _end_file(self) -> None:
        writer, self._writer = self._writer, None
        path = f"{self._into.folder.rstrip('/')}/{self._path.name}"
        self._files.append(DataFile(path=path, rows=self._in_file, size_bytes=0))
        writer.close()
        self._sink.close()
        self._files[-1] = self._files[-1].model_copy(update={"size_bytes": self._path.stat().st_size})
        self._in_file = 0


def _recurs(column: pa.ChunkedArray) -> bool:
    """Whether a column's values recur so much, as its first ones show, that a dictionary is worth its time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        return True
    return bool(pc.count_distinct(column.slice(0, 4 * DICTIONARY_ENTRIES)).as_py() <= DICTIONARY_ENTRIES)

"""From the files of a window to one Parquet file of texts, from which rows and rejects are taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, ReadFile
from headwater.adapters.sources.files.records import CsvFormat, Record, read_records
from headwater.domain.errors import SchemaDriftError, SourceDataError
from headwater.domain.spec import FilesExtract, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_RECORDS = 20_000


@dataclass(slots=True)
class Counted:
    """What became of one file."""

    file: LandedFile
    sha256: str
    records: int


@dataclass(frozen=True, slots=True)
class Parser:
    """Parses the files of one table."""

    table: TableSpec
    extract: FilesExtract
    landing: Landing

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.extract.columns)

    def parse(self, files: list[LandedFile], target: Path) -> list[Counted]:
        """Write all records of ``files`` as text: ``c0, c1 … file, line, ordinal, problem, raw``.

        :raises SourceDataError: when a file is not the one that was planned.
        :raises SchemaDriftError: when a header is not what the YAML declares.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        texts = [(f"c{place}", pa.string()) for place in range(len(self.names))]
        more = [("file", pa.string()), ("line", pa.int64()), ("ordinal", pa.int64())]
        schema = pa.schema([*texts, *more, ("problem", pa.string()), ("raw", pa.string())])
        counted: list[Counted] = []
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            ordinal = 0
            for file in files:
                ordinal += self._parse_file(file, writer, schema, ordinal, counted)
        return counted

    def _parse_file(
        self, file: LandedFile, writer: Any, schema: pa.Schema, ordinal: int, counted: list[Counted]
    ) -> int:
        import pyarrow as pa

        self._check_planned(file)
        digest, records = hashlib.sha256(), 0
        with self.landing.open(self.table, file.path) as content:
            rows = read_records(content, CsvFormat(self.extract.delimiter, self.extract.null), digest.update)
            order = self._header(next(rows, None), file)
            for batch in _batches(rows):
                columns = self._columns(batch, order, file, ordinal + records)
                writer.write_batch(pa.record_batch(columns, schema=schema))
                records += len(batch)
        self._check_planned(file)
        counted.append(Counted(file, digest.hexdigest(), records))
        return records

    def _header(self, record: Record | None, file: LandedFile) -> list[int]:
        """Of each declared column its place in the file; an empty file has no header to judge."""
        if record is None:
            return list(range(len(self.names)))
        found = record.fields or []
        if sorted(name or "" for name in found) != sorted(self.names):
            missing = [name for name in self.names if name not in found]
            extra = [str(name) for name in found if name not in self.names]
            raise SchemaDriftError(
                f"{file.path} does not have the declared columns: missing {', '.join(missing) or 'none'}, "
                f"not declared {', '.join(extra) or 'none'}",
                got=record.raw[:200],
                allowed=self.extract.delimiter.join(self.names),
                remedy="Deliver the file with the declared header, or change `columns` of the extract.",
                facts={
                    **self.landing.facts(self.table),
                    "file": file.path,
                    "column": (missing or extra or [""])[0],
                    "missing": ", ".join(missing),
                    "extra": ", ".join(extra),
                },
            )
        return [found.index(name) for name in self.names]

    def _columns(self, batch: list[Record], order: list[int], file: LandedFile, ordinal: int) -> list[pa.Array]:
        import pyarrow as pa

        problems = [_problem(record, len(order)) for record in batch]
        fields = [[] if problem else record.fields or [] for record, problem in zip(batch, problems, strict=True)]
        arrays = [pa.array([row[place] if row else None for row in fields], pa.string()) for place in order]
        arrays.append(pa.array([file.path] * len(batch), pa.string()))
        arrays.append(pa.array([record.line for record in batch], pa.int64()))
        arrays.append(pa.array(range(ordinal + 1, ordinal + 1 + len(batch)), pa.int64()))
        arrays.append(pa.array(problems, pa.string()))
        raw = [record.raw if problem else None for record, problem in zip(batch, problems, strict=True)]
        return [*arrays, pa.array(raw, pa.string())]

    def _check_planned(self, file: LandedFile) -> None:
        now = self.landing.stat(self.table, file.path)
        if now != file:
            what = "is gone" if now is None else "changed"
            raise SourceDataError(
                f"{file.path} {what} after the run was planned",
                got="no file" if now is None else f"{now.size} bytes",
                allowed=f"{file.size} bytes, untouched since the plan",
                remedy="Put the file back as it was and clear the task, or start a new run, which plans again.",
                facts={**self.landing.facts(self.table), "file": file.path},
            )


def _problem(record: Record, width: int) -> str | None:
    if record.fields is not None and len(record.fields) != width:
        return "field_count"
    return record.problem or None


def read_file(counted: Counted, rejected: int) -> ReadFile:
    """The ledger's entry of a file."""
    rows = counted.records - rejected
    return ReadFile(**counted.file.model_dump(), sha256=counted.sha256, rows=rows, rejected=rejected)


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH_RECORDS:
            yield batch
            batch = []
    if batch:
        yield batch

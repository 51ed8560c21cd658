"""From the files of a window to texts, from which rows and rejects are taken."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.engine import THREADS
from headwater.adapters.sources.files.csv_reading import CsvReader
from headwater.adapters.sources.files.json_reading import read_json_array, read_json_lines
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, ReadFile
from headwater.adapters.sources.files.lines import LoneReturnError, NoByteOrderMarkError, RecordTooLongError
from headwater.adapters.sources.files.parquet_reading import read_parquet
from headwater.adapters.sources.files.shape import Shape
from headwater.adapters.sources.files.unpacking import Part, parts_of
from headwater.adapters.sources.texts import TextFile
from headwater.adapters.sources.typed_rows import TypedRows
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    import duckdb

_Reader = Callable[[Part, Shape, TextFile], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of one file."""

    file: LandedFile
    sha256: str
    records: int

    def read_file(self, rejected: int) -> ReadFile:
        """The ledger's entry."""
        known = self.file.model_dump(include={"path", "size", "modified_ns", "etag"})
        return ReadFile(**known, sha256=self.sha256, rows=self.records - rejected, rejected=rejected)


@dataclass(slots=True)
class Parser:
    """Parses the files of one table: into typed rows where a reader can, into ``scratch`` otherwise."""

    landing: Landing
    engine: duckdb.DuckDBPyConnection
    scratch: Path
    rows: TypedRows
    progress: Callable[[str], None] | None = None
    counted: list[Counted] = field(default_factory=list)
    texts: list[Path] = field(default_factory=list)
    noticed: dict[str, str] = field(default_factory=dict)
    """What files have that the table bears and does not take, and the first file that has it."""

    @property
    def records(self) -> int:
        return sum(item.records for item in self.counted)

    def parse(self, files: list[LandedFile]) -> None:
        """Read every file once.

        :raises SourceDataError: when a file is damaged, or not the one that was planned.
        :raises SchemaDriftError: when its columns are not what the YAML declares.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            # a version of a Delta table may have no file at all: then the texts are an empty file
            if files and self.landing.extract.format in ("parquet", "delta"):
                for file in files:
                    self._each(pool, file, self._columnar)
                return
            texts = self.scratch / "texts.parquet"
            readers: dict[str, _Reader] = {
                "csv": CsvReader(pool, self.rows).read, "jsonl": read_json_lines, "json": read_json_array
            }  # fmt: skip
            with TextFile(texts, len(self.landing.extract.columns)) as target:
                for file in files:
                    self._each(pool, file, partial(self._lines, target, readers[self.landing.extract.format]))
            self.texts.append(texts)

    def _each(self, pool: Executor, file: LandedFile, read: Callable[[LandedFile, Path, Shape], int]) -> None:
        shape = Shape.of(self.landing, file.path, file.partitions)
        local, known = self.landing.fetch(file, self.scratch)
        hashed = pool.submit(lambda: known or self.landing.sha256(file.path))
        records = read(file, local, shape)
        for words in shape.noticed:
            self.noticed.setdefault(words, file.path)
        digest = hashed.result()
        # both readings were of the planned bytes if the file lies there untouched now
        self.landing.check_planned(file)
        if file.rows is not None and file.rows != records:
            what = "has another number of records than its manifest says"
            raise self.landing.refusal(file.path, what, f"{records} records", f"{file.rows}")
        self.counted.append(Counted(file, digest, records))
        failpoint("extract.file")
        if self.progress is not None and len(self.counted) % 100 == 0:
            self.progress(f"{self.landing.table.name}: {self.records:,} records of {len(self.counted):,} files so far")

    def _columnar(self, file: LandedFile, local: Path, shape: Shape) -> int:
        target = self.scratch / f"texts-{len(self.texts):06d}.parquet"
        records = read_parquet(self.engine, file, local, shape, target, self.records)
        self.texts.append(target)
        return records

    def _lines(self, target: TextFile, read: _Reader, file: LandedFile, local: Path, shape: Shape) -> int:
        before = target.written
        try:
            for part in parts_of(self.landing, file, local):
                read(part, shape, target)
            return target.written - before
        except RecordTooLongError:
            what, got = "has a record that is too long", f"more than {self.landing.extract.max_record_bytes:,} bytes"
            allowed, remedy = "shorter records", "Look for a missing line end or quote, or raise `max_record_bytes`."
        except LoneReturnError:
            what, got = "has lines that end in CR alone", "a first line that goes on after a carriage return"
            allowed, remedy = (
                "lines that end in LF or CR LF",
                "Deliver the file with such ends, under another name; a value with a carriage return has to be quoted.",
            )
        except NoByteOrderMarkError:
            what, got = "does not say which byte comes first", "no byte order mark"
            allowed, remedy = "UTF-16 with a byte order mark", "Deliver the file with a mark, or in UTF-8."
        raise self.landing.refusal(file.path, what, got, allowed, remedy)

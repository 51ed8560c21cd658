"""The extractor of CSV files in a landing folder: each file is taken exactly once (rule 29)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, Ledger, ReadFile
from headwater.adapters.sources.files.reading import read
from headwater.adapters.sources.files.values import check_types
from headwater.adapters.sources.naming import check_names
from headwater.domain.errors import RequestError, SourceDataError, SpecError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FilesExtractor:
    """Extractor over the folder of one connection. Holds nothing open."""

    def __init__(self, connection: ConnectionInfo) -> None:
        self._landing = Landing.of(connection)

    def inspect(self, table: TableSpec) -> TableSchema:
        """The declared columns: a CSV does not know its types. The folder has to exist."""
        extract = _files_extract(table)
        check_types(table, extract)
        check_names(list(extract.columns), f"table {table.name}", self._landing.facts(table))
        self._landing.list_files(table, extract)
        columns = (Column(name=name, type=kind, source_type="csv") for name, kind in extract.columns.items())
        return TableSchema(columns=tuple(columns), primary_key=table.key)

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,  # noqa: ARG002 - the port's; what was read stands in the ledger
        ledger: bytes | None,
        request: RunRequest,
        now: datetime,
    ) -> Window:
        """Freeze the files that are new. A file touched but of equal content is not new.

        :raises SourceDataError: when a file that was read has other content now.
        :raises RequestError: for a backfill: files have no window of time.
        """
        if request.kind is RunKind.BACKFILL:
            raise RequestError(
                f"table {table.name!r} is read from files: a window of time does not apply",
                allowed="full_refresh, or leave the table out",
                facts={"table": table.name},
            )
        extract, known = _files_extract(table), Ledger.parse(None if request.full_refresh else ledger)
        found = self._landing.list_files(table, extract)
        stable = [file for file in found if _age(file, now) >= extract.stable_for]
        for file in stable:
            self._check_not_replaced(table, file, known.of(file.path))
        items = tuple(file.model_dump_json() for file in stable if known.of(file.path) is None)
        growing = len(found) - len(stable)
        note = f"{growing} files are younger than stable_for" if growing else ""
        scheduled = request.kind is RunKind.SCHEDULED
        if not items:
            return Window(kind="nothing", advances_watermark=scheduled, note=note or "no new file")
        return Window(kind="files", items=items, advances_watermark=scheduled, note=note)

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
        """:raises SourceDataError: when a planned file is gone or changed, or too many rows cannot be taken."""
        if window.kind == "nothing":
            return Extracted()
        files = [LandedFile.model_validate_json(item) for item in window.items]
        extracted, taken = read(table, _files_extract(table), self._landing, files, stamp, schema, folder)
        if progress is not None:
            progress(f"{table.name}: {extracted.rows:,} rows of {len(files)} files, {extracted.rejected:,} set aside")
        return extracted.model_copy(update={"ledger": Ledger.parse(ledger).with_files(taken).content()})

    def list_relations(self) -> tuple[SourceRelation, ...]:
        """Nothing: which files make a table, and of which types, is only in the YAML."""
        return ()

    def close(self) -> None:
        """Nothing is held open."""

    def _check_not_replaced(self, table: TableSpec, file: LandedFile, known: ReadFile | None) -> None:
        if known is None or (known.size, known.modified_ns) == (file.size, file.modified_ns):
            return
        if self._landing.sha256(table, file.path) == known.sha256:
            return
        raise SourceDataError(
            f"{file.path} was read before and has other content now",
            got=f"{file.size} bytes",
            allowed=f"the {known.size} bytes with sha256 {known.sha256[:12]}…",
            remedy="Put the old file back and deliver the new content under another name; or run with full_refresh.",
            facts={**self._landing.facts(table), "file": file.path},
        )


def _age(file: LandedFile, now: datetime) -> timedelta:
    return now - (_EPOCH + timedelta(microseconds=file.modified_ns // 1000))


def _files_extract(table: TableSpec) -> FilesExtract:
    if isinstance(table.extract, FilesExtract):
        return table.extract
    raise SpecError(
        f"table {table.name!r} is not read from files",
        got=f"extract kind {table.extract.kind!r}",
        allowed="kind files",
        facts={"table": table.name},
    )

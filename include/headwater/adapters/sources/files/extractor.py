"""The extractor of files in a landing folder, bucket or Delta table: each file is taken exactly once (rule 29)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from headwater.adapters.sources.batch_files import BatchFiles
from headwater.adapters.sources.declared import files_extract
from headwater.adapters.sources.files import delta
from headwater.adapters.sources.files.arriving import complete
from headwater.adapters.sources.files.delta_log import DeltaLog
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, Ledger, ReadFile
from headwater.adapters.sources.files.reading import read
from headwater.adapters.sources.naming import check_names
from headwater.adapters.sources.text_values import check_types
from headwater.domain.errors import RequestError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted, SourceRelation


class FilesExtractor:
    """Extractor over the folder or bucket of one connection. Holds nothing open."""

    def __init__(self, connection: ConnectionInfo) -> None:
        self._connection = connection

    def inspect(self, table: TableSpec) -> TableSchema:
        """The declared columns: most files do not know their types. The folder has to exist."""
        landing = self._landing(table)
        columns = landing.extract.columns
        check_types(columns, table.name)
        check_names(list(columns), f"table {table.name}", landing.facts)
        if landing.extract.format == "delta":
            delta.check_columns(DeltaLog.open(landing))
        else:
            landing.list_files()
        source_type = landing.extract.format
        found = (Column(name=name, type=kind, source_type=source_type) for name, kind in columns.items())
        return TableSchema(columns=tuple(found), primary_key=table.key)

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,
        ledger: bytes | None,
        request: RunRequest,
        now: datetime,
    ) -> Window:
        """Freeze the files that are new. A file touched but of equal content is not new.

        :raises SourceDataError: when a file that was read has other content now, and ``replaced`` is ``stop``.
        :raises RequestError: for a backfill: files have no window of time.
        """
        if request.kind is RunKind.BACKFILL:
            raise RequestError(
                f"table {table.name!r} is read from files: a window of time does not apply",
                allowed="full_refresh, or leave the table out",
                facts={"table": table.name},
            )
        if files_extract(table).format == "delta":
            return delta.plan(self._landing(table), state, ledger, request)
        landing, known = self._landing(table), Ledger.parse(None if request.full_refresh else ledger)
        found, note = complete(landing, landing.list_files(), now)
        fresh = [file for file in found if is_new(landing, file, known.of(file.path))]
        scheduled = request.kind is RunKind.SCHEDULED
        if not fresh:
            return Window(kind="nothing", advances_watermark=scheduled, note=note or "no new file")
        first = [_identified(landing, file) for file in fresh[: landing.extract.max_files]]
        if len(fresh) > len(first):
            note = "; ".join([*([note] if note else []), f"{len(fresh) - len(first)} files wait for the next run"])
        items = tuple(file.model_dump_json(exclude_none=True) for file in first if file is not None)
        return Window(kind="files" if items else "nothing", items=items, advances_watermark=scheduled, note=note)

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
        landing, whole = self._landing(table), window.kind == "snapshot"
        log = DeltaLog.open(landing) if landing.extract.format == "delta" else None
        into = BatchFiles(table.name, stamp, schema, folder)
        extracted, taken = read(landing, files, into, progress, window.digest, whole=whole)
        if progress is not None:
            progress(f"{table.name}: {extracted.rows:,} rows of {len(files)} files, {extracted.rejected:,} set aside")
        if log is not None:
            return delta.remembered(log, extracted, window, ledger, taken)
        return extracted.model_copy(update={"ledger": Ledger.parse(ledger).with_files(taken).content()})

    def list_relations(self) -> tuple[SourceRelation, ...]:
        """Groups of files that look like one table each, with columns and types guessed from some of their records."""
        from headwater.adapters.sources.files.offers import list_groups

        return list_groups(self._connection)

    def close(self) -> None:
        """Nothing is held open."""

    def _landing(self, table: TableSpec) -> Landing:
        return Landing.of(self._connection, table, files_extract(table))


def is_new(landing: Landing, file: LandedFile, known: ReadFile | None) -> bool:
    """Whether the file has to be read: it never was, or it was replaced and is to be read again.

    :raises SourceDataError: when it was replaced, and the table is not declared to bear that.
    """
    if known is None:
        return True
    policy = landing.extract.replaced
    if known.is_untouched(file) or policy == "ignore" or landing.sha256(file.path) == known.sha256:
        return False
    if policy == "read_again":
        return True
    raise landing.refusal(
        file.path,
        "was read before and has other content now",
        f"{file.size} bytes",
        f"the {known.size} bytes with sha256 {known.sha256[:12]}…",
        "Put the old file back and deliver the new content under another name; or run with full_refresh; or declare "
        "`replaced: read_again`.",
    )


def _identified(landing: Landing, file: LandedFile) -> LandedFile | None:
    """The file with the etag its store knows it by; None when it is gone by now."""
    if landing.store.local:
        return file
    found = landing.stat(file.path)
    return None if found is None else file.model_copy(update={"etag": found.etag})

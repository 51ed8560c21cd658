"""Delta tables: the version that is read is the frozen window, and each of its files is taken once (rule 29)."""

from __future__ import annotations

from headwater.adapters.sources.files.delta_log import DeltaFile, DeltaLog
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, Ledger, ReadFile
from headwater.adapters.sources.files.shape import Shape
from headwater.domain.errors import SourceDataError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.staging import TableState
from headwater.ports.extractor import Extracted


def check_columns(log: DeltaLog) -> frozenset[str]:
    """What ``drift: quarantine`` bears and has told, in words.

    :raises SchemaDriftError: when the table's columns are not the declared ones, and the table does not bear it.
    """
    shape = Shape(log.landing, log.folder, {})
    shape.check(log.columns, log.columns, ", ".join(log.columns))
    return frozenset(shape.noticed)


def plan(landing: Landing, state: TableState | None, ledger: bytes | None, request: RunRequest) -> Window:
    """Freeze the newest version: all of its files, or those the versions since the last run appended.

    :raises SourceDataError: when rows were deleted or updated in between, or the table is another one now.
    """
    log, known = DeltaLog.open(landing), Ledger.parse(None if request.full_refresh else ledger)
    check_columns(log)
    last = known.read_version
    _check_same(log, known)
    scheduled = request.kind is RunKind.SCHEDULED
    if last == log.version:
        return Window(kind="nothing", advances_watermark=scheduled, note=f"version {last} was read before")
    high = str(log.version)
    if landing.extract.mode == "snapshot":
        items = _frozen(log, log.files())
        digest = None if state is None or request.full_refresh else state.digest
        return Window(kind="snapshot", high=high, items=items, digest=digest, advances_watermark=scheduled)
    fresh = log.files() if last is None else log.added_since(last)
    new = [file for file in fresh if known.of(_path(log, file)) is None]
    low = None if last is None else str(last)
    return Window(kind="files", low=low, high=high, items=_frozen(log, new), advances_watermark=scheduled)


def remembered(
    log: DeltaLog, extracted: Extracted, window: Window, ledger: bytes | None, taken: list[ReadFile]
) -> Extracted:
    """The extract with a ledger that names the table and the version; a snapshot has no need of its files."""
    noticed = (*extracted.noticed, *sorted(check_columns(log)))
    whole = window.kind == "snapshot"
    if whole and extracted.digest == window.digest:
        # of equal content nothing is appended, so nothing may be remembered either: the version is compared again
        return extracted.model_copy(update={"noticed": noticed})
    known = Ledger() if whole else Ledger.parse(ledger).with_files(taken)
    version = int(window.high) if window.high is not None else None
    content = known.model_copy(update={"table": log.id, "read_version": version}).content()
    return extracted.model_copy(update={"ledger": content, "noticed": noticed})


def _check_same(log: DeltaLog, known: Ledger) -> None:
    if known.read_version is not None and (known.table != log.id or known.read_version > log.version):
        raise log.refusal(
            "was made anew: it is another table than the one that was read",
            f"id {log.id}, version {log.version}",
            f"id {known.table}, version {known.read_version} or later",
            "Run with full_refresh, which takes every row of the table as it is now.",
        )


def _frozen(log: DeltaLog, files: list[DeltaFile]) -> tuple[str, ...]:
    """The files as they lie there now; versions are never cut into two.

    :raises SourceDataError: when one is gone or another, or there are more than one run may read.
    """
    if len(files) > log.landing.extract.max_files:
        got, allowed = f"{len(files)} files", f"{log.landing.extract.max_files} files (`max_files`)"
        raise log.refusal("has more new files than one run may read", got, allowed, "Raise `max_files` of the extract.")
    return tuple(_landed(log, file).model_dump_json(exclude_none=True) for file in files)


def _landed(log: DeltaLog, file: DeltaFile) -> LandedFile:
    found = log.landing.stat(_path(log, file))
    if found is None or found.size != file.size:
        raise _gone(log, file, found)
    # NULL partitions have to survive a dump without None values: an empty text is NULL in a log
    return found.model_copy(update={"partitions": {name: value or "" for name, value in file.partitions.items()}})


def _gone(log: DeltaLog, file: DeltaFile, found: LandedFile | None) -> SourceDataError:
    return log.refusal(
        f"lacks a file of its version {log.version}: {file.path}",
        "no file" if found is None else f"{found.size} bytes",
        f"{file.size} bytes",
        "Let its owner restore the file (VACUUM may have taken it), then run with full_refresh.",
    )


def _path(log: DeltaLog, file: DeltaFile) -> str:
    """:raises SourceDataError: for a file outside the table's folder, such as a shallow clone has."""
    if "://" in file.path or file.path.startswith("/") or ".." in file.path.split("/"):
        raise log.refusal("has files in other places", file.path, f"files below {log.folder}",
                          "Let its owner make a deep clone.")  # fmt: skip
    return f"{log.folder}/{file.path}"

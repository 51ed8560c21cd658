"""Whether a table's files are worth bringing together, and how. Pure."""

from __future__ import annotations

from headwater.domain.maintenance import FileRewrite, MaintenanceSettings
from headwater.ports.upkeep import SnapshotFacts, TableHistory

MANIFESTS_APART = 10
"""From so many manifests on they are written together."""
OVERDUE = 10
"""From so many times ``min_input_files`` on a table's files have piled up."""


def rewrite_of(
    history: TableHistory, settings: MaintenanceSettings, branch: str, most_files: int | None = None
) -> FileRewrite | None:
    """The rewrite that one slice does; None when the files are large enough and few delete files lie over them.

    :param most_files: of the data files no more, where the slice has to be short.
    """
    main = history.snapshot(history.main)
    if main is None or not _is_worth_it(main, settings):
        return None
    is_whole = main.delete_files > 0
    if is_whole and main.size_bytes > settings.max_slice_bytes:
        return None
    fitting = settings.max_slice_bytes * main.data_files // max(main.size_bytes, 1)
    return FileRewrite(
        branch=branch,
        base=main.id,
        target_file_bytes=settings.target_file_bytes,
        min_input_files=settings.min_input_files,
        max_files=min(max(settings.min_input_files, min(fitting, most_files or fitting)), main.data_files),
        whole=is_whole,
        is_sorted=history.is_sorted,
    )


def why_left(history: TableHistory, settings: MaintenanceSettings) -> str:
    """Why files are not brought together although there would be reason to; empty when there is none."""
    main = history.snapshot(history.main)
    if main is None or not main.delete_files or not _is_worth_it(main, settings):
        return ""
    if main.size_bytes <= settings.max_slice_bytes:
        return ""
    return f"{main.delete_files} delete files lie over more than maintenance.max_slice_bytes; raise it to apply them"


def files_are_overdue(history: TableHistory, settings: MaintenanceSettings) -> bool:
    """Whether so many small files, or delete files, piled up that giving way to every run was no good."""
    many = settings.model_copy(update={"min_input_files": OVERDUE * settings.min_input_files})
    main = history.snapshot(history.main)
    return main is not None and _is_worth_it(main, many)


def manifests_are_many(history: TableHistory) -> bool:
    return history.manifests >= MANIFESTS_APART


def _is_worth_it(main: SnapshotFacts, settings: MaintenanceSettings) -> bool:
    if main.data_files == 0:
        return False
    is_small = main.size_bytes < main.data_files * settings.target_file_bytes * 3 // 4
    are_many = main.data_files >= settings.min_input_files and is_small
    return are_many or main.delete_files >= settings.min_input_files

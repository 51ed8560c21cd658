"""Committing finished files to an attempt's branch, exactly once (rules 10 to 12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from headwater.adapters.iceberg.bringing import bring, place_of
from headwater.adapters.iceberg.opening import ATTEMPTS, explained, explained_storage, pause
from headwater.domain.errors import CatalogError, NotFoundError, StagingError
from headwater.domain.names import TableName
from headwater.domain.storage import is_in_s3
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

RUN_KEY = "headwater.run-key"
BRANCH = "headwater.branch"
FILES = "headwater.files"
_STALE_SEQUENCE = "sequence number"


def stage(
    catalog: SqlCatalog, name: TableName, branch: str, files: Sequence[DataFile], summary: Mapping[str, str]
) -> int:
    """Append the files in one snapshot of the branch and return its id; see the port."""
    given = [file.path for file in files]
    _refuse_doubled(name, given, given)
    wanted = _places(catalog, name, given)
    paths, waiting = list(wanted), dict(wanted)
    marks = marks_of(branch, paths, summary)

    def append(table: Table) -> None:
        _refuse_doubled(name, paths, _referenced(table, branch, paths))
        bring(table, waiting)
        waiting.clear()
        # check_duplicate_files looks at main only (rule 12); ours has looked at the branch
        table.add_files(paths, snapshot_properties=marks, check_duplicate_files=False, branch=branch)

    return commit_once(catalog, name, branch, marks, append)


def _places(catalog: SqlCatalog, name: TableName, given: Sequence[str]) -> dict[str, str]:
    """Where each file will lie -> where it lies now."""
    if not is_in_s3(catalog.properties["warehouse"]):
        return {path: path for path in given}
    with explained(f"staging {name}", name):
        location = catalog.load_table(name.identifier).location()
    return {place_of(location, path): path for path in given}


def marks_of(branch: str, paths: Sequence[str], summary: Mapping[str, str]) -> dict[str, str]:
    """What a snapshot says of itself, so that its committer finds it again."""
    digest = sha256("\n".join(sorted(paths)).encode()).hexdigest()
    return {**summary, BRANCH: branch, FILES: digest}


def commit_once(
    catalog: SqlCatalog, name: TableName, branch: str, marks: Mapping[str, str], append: Callable[[Table], None]
) -> int:
    """Let ``append`` commit to the branch, and look for its snapshot before every try."""
    from pyiceberg.exceptions import CommitFailedException

    for attempt in range(ATTEMPTS):
        with explained(f"staging {name}", name):
            table = catalog.load_table(name.identifier)
            found = _committed(name, table, branch, marks)
        if found is not None:
            return found
        # The library's own retry would append again after a lost answer. These are the properties of our copy of the
        # metadata, which is never written: the table keeps its value for other writers.
        table.metadata.properties["commit.retry.num-retries"] = "0"
        try:
            with explained_storage(name):
                append(table)
        except (SQLAlchemyError, CommitFailedException):
            # refused, or the answer was lost: the next round looks at the branch before it commits again
            pause(attempt)
        except ValueError as error:
            if _STALE_SEQUENCE not in str(error):
                raise
            pause(attempt)
    raise CatalogError(f"{name}: staging lost {ATTEMPTS} times against other writers", facts={"table": name.dotted})


def branch_history(name: TableName, table: Table, branch: str) -> Iterable[Snapshot]:
    """Snapshots of the branch, newest first, down to the start of the table's history.

    :raises NotFoundError: when the branch is gone, for example dropped by a takeover.
    """
    from pyiceberg.table.snapshots import ancestors_of

    ref = table.metadata.refs.get(branch)
    if ref is None:
        raise NotFoundError(
            f"{name}: branch {branch} does not exist", facts={"table": name.dotted, "branch": branch},
            remedy="the attempt was given up; clear the staging task so that a new attempt is made",
        )  # fmt: skip
    return ancestors_of(table.metadata.snapshot_by_id(ref.snapshot_id), table.metadata)


def _committed(name: TableName, table: Table, branch: str, marks: Mapping[str, str]) -> int | None:
    """The snapshot this very call committed earlier. The run key on any other branch means nothing (rule 11)."""
    for snapshot in branch_history(name, table, branch):
        said = {} if snapshot.summary is None else snapshot.summary.additional_properties
        if said.get(BRANCH) == branch and said.get(RUN_KEY) == marks.get(RUN_KEY):
            if said.get(FILES) == marks[FILES]:
                return snapshot.snapshot_id
            raise StagingError(
                f"{name}: this attempt has already staged other files", facts={"table": name.dotted, "branch": branch},
                remedy="an attempt commits once per table (rule 11); run the staging task again as a new attempt",
            )  # fmt: skip
    return None


def _referenced(table: Table, branch: str, paths: Sequence[str]) -> list[str]:
    """Those of the paths that the branch holds already."""
    from pyiceberg.manifest import ManifestContent
    from pyiceberg.utils.concurrent import ExecutorFactory

    snapshot = table.snapshot_by_name(branch)
    if snapshot is None:
        return []
    wanted = set(paths)
    manifests = [manifest for manifest in snapshot.manifests(table.io) if manifest.content == ManifestContent.DATA]
    entries = ExecutorFactory.get_or_create().map(lambda manifest: manifest.fetch_manifest_entry(table.io), manifests)
    return [entry.data_file.file_path for batch in entries for entry in batch if entry.data_file.file_path in wanted]


def _refuse_doubled(name: TableName, paths: Sequence[str], held: Sequence[str]) -> None:
    """:raises StagingError: when a path occurs twice in one call, or is on the branch already."""
    doubled = sorted({path for path in held if held is not paths or paths.count(path) > 1})
    if doubled:
        raise StagingError(
            f"{name}: {len(doubled)} files would be staged twice, first {doubled[0]}",
            remedy="file names must carry the attempt; nothing was committed", facts={"table": name.dotted},
        )  # fmt: skip

"""Branches and tags of a table, each changed in one commit against other writers (rules 10, 38)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from headwater.adapters.iceberg.opening import ATTEMPTS, explained, pause
from headwater.adapters.iceberg.tables import point
from headwater.domain.errors import CatalogError, NotFoundError
from headwater.domain.names import TableName

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

    Change = tuple[tuple[TableRequirement, ...], tuple[TableUpdate, ...]]


def cut_branch(catalog: SqlCatalog, table: TableName, branch: str, base: int | None) -> None:
    """See the port. :raises NotFoundError: when there is no such base."""
    from pyiceberg.table.update import AssertRefSnapshotId

    def change(current: Table) -> Change | None:
        if branch in current.metadata.refs:
            return None
        if base is None or current.metadata.snapshot_by_id(base) is None:
            raise NotFoundError(
                f"{table}: there is no snapshot to cut a branch from", got=str(base),
                remedy="create the table first; plan again when the snapshot has expired",
                facts={"table": table.dotted, "branch": branch},
            )  # fmt: skip
        return (AssertRefSnapshotId(ref=branch, snapshot_id=None),), (point(branch, base),)

    _change(catalog, table, f"cutting a branch of {table}", change)


def tag(catalog: SqlCatalog, table: TableName, name: str, snapshot_id: int) -> None:
    """See the port. :raises NotFoundError: when the snapshot is gone."""

    def change(current: Table) -> Change | None:
        standing = current.metadata.refs.get(name)
        if standing is not None and standing.snapshot_id == snapshot_id:
            return None
        if current.metadata.snapshot_by_id(snapshot_id) is None:
            raise NotFoundError(f"{table}: snapshot {snapshot_id} is gone", facts={"table": table.dotted})
        return (), (point(name, snapshot_id, "tag"),)

    _change(catalog, table, f"tagging a snapshot of {table}", change)


def drop(catalog: SqlCatalog, table: TableName, names: Sequence[str], what: str) -> None:
    """Drop branches or tags, ignoring those that are gone. :raises ValueError: for ``main``."""
    from pyiceberg.table.update import RemoveSnapshotRefUpdate

    if "main" in names:
        raise ValueError("main is no attempt's branch")

    def change(current: Table) -> Change | None:
        gone = tuple(RemoveSnapshotRefUpdate(ref_name=name) for name in names if name in current.metadata.refs)
        return ((), gone) if gone else None

    _change(catalog, table, what, change)


def _change(catalog: SqlCatalog, table: TableName, what: str, change: Callable[[Table], Change | None]) -> None:
    """Commit what ``change`` makes of the current table, again and again until no other writer was in between."""
    from pyiceberg.exceptions import CommitFailedException

    for attempt in range(ATTEMPTS):
        with explained(what, table):
            current = catalog.load_table(table.identifier)
            wanted = change(current)
            if wanted is None:
                return
            try:
                catalog.commit_table(current, *wanted)
                return
            except CommitFailedException:
                pause(attempt)
    raise CatalogError(f"{what}: lost {ATTEMPTS} times against other writers", facts={"table": table.dotted})

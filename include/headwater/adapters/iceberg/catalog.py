"""The Catalog port over pyiceberg."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from headwater.adapters.iceberg.new_rows import stage_new
from headwater.adapters.iceberg.opening import ATTEMPTS, explained, open_catalog, pause
from headwater.adapters.iceberg.physical import physical_names, purge, staged_branches
from headwater.adapters.iceberg.publishing import publish_moves
from headwater.adapters.iceberg.staging import stage
from headwater.adapters.iceberg.tables import create_table, evolve_table, head_of, point
from headwater.domain.errors import CatalogError, NotFoundError
from headwater.domain.names import Layer, PhysicalName, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.ports.catalog import DataFile, TableHead

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table
    from pyiceberg.table.update import TableRequirement, TableUpdate

    Change = tuple[tuple[TableRequirement, ...], tuple[TableUpdate, ...]]


class IcebergCatalog:
    """The SQL catalog ``lake``, opened on first use. One instance may be used by several threads."""

    def __init__(self, settings: CatalogSettings) -> None:
        self._settings = settings

    @cached_property
    def _lake(self) -> SqlCatalog:
        with explained("opening the catalog"):
            return open_catalog(self._settings)

    def close(self) -> None:
        """Close the connections to the catalog's database."""
        if "_lake" in self.__dict__:
            self._lake.close()

    def _load(self, table: TableName, what: str) -> Table:
        with explained(what, table):
            return self._lake.load_table(table.identifier)

    def head(self, table: TableName) -> TableHead | None:
        try:
            head = head_of(table, self._load(table, f"reading {table}"))
        except NotFoundError:
            return None
        with explained(f"reading {table}", table):
            apart = staged_branches(self._lake, table)
        return head.model_copy(update={"branches": {**head.branches, **apart}}) if apart else head

    def list_tables(self) -> tuple[TableName, ...]:
        with explained("listing tables"):
            found = [
                identifier
                for layer in Layer
                if self._lake.namespace_exists(layer.value)
                for identifier in self._lake.list_tables(layer.value)
            ]
        return tuple(sorted(filter(None, map(_named, found)), key=str))

    def physical_tables(self, table: TableName) -> tuple[PhysicalName, ...]:
        with explained(f"listing physical tables of {table}", table):
            return physical_names(self._lake, table)

    def drop_physical(self, table: PhysicalName) -> None:
        with explained(f"dropping a physical table of {table}", table):
            purge(self._lake, table)

    def create(self, table: TableName, schema: TableSchema) -> TableHead:
        with explained(f"creating {table}", table):
            return head_of(table, create_table(self._lake, table, schema))

    def evolve(self, table: TableName, add: Sequence[Column], widen: Mapping[str, str]) -> TableHead:
        with explained(f"evolving {table}", table):
            return head_of(table, evolve_table(self._lake, table, add, widen))

    def cut_branch(self, table: TableName, branch: str, base: int | None) -> None:
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
            return (
                (AssertRefSnapshotId(ref=branch, snapshot_id=None),),
                (point(branch, base),),
            )

        self._change(table, f"cutting a branch of {table}", change)

    def tag(self, table: TableName, name: str, snapshot_id: int) -> None:
        def change(current: Table) -> Change | None:
            standing = current.metadata.refs.get(name)
            if standing is not None and standing.snapshot_id == snapshot_id:
                return None
            if current.metadata.snapshot_by_id(snapshot_id) is None:
                raise NotFoundError(f"{table}: snapshot {snapshot_id} is gone", facts={"table": table.dotted})
            return ((), (point(name, snapshot_id, "tag"),))

        self._change(table, f"tagging a snapshot of {table}", change)

    def drop_tags(self, table: TableName, names: Sequence[str]) -> None:
        self._drop_refs(table, names, f"dropping tags of {table}")

    def drop_branches(self, table: TableName, branches: Sequence[str]) -> None:
        self._drop_refs(table, branches, f"dropping branches of {table}")
        for apart in self.physical_tables(table):
            if apart.mark in branches:
                self.drop_physical(apart)

    def _drop_refs(self, table: TableName, names: Sequence[str], what: str) -> None:
        from pyiceberg.table.update import RemoveSnapshotRefUpdate

        if "main" in names:
            raise ValueError("main is no attempt's branch")

        def change(current: Table) -> Change | None:
            gone = tuple(RemoveSnapshotRefUpdate(ref_name=name) for name in names if name in current.metadata.refs)
            return ((), gone) if gone else None

        self._change(table, what, change)

    def _change(self, table: TableName, what: str, change: Callable[[Table], Change | None]) -> None:
        """Commit what ``change`` makes of the current table, again and again until no other writer was in between."""
        from pyiceberg.exceptions import CommitFailedException

        for attempt in range(ATTEMPTS):
            with explained(what, table):
                current = self._lake.load_table(table.identifier)
                wanted = change(current)
                if wanted is None:
                    return
                try:
                    self._lake.commit_table(current, *wanted)
                    return
                except CommitFailedException:
                    pause(attempt)
        raise CatalogError(f"{what}: lost {ATTEMPTS} times against other writers", facts={"table": table.dotted})

    def stage_files(self, table: TableName, branch: str, files: Sequence[DataFile], summary: Mapping[str, str]) -> int:
        return stage(self._lake, table, branch, files, summary)

    def stage_new_rows(
        self, table: TableName, branch: str, files: Sequence[DataFile], key: str, summary: Mapping[str, str]
    ) -> int | None:
        return stage_new(self._lake, table, branch, files, key, summary)

    def publish(self, moves: Sequence[Move]) -> Mapping[str, str]:
        return publish_moves(self._lake, moves)

    def is_ancestor(self, table: TableName, snapshot_id: int) -> bool:
        from pyiceberg.table.snapshots import ancestors_of

        metadata = self._load(table, f"reading {table}").metadata
        return any(
            snapshot.snapshot_id == snapshot_id for snapshot in ancestors_of(metadata.current_snapshot(), metadata)
        )

    def summary(self, table: TableName, snapshot_id: int) -> Mapping[str, str]:
        found = self._load(table, f"reading {table}").metadata.snapshot_by_id(snapshot_id)
        if found is None or found.summary is None:
            raise NotFoundError(f"{table}: snapshot {snapshot_id} is gone", facts={"table": table.dotted})
        return {"operation": found.summary.operation.value, **found.summary.additional_properties}

    def write_attachment(self, table: TableName, name: str, content: bytes) -> str:
        loaded = self._load(table, f"writing beside {table}")
        path = f"{loaded.location()}/metadata/{name}"
        with explained(f"writing {path}", table), loaded.io.new_output(path).create(overwrite=True) as stream:
            stream.write(content)
        return path

    def read_attachment(self, path: str) -> bytes:
        from pyiceberg.io import load_file_io

        try:
            with (
                explained(f"reading {path}"),
                load_file_io(self._lake.properties, path).new_input(path).open() as stream,
            ):
                return stream.read()
        except CatalogError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise NotFoundError(f"{path} does not exist") from error
            raise


def _named(identifier: tuple[str, ...]) -> TableName | None:
    """The table of that identifier, or None when somebody else's name is in our namespace."""
    try:
        return TableName.parse(".".join(identifier))
    except ValueError:
        return None

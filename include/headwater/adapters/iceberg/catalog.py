"""The Catalog port over pyiceberg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from headwater.adapters.iceberg import refs
from headwater.adapters.iceberg.bringing import files_folder
from headwater.adapters.iceberg.dropping import purge
from headwater.adapters.iceberg.new_rows import stage_new
from headwater.adapters.iceberg.opening import OpenedLake, explained
from headwater.adapters.iceberg.physical import head_with_staged, physical_names
from headwater.adapters.iceberg.publishing import publish_moves
from headwater.adapters.iceberg.staging import stage
from headwater.adapters.iceberg.tables import create_table, evolve_table, head_of
from headwater.adapters.iceberg.upkeep import history_of
from headwater.domain.errors import CatalogError, NotFoundError
from headwater.domain.names import Layer, PhysicalName, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.ports.catalog import DataFile, TableHead
from headwater.ports.upkeep import ancestors

if TYPE_CHECKING:
    from pyiceberg.table import Table


class IcebergCatalog(OpenedLake):
    """The SQL catalog ``lake``, opened on first use. One instance may be used by several threads."""

    def _load(self, table: TableName, what: str) -> Table:
        with explained(what, table):
            return self._lake.load_table(table.identifier)

    def head(self, table: TableName) -> TableHead | None:
        with explained(f"reading {table}", table):
            return head_with_staged(self._lake, table)

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
        refs.cut_branch(self._lake, table, branch, base)

    def tag(self, table: TableName, name: str, snapshot_id: int) -> None:
        refs.tag(self._lake, table, name, snapshot_id)

    def drop_tags(self, table: TableName, names: Sequence[str]) -> None:
        refs.drop(self._lake, table, names, f"dropping tags of {table}")

    def drop_branches(self, table: TableName, branches: Sequence[str]) -> None:
        refs.drop(self._lake, table, branches, f"dropping branches of {table}")
        for apart in self.physical_tables(table):
            if apart.mark in branches:
                self.drop_physical(apart)

    def files_folder(self, head: TableHead) -> AbstractContextManager[str]:
        return files_folder(head.location)

    def stage_files(self, table: TableName, branch: str, files: Sequence[DataFile], summary: Mapping[str, str]) -> int:
        return stage(self._lake, table, branch, files, summary)

    def stage_new_rows(
        self, table: TableName, branch: str, files: Sequence[DataFile], key: str, summary: Mapping[str, str]
    ) -> int | None:
        return stage_new(self._lake, table, branch, files, key, summary)

    def publish(self, moves: Sequence[Move]) -> Mapping[str, str]:
        return publish_moves(self._lake, moves)

    def is_ancestor(self, table: TableName, snapshot_id: int) -> bool:
        history = history_of(table, self._load(table, f"reading {table}"))
        return snapshot_id in ancestors(history, history.main)

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

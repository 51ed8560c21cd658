"""The Iceberg catalog: heads, staging on branches, and the one call that publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState
from headwater.domain.table_layout import TableLayout


class TableHead(Value):
    """A table as the catalog has it now.

    ``branches`` maps every branch but ``main`` to its head snapshot, those of physical tables staged to replace this
    one included.
    """

    table: TableName
    uuid: str
    main: int | None
    state: TableState | None
    schema_: TableSchema
    metadata_location: str
    location: str
    branches: dict[str, int]
    tags: dict[str, int] = Field(default_factory=dict)
    """Tag -> its snapshot."""
    layout: TableLayout = TableLayout()
    """The layout the table was given when it was created or last made anew."""

    @property
    def published(self) -> int | None:
        """The snapshot that a publish made: ``main``, or the one of equal content that ``main`` is a rewrite of."""
        stands_for = None if self.state is None else self.state.stands_for
        return self.main if stands_for is None else stands_for


class DataFile(Value):
    """A finished Parquet file. Its columns carry the field ids of the live table (rule 12)."""

    path: str
    rows: int
    size_bytes: int


class Catalog(Protocol):
    """Implementations raise CatalogError when the catalog or its storage does not answer."""

    def head(self, table: TableName) -> TableHead | None:
        """The table as it is now, or None when it does not exist."""
        ...

    def list_tables(self) -> tuple[TableName, ...]:
        """Every table of every layer that has a Headwater name."""
        ...

    def physical_tables(self, table: TableName) -> tuple[PhysicalName, ...]:
        """Physical tables beside the one the name stands for: staged to replace it, or replaced by it (rule 14).

        Every other call takes such a name as it takes a table's.
        """
        ...

    def drop_physical(self, table: PhysicalName) -> None:
        """Drop a physical table with its files, unless the name stands for it now; does nothing when it is gone."""
        ...

    def create(self, table: TableName, schema: TableSchema) -> TableHead:
        """Create the table and give it a ``main`` by one empty append; both idempotent (rule 13)."""
        ...

    def evolve(self, table: TableName, add: Sequence[Column], widen: Mapping[str, str]) -> TableHead:
        """Add nullable columns and widen types, the only changes allowed before a gate (rule 14)."""
        ...

    def cut_branch(self, table: TableName, branch: str, base: int | None) -> None:
        """Create the branch at ``base``; does nothing when it is there already (rule 10)."""
        ...

    def files_folder(self, head: TableHead) -> AbstractContextManager[str]:
        """A folder of this machine to write finished files into, for as long as the block runs.

        Where the table lies on this machine it is the table's own, and files stay. Else it is an empty one that goes
        with the block, and ``stage_files`` brings files from there to where the table lies.
        """
        ...

    def stage_files(self, table: TableName, branch: str, files: Sequence[DataFile], summary: Mapping[str, str]) -> int:
        """Commit finished files to the branch in one snapshot and return its id.

        Finds an earlier commit of the same ``headwater.run-key`` **on this branch** after an unknown outcome
        instead of committing twice (rule 11), and refuses a path the branch already has (rule 12).
        """
        ...

    def stage_new_rows(
        self, table: TableName, branch: str, files: Sequence[DataFile], key: str, summary: Mapping[str, str]
    ) -> int | None:
        """Append to the branch those rows of small files whose ``key`` the branch does not hold yet (rule 40).

        Column order and ids of the files do not matter; rows are matched by column name. The files are consumed.

        :returns: the snapshot, or None when every row was there already.
        """
        ...

    def publish(self, moves: Sequence[Move]) -> Mapping[str, str]:
        """Move ``main`` of all tables at one instant, guarded and with their state (rules 16, 17).

        A move to another physical table makes the name stand for that one at the same instant; the one it stood for
        stays under a name of its own, with every snapshot and file it has (rule 14).

        :returns: dotted table -> metadata location after the publish.
        :raises StaleBaseError: when any base or branch head is not what the move says; then nothing moved.
        """
        ...

    def is_ancestor(self, table: TableName, snapshot_id: int) -> bool:
        """Whether the snapshot is ``main`` or one of its ancestors."""
        ...

    def summary(self, table: TableName, snapshot_id: int) -> Mapping[str, str]:
        """Summary of a snapshot. :raises NotFoundError: when the table or snapshot is gone."""
        ...

    def drop_branches(self, table: TableName, branches: Sequence[str]) -> None:
        """Drop branches, ignoring those that are gone, and the physical tables staged on branches of these names."""
        ...

    def tag(self, table: TableName, name: str, snapshot_id: int) -> None:
        """Make the tag stand at the snapshot, which expiry then keeps (rules 38, 41); a tag of that name moves.

        :raises NotFoundError: when the table or snapshot is gone.
        """
        ...

    def drop_tags(self, table: TableName, names: Sequence[str]) -> None:
        """Drop tags, ignoring those that are gone. :raises NotFoundError: when the table is gone."""
        ...

    def write_attachment(self, table: TableName, name: str, content: bytes) -> str:
        """Write a file beside the table's metadata (rule 29) and return its path."""
        ...

    def read_attachment(self, path: str) -> bytes:
        """Content of a file written by ``write_attachment``."""
        ...

"""The Catalog port in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from uuid import UUID

from headwater.adapters.memory.lake import MAIN, MemoryTable
from headwater.domain.errors import NotFoundError, SchemaDriftError, StagingError, StaleBaseError
from headwater.domain.names import REPLACED, PhysicalName, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.ports.catalog import DataFile, TableHead

_WIDER = {("int", "long"), ("float", "double")}


class MemoryCatalog:
    """One lock for everything: a call happens at one instant."""

    def __init__(self) -> None:
        self._tables: dict[TableName, MemoryTable] = {}
        self._attachments: dict[str, bytes] = {}
        self._starts = count(2001, 1000)
        self._lock = threading.RLock()

    def _table(self, table: TableName) -> MemoryTable:
        if table not in self._tables:
            raise NotFoundError(f"{table} does not exist", facts={"table": table.dotted})
        return self._tables[table]

    def head(self, table: TableName) -> TableHead | None:
        with self._lock:
            if table not in self._tables:
                return None
            head = self._tables[table].head()
            apart = {name.mark: self._tables[name].refs for name in self.physical_tables(table)}
            staged = {mark: refs[mark] for mark, refs in apart.items() if mark in refs}
            return head.model_copy(update={"branches": {**head.branches, **staged}})

    def list_tables(self) -> tuple[TableName, ...]:
        return tuple(sorted((name for name in self._tables if not isinstance(name, PhysicalName)), key=str))

    def create(self, table: TableName, schema: TableSchema) -> TableHead:
        with self._lock:
            if table not in self._tables:
                created = self._tables[table] = MemoryTable(table, TableSchema(columns=()), self._ids_of(table))
                nullable = (
                    column.model_copy(update={"required": False, "field_id": None}) for column in schema.columns
                )
                created.set_columns(tuple(nullable))
                created.commit(MAIN, {"operation": "append"})
            return self._tables[table].head()

    def _ids_of(self, table: TableName) -> count[int]:
        """Snapshot ids: of no two physical tables of one name the same."""
        return count(next(self._starts) if isinstance(table, PhysicalName) else 1001)

    def physical_tables(self, table: TableName) -> tuple[PhysicalName, ...]:
        with self._lock:
            apart = [name for name in self._tables if isinstance(name, PhysicalName) and name.dotted == table.dotted]
        return () if table in apart else tuple(sorted(apart, key=lambda name: name.mark))

    def drop_physical(self, table: PhysicalName) -> None:
        with self._lock:
            self._tables.pop(table, None)

    def evolve(self, table: TableName, add: Sequence[Column], widen: Mapping[str, str]) -> TableHead:
        with self._lock:
            found = self._table(table)
            columns = {column.name: column for column in found.schema.columns}
            for column in add:
                if column.name in columns and columns[column.name].type != column.type:
                    raise SchemaDriftError(f"{table}: column {column.name} exists as {columns[column.name].type}")
                columns.setdefault(column.name, column.model_copy(update={"required": False, "field_id": None}))
            for name, wider in widen.items():
                if name not in columns or (columns[name].type != wider and (columns[name].type, wider) not in _WIDER):
                    raise SchemaDriftError(f"{table}: column {name} cannot become {wider} in place (rule 14)")
                columns[name] = columns[name].model_copy(update={"type": wider})
            found.set_columns(tuple(columns.values()))
            return found.head()

    def cut_branch(self, table: TableName, branch: str, base: int | None) -> None:
        with self._lock:
            found = self._table(table)
            if branch in found.refs:
                return
            if base is None or base not in found.snapshots:
                raise NotFoundError(f"{table}: there is no snapshot to cut a branch from", got=str(base))
            found.refs[branch] = base
            found.version += 1

    def drop_branches(self, table: TableName, branches: Sequence[str]) -> None:
        if MAIN in branches:
            raise ValueError("main is no attempt's branch")
        with self._lock:
            for branch in branches:
                self._table(table).refs.pop(branch, None)
            for apart in self.physical_tables(table):
                if apart.mark in branches:
                    self.drop_physical(apart)

    def tag(self, table: TableName, name: str, snapshot_id: int) -> None:
        with self._lock:
            self.summary(table, snapshot_id)
            self._table(table).tags[name] = snapshot_id

    def drop_tags(self, table: TableName, names: Sequence[str]) -> None:
        with self._lock:
            for name in names:
                self._table(table).tags.pop(name, None)

    def files_folder(self, head: TableHead) -> AbstractContextManager[str]:
        return nullcontext(f"{head.location}/data")

    def stage_files(self, table: TableName, branch: str, files: Sequence[DataFile], summary: Mapping[str, str]) -> int:
        paths = tuple(file.path for file in files)
        with self._lock:
            found = self._table(table)
            history = found.history(branch)
            marks = {**summary, "headwater.branch": branch}
            mine = [s for s in history if marks.items() <= s.summary.items()]
            for snapshot in mine:
                if snapshot.paths == paths:
                    return snapshot.id
            held = {path for snapshot in history for path in snapshot.paths}
            if mine or len(set(paths)) != len(paths) or held & set(paths):
                raise StagingError(f"{table}: files would be staged twice, or a second time", got=", ".join(paths))
            return found.commit(branch, {"operation": "append", **marks}, paths)

    def stage_new_rows(
        self,
        table: TableName,
        branch: str,
        files: Sequence[DataFile],
        key: str,  # noqa: ARG002 - rows are not held
        summary: Mapping[str, str],
    ) -> int | None:
        """Files stand for their rows: a file whose path the branch has holds nothing new."""
        with self._lock:
            held = {path for snapshot in self._table(table).history(branch) for path in snapshot.paths}
            new = [file for file in files if file.path not in held]
            return self.stage_files(table, branch, new, summary) if new else None

    def publish(self, moves: Sequence[Move]) -> Mapping[str, str]:
        with self._lock:
            for move in moves:
                main = self._table(move.table).refs.get(MAIN)
                home = self._tables.get(move.home)
                at_branch = home is not None and (move.branch is None or home.refs.get(move.branch) == move.target)
                if main != move.base or home is None or not at_branch or move.target not in home.snapshots:
                    raise StaleBaseError(
                        f"{move.table} is no longer what this attempt was made from; nothing was published",
                        facts={"table": move.table.dotted},
                    )
            for move in moves:
                found = self._swapped_in(move) if move.physical else self._table(move.table)
                found.refs[MAIN] = move.target
                found.refs.pop(move.branch or "", None)
                found.state = move.state
                found.version += 1
            return {move.table.dotted: self._table(move.table).metadata_location for move in moves}

    def _swapped_in(self, move: Move) -> MemoryTable:
        """The physical table of the move under the table's name, the one of before under a name of its own."""
        old, new = self._table(move.table), self._tables.pop(move.home)
        old.name, new.name = move.table.at(f"{REPLACED}{UUID(old.uuid).hex}"), move.table
        self._tables |= {old.name: old, new.name: new}
        return new

    def is_ancestor(self, table: TableName, snapshot_id: int) -> bool:
        return any(snapshot.id == snapshot_id for snapshot in self._table(table).history(MAIN))

    def summary(self, table: TableName, snapshot_id: int) -> Mapping[str, str]:
        found = self._table(table).snapshots.get(snapshot_id)
        if found is None:
            raise NotFoundError(f"{table}: snapshot {snapshot_id} is gone", facts={"table": table.dotted})
        return dict(found.summary)

    def write_attachment(self, table: TableName, name: str, content: bytes) -> str:
        path = f"{self._table(table).location}/metadata/{name}"
        self._attachments[path] = content
        return path

    def read_attachment(self, path: str) -> bytes:
        if path not in self._attachments:
            raise NotFoundError(f"{path} does not exist")
        return self._attachments[path]

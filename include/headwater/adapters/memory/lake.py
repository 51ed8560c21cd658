"""What a table is, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

from headwater.domain.errors import NotFoundError
from headwater.domain.names import TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState
from headwater.ports.catalog import TableHead

MAIN = "main"


@dataclass(slots=True)
class Snapshot:
    """``paths`` are the files it adds to its parent's."""

    id: int
    parent: int | None
    summary: dict[str, str]
    paths: tuple[str, ...] = ()


@dataclass(slots=True)
class MemoryTable:
    """Snapshots and the branches that name them; ``version`` counts commits."""

    name: TableName
    schema: TableSchema
    ids: count[int] = field(default_factory=lambda: count(1001))
    uuid: str = field(default_factory=lambda: str(uuid4()))
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    refs: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    state: TableState | None = None
    version: int = 0
    location: str = field(init=False)

    def __post_init__(self) -> None:
        self.location = f"memory://{'/'.join(self.name.identifier)}"

    @property
    def metadata_location(self) -> str:
        return f"{self.location}/metadata/{self.version:05d}.metadata.json"

    def head(self) -> TableHead:
        return TableHead(
            table=self.name,
            uuid=self.uuid,
            main=self.refs.get(MAIN),
            state=self.state,
            schema_=self.schema,
            metadata_location=self.metadata_location,
            location=self.location,
            tags=dict(self.tags),
            branches={ref: snapshot for ref, snapshot in self.refs.items() if ref != MAIN},
        )

    def commit(self, branch: str, summary: dict[str, str], paths: tuple[str, ...] = ()) -> int:
        """Add a snapshot to a branch and return its id."""
        snapshot = Snapshot(next(self.ids), self.refs.get(branch), summary, paths)
        self.snapshots[snapshot.id] = snapshot
        self.refs[branch] = snapshot.id
        self.version += 1
        return snapshot.id

    def history(self, branch: str) -> list[Snapshot]:
        """Newest first. :raises NotFoundError: when the branch is gone."""
        if branch not in self.refs:
            raise NotFoundError(f"{self.name}: branch {branch} does not exist", facts={"table": self.name.dotted})
        found, at = [], self.refs.get(branch)
        while at is not None:
            found.append(self.snapshots[at])
            at = self.snapshots[at].parent
        return found

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Number the new ones on from the highest id there is."""
        next_id = count(max((column.field_id or 0 for column in columns), default=0) + 1)
        numbered = tuple(
            column if column.field_id else column.model_copy(update={"field_id": next(next_id)}) for column in columns
        )
        self.schema = TableSchema(columns=numbered)
        self.version += 1

"""What one publish made visible."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.names import Layer, TableName
from headwater.domain.staging import StagedTable, TableState

ReleaseKind = Literal["bronze", "audited", "quarantine", "rollback"]


class Move(Value):
    """One table's part of a publish (rule 17): refused unless ``main`` is ``base`` and the branch is ``target``.

    A rollback moves ``main`` to an older snapshot, on a branch of its own.
    """

    table: TableName
    base: int | None
    target: int
    branch: str | None
    state: TableState
    physical: str | None = None
    """Mark of the physical table that has ``target`` and that the name stands for from then on (rule 14)."""

    @property
    def home(self) -> TableName:
        """The physical table that has the target."""
        return self.table.at(self.physical)

    @classmethod
    def of(cls, staged: StagedTable) -> Move:
        """The move that publishes a staging."""
        return cls(
            table=staged.table,
            base=staged.base,
            target=staged.staged,
            branch=staged.branch,
            state=staged.state,
            physical=staged.physical,
        )


class ReleasedTable(Value):
    """A table as readers of a release see it. ``metadata_location`` lets DuckDB read it without a catalog."""

    table: TableName
    snapshot_id: int
    metadata_location: str
    rows: int | None = None
    """Bronze: what its last batch added. Silver and gold: rows not deleted, of a history those that hold now."""
    moved: bool = True
    """Whether this release moved it; readers get every table of the pipeline, moved or not."""
    state: TableState | None = None
    """``headwater.state`` that goes with the snapshot: what a rollback to this release restores (rule 22)."""


class Release(Value):
    """All tables of one pipeline at one instant (rule 19). Readers read releases, never loose ``main``s.

    :param id: ``r-<yyyymmddThhmmss>-<8 hex>``; sorts by time.
    :param kind: ``bronze`` (publish_bronze), ``audited`` (publish: silver and gold), ``quarantine`` (rows set aside,
        shown whatever the gates say) or ``rollback``.
    :param status: ``pending`` from before the catalog commit until after it; only ``published`` is ever read.
        While pending, a moved table's ``metadata_location`` is empty.
    """

    id: str
    run_key: str
    pipeline: str
    kind: ReleaseKind
    status: Literal["pending", "published", "aborted"]
    created_at: AwareDatetime
    published_at: AwareDatetime | None = None
    tables: tuple[ReleasedTable, ...] = ()
    inputs: dict[str, int] = Field(default_factory=dict)
    bundle_version: str | None = None
    moves: tuple[Move, ...] = ()
    """The intent, written before the catalog commit: what recovery judges a pending release by."""
    held: tuple[str, ...] = ()
    """Dotted tables this publish had to leave out."""

    @property
    def scope(self) -> Literal["bronze", "audited", "quarantine"]:
        """Which of a pipeline's lines of releases it belongs to; a rollback belongs to the line it turned back."""
        if self.kind != "rollback":
            return self.kind
        return "bronze" if any(table.table.layer is Layer.BRONZE for table in self.tables) else "audited"

    def only(self, layers: Collection[Layer]) -> Release:
        """The same release without the tables of other layers."""
        return self.model_copy(update={"tables": tuple(table for table in self.tables if table.table.layer in layers)})

"""What keeps tables small and quick, and what it must leave alone (rules 24, 29, 41; ADR 18)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.duration import Duration
from headwater.domain.names import TableName

Step = Literal["branches", "tables", "files", "snapshots", "orphans", "leftovers"]
TABLE_STEPS: tuple[Step, ...] = ("branches", "tables", "files", "snapshots", "orphans")
"""In the order they are done: what one lets go of, a later one cleans away."""
STEPS: tuple[Step, ...] = (*TABLE_STEPS, "leftovers")
"""The last is of no table: what killed processes left beside them."""

MIB = 1024 * 1024
PositiveDuration = Annotated[Duration, Field(gt=timedelta(0))]


class MaintenanceSettings(Value):
    """How long things are kept, and how much one slice does."""

    retention: PositiveDuration = timedelta(days=30)
    """A release can be read, and rolled back to, this long after another took its place."""
    longest_run: PositiveDuration = timedelta(days=1)
    """No run takes longer. Files younger than this and a day are never orphans (rule 29)."""
    target_file_bytes: int = Field(default=128 * MIB, ge=MIB)
    """Size that small files are brought together to."""
    min_input_files: int = Field(default=8, ge=2)
    """Files are brought together when there are this many small ones."""
    max_slice_bytes: int = Field(default=8192 * MIB, ge=MIB)
    """What one slice rewrites at most. A table with delete files that holds more is left as it is."""
    max_slice_snapshots: int = Field(default=1000, ge=1)
    """Snapshots that one slice expires at most, oldest first."""
    turn: Annotated[Duration, Field(le=timedelta(minutes=10))] = timedelta(minutes=2)
    """A run waits this long at most for a table in which much has piled up (ADR 18); 0s: never."""
    orphans_every_days: int = Field(default=7, ge=1)
    """Scheduled maintenance looks for orphans of a table on one day of so many."""

    @property
    def orphan_age(self) -> timedelta:
        """What is younger may belong to a run at work."""
        return self.longest_run + timedelta(days=1)


class FileRewrite(Value):
    """Bring small files together on a branch, and apply delete files."""

    branch: str
    base: int
    target_file_bytes: int
    min_input_files: int
    max_files: int
    """Of the data files at most this many are rewritten; ignored when ``whole``."""
    whole: bool = False
    """Rewrite every file: a table with delete files, so that none of those is left dangling."""
    is_sorted: bool = False
    """The table declares an order of its rows, which the new files keep."""


class OrphanSearch(Value):
    """Find files in the table's folder that nothing refers to."""

    before: AwareDatetime
    """Only files last written earlier."""
    metadata_before: AwareDatetime
    """The same of metadata files: a restored catalog may point at one as old as the retention."""
    spared: tuple[str, ...] = ()
    """Paths that something outside the table's metadata refers to: releases, states."""
    attempts: tuple[str, ...] = ()
    """Live or held attempts: a path that names one is spared."""
    delete: bool = True
    """False only tells."""


class MaintainTable(Value):
    """One slice of one table in Spark: exactly one of the three is set."""

    table: TableName
    physical: str | None = None
    """Mark of the physical table, where it is one beside the table's name."""
    rewrite: FileRewrite | None = None
    expire: tuple[int, ...] = ()
    orphans: OrphanSearch | None = None

    @property
    def home(self) -> TableName:
        """The physical table to maintain."""
        return self.table.at(self.physical)


class Upkeep(Value):
    """What a slice did, or would do."""

    step: Step
    table: str
    """As people call it, with the mark of a physical table beside it."""
    status: Literal["done", "nothing", "would", "left", "failed"]
    branches: int = 0
    snapshots: int = 0
    files: int = 0
    size_bytes: int = 0
    """Of the files rewritten or removed, where it is known."""
    seconds: float = 0.0
    note: str = ""
    staged: int | None = None
    """Head of the branch that files were rewritten on."""
    paths: tuple[str, ...] = ()
    """Orphans, at most a hundred."""

    def line(self) -> str:
        """One line for the task log."""
        counts = {"branches": self.branches, "snapshots": self.snapshots, "files": self.files}
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        parts += [f"{self.size_bytes / MIB:.1f} MiB"] if self.size_bytes else []
        told = ", ".join([*parts, *filter(None, (self.note,))])
        return f"{self.table:<44} {self.step:<10} {self.status:<8} {self.seconds:6.1f} s  {told}".rstrip()

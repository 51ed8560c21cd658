"""What a comparison of a source with the lake found, key by key."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.names import TableName
from headwater.domain.spec import SourceSpec, SqlExtract, TableSpec


class DifferenceKind(StrEnum):
    """What a key that differs is a case of.

    ``lag``: the source changed, and no run has read it yet. ``loss``: the source has a row that the lake has not.
    ``corruption``: the lake holds other values than were read. ``snapshot_trap``: values changed at the source while
    the cursor did not move forward. ``deleted``: gone at the source, which an incremental extract cannot see.
    ``ambiguous``: the source has the key more than once. ``quarantined`` and ``held`` are known, and no difference.
    """

    LAG = "lag"
    LOSS = "loss"
    CORRUPTION = "corruption"
    SNAPSHOT_TRAP = "snapshot_trap"
    AMBIGUOUS = "ambiguous"
    DELETED = "deleted"
    QUARANTINED = "quarantined"
    HELD = "held"


WRONG = frozenset(
    {DifferenceKind.LOSS, DifferenceKind.CORRUPTION, DifferenceKind.SNAPSHOT_TRAP, DifferenceKind.AMBIGUOUS}
)
"""Kinds that somebody has to mend, whatever the next run does."""


class Difference(Value):
    """A key whose row is not the same on both sides.

    :param key: column -> value as text, in the source's names.
    :param cursor: the source's cursor, or the lake's where the source has no row; ISO instant or number.
    :param mended_by: what brings it right: the next run as it is, reading the source again, deriving silver again, or
        something only a person can decide.
    """

    key: dict[str, str]
    kind: DifferenceKind
    cursor: str | None = None
    mended_by: Literal["next_run", "read_again", "rebuild", "person"]
    why: str

    @property
    def line(self) -> str:
        """For a log: class, key, and why."""
        key = ", ".join(f"{name}={value}" for name, value in self.key.items())
        return f"{self.kind.value} {key}: {self.why}"

    @property
    def is_wrong(self) -> bool:
        """Whether somebody has to act: nothing Headwater does by itself mends it."""
        return self.kind in WRONG or (self.kind is DifferenceKind.LAG and self.mended_by != "next_run")


class Reconciliation(Value):
    """One table, compared.

    :param table: the silver table.
    :param compared: what was read of the lake: the silver table, or the bronze one where silver has other columns.
    :param watermark: how far the source was compared, as the source writes it; None for full extracts.
    :param source_rows: rows hashed at the source; ``lake_rows`` those of the lake.
    :param unread_rows: rows of the source that no run has read yet, or that cannot be carried; not compared.
    :param rows_read: rows of both sides looked at one by one after the hash pass.
    :param left_out: column -> why it is not compared.
    :param buckets_left: differing buckets that were not looked into, because there were too many.
    :param whole: each run reads the whole relation, so that rows may differ because they changed since the last one.
    """

    table: TableName
    compared: TableName
    relation: str
    release: str
    snapshot_id: int
    looked_at: AwareDatetime
    watermark: str | None = None
    whole: bool = False
    source_rows: int = 0
    lake_rows: int = 0
    unread_rows: int = 0
    buckets: int = 0
    buckets_differing: int = 0
    buckets_left: int = 0
    rows_read: int = 0
    seconds: float = 0.0
    left_out: dict[str, str] = Field(default_factory=dict)
    differences: tuple[Difference, ...] = ()

    @property
    def counts(self) -> dict[DifferenceKind, int]:
        """Differences by kind, kinds in the order of their gravity; only those that were met."""
        found = Counter(item.kind for item in self.differences)
        return {kind: found[kind] for kind in DifferenceKind if found[kind]}

    @property
    def wrong(self) -> tuple[Difference, ...]:
        """Differences that somebody has to mend."""
        return tuple(item for item in self.differences if item.is_wrong)

    @property
    def is_equal(self) -> bool:
        """Whether nobody has to act. Too many differences to look into mean a window that no run brings, unless each
        run reads everything.
        """
        return not self.wrong and (self.whole or not self.buckets_left)

    @property
    def line(self) -> str:
        """For a log: the table, its numbers and what differs."""
        return (
            f"{self.table}: {self.source_rows:,} rows at the source, {self.lake_rows:,} in {self.release}, "
            f"{self.unread_rows:,} not read yet, {self.rows_read:,} looked at; differences: {self.verdict}"
        )

    @property
    def verdict(self) -> str:
        """Differences by kind in words."""
        left = f"{self.buckets_left} of {self.buckets} buckets not looked into" if self.buckets_left else ""
        words = [f"{count} {kind.value}" for kind, count in self.counts.items()]
        return ", ".join(filter(None, (*words, left))) or "none"


def is_comparable(table: TableSpec) -> bool:
    """Whether a table is a relation with a key: files are accounted for by their ledger."""
    return bool(table.key) and isinstance(table.extract, SqlExtract) and table.silver.mode != "cdc"


def comparable_tables(spec: SourceSpec) -> tuple[str, ...]:
    """The tables of a source that can be compared."""
    return tuple(table.name for table in spec.tables if is_comparable(table))


def compared_tables(spec: SourceSpec) -> tuple[str, ...]:
    """The tables that are compared: those the YAML names, else all that can be."""
    return (spec.reconcile.tables if spec.reconcile else ()) or comparable_tables(spec)

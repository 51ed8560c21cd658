"""What may leave an operational database because readers of the lake see it: the report of an offload."""

from __future__ import annotations

from pydantic import AwareDatetime

from headwater.domain.base import Value
from headwater.domain.names import TableName


class OffloadedRange(Value):
    """Rows of the source whose cursor is above ``low`` and up to ``high``; ``low`` None: from the first.

    :param rows: at the source; ``lake_rows`` those that readers see.
    :param checksum: sum of the md5 of all rows of the source, modulo 2^128, in hexadecimal.
    :param verified: whether readers see every one of these rows as the source has it.
    :param why: what keeps it from being verified; or what the lake has beside these rows.
    :param purge: the statement that removes these rows at the source, and nothing if their number is another by then.
    """

    low: str | None = None
    high: str
    rows: int
    lake_rows: int
    checksum: str
    verified: bool
    why: str = ""
    purge: str | None = None


class OffloadedPartition(Value):
    """A part of the relation that can leave it as a whole, or what keeps it.

    :param detach: the statement that takes it out of the relation, and nothing where it holds another number of rows by
        then; ``drop`` the one that removes it after that. Both only of one that ``is_covered``.
    :param why: what keeps it.
    """

    name: str
    rows: int
    detach: str | None = None
    drop: str | None = None
    why: str = ""

    @property
    def is_covered(self) -> bool:
        """Whether every one of its rows is in a verified range."""
        return self.detach is not None


class OffloadReport(Value):
    """One table's history before a bound, range by range.

    :param compared: what was read of the lake: the silver table, or the bronze one where silver has other columns.
    :param partitions: those of a partitioned relation that hold rows before the bound.
    :param stored: where the report is kept.
    """

    table: TableName
    compared: TableName
    relation: str
    before: str
    release: str
    snapshot_id: int
    looked_at: AwareDatetime
    ranges: tuple[OffloadedRange, ...] = ()
    partitions: tuple[OffloadedPartition, ...] = ()
    stored: str | None = None

    @property
    def rows(self) -> int:
        return sum(item.rows for item in self.ranges)

    @property
    def verified(self) -> tuple[OffloadedRange, ...]:
        """What can be purged."""
        return tuple(item for item in self.ranges if item.verified)

    @property
    def is_verified(self) -> bool:
        """Whether all of it can be purged."""
        return len(self.verified) == len(self.ranges)

    @property
    def line(self) -> str:
        """For a log: what was looked at and what of it can go."""
        rows = sum(item.rows for item in self.verified)
        return (
            f"{self.table}: {rows:,} of {self.rows:,} rows before {self.before} can be purged "
            f"({len(self.verified)} of {len(self.ranges)} ranges verified against release {self.release})"
        )

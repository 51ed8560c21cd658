"""Two sides of a comparison: the rows of a source, and the same rows as a release of the lake has them.

Both sides hash a row the same way: the 128-bit md5 of the canonical texts of its compared columns. The canonical text
of a value is defined by its Iceberg type (``headwater.domain.canonical_text``); a bucket is the first bits of the md5
of the key's texts. So the passes over all rows happen where the rows are, and only sums leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from headwater.domain.base import Value
from headwater.domain.names import TableName
from headwater.domain.release import ReleasedTable
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec


class ComparedColumn(Value):
    """A column that the lake carries unchanged. ``type`` is the Iceberg type the source gives it."""

    source: str
    lake: str
    type: str


class Comparison(Value):
    """What is compared of one table, frozen.

    :param columns: every compared column, the key and the cursor among them.
    :param watermark: rows up to this cursor, as the source writes it, were read; None compares every row.
    :param bits: the number of buckets is 2 to the power of it.
    """

    table: TableSpec
    columns: tuple[ComparedColumn, ...]
    watermark: str | None = None
    bits: int = 0

    @property
    def key(self) -> tuple[ComparedColumn, ...]:
        named = {column.source: column for column in self.columns}
        return tuple(named[name] for name in self.table.key)

    @property
    def cursor(self) -> ComparedColumn | None:
        wanted = getattr(self.table.extract, "cursor", None)
        return next((column for column in self.columns if column.source == wanted), None)

    @property
    def by_source(self) -> Comparison:
        """The same over rows that have the source's names, as those of bronze have."""
        columns = tuple(item.model_copy(update={"lake": item.source}) for item in self.columns)
        return self.model_copy(update={"columns": columns})


class Bucket(NamedTuple):
    """The rows whose keys share their first bits.

    :param hashes: sum modulo 2^64 of the upper halves of their md5: a difference goes unseen once in 2^64.
    """

    rows: int
    hashes: int


class PrintedRow(NamedTuple):
    """A row by its fingerprint.

    :param key: canonical texts of the key's columns.
    :param content: md5 over all compared columns, in hexadecimal.
    :param cursor: µs since 1970 for a time, the number itself otherwise; None without a cursor.
    :param unread: source only: above the watermark, without a usable cursor, or not to be carried.
    :param batch: bronze only: the batch it came in.
    """

    key: tuple[str, ...]
    content: str
    cursor: int | None = None
    unread: bool = False
    batch: int | None = None


class Bounds(NamedTuple):
    """The watermark, and where the zone that each run reads again begins (exclusive), in the terms of ``cursor``."""

    high: int | None
    zone: int | None


class SourceRows(Protocol):
    """One consistent snapshot of a relation at the source."""

    @property
    def relation(self) -> str:
        """The relation with its schema or database, as the source names it."""
        ...

    def schema(self) -> TableSchema:
        """The columns the source has now."""
        ...

    def bounds(self, compared: Comparison) -> Bounds: ...

    def unread_keys(self, compared: Comparison) -> Iterable[str]:
        """md5 of the keys of rows that are not compared: no run has read them as they are now."""
        ...

    def buckets(self, compared: Comparison) -> Mapping[int, Bucket]:
        """All buckets with rows, hashed at the source."""
        ...

    def rows(self, compared: Comparison, buckets: Collection[int]) -> Sequence[PrintedRow]:
        """The compared rows of these buckets."""
        ...

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> Sequence[PrintedRow]:
        """The rows with these keys, unread ones included."""
        ...


class LakeRows(Protocol):
    """Released snapshots of a table: the compared one, bronze, and quarantine."""

    def columns(self) -> Mapping[str, str]:
        """Names of the compared snapshot's columns -> the family of their type, as ``canonical_text.family`` says."""
        ...

    def size(self) -> int:
        """How many rows the compared snapshot has, older ones of a key included."""
        ...

    def leave_out(self, bounds: Bounds, keys: Iterable[str]) -> int:
        """Compare as the source does: no rows above the bound, none with these md5 of their key; returns how many."""
        ...

    def buckets(self, compared: Comparison) -> Mapping[int, Bucket]: ...

    def rows(self, compared: Comparison, buckets: Collection[int]) -> Sequence[PrintedRow]: ...

    def rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> Sequence[PrintedRow]:
        """The rows with these keys, left out or not."""
        ...

    def bronze_rows_of(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> Sequence[PrintedRow]:
        """Of each of these keys the row of bronze that silver is made of, with its batch."""
        ...

    def bronze_versions_of(
        self, compared: Comparison, keys: Collection[tuple[str, ...]]
    ) -> Collection[tuple[tuple[str, ...], str]]:
        """Key and content of every row that bronze ever had of these keys."""
        ...

    def quarantined(self, compared: Comparison, keys: Collection[tuple[str, ...]]) -> Collection[tuple[str, ...]]:
        """Those of the keys that have rows in quarantine."""
        ...


class ReleasedRows(Value):
    """Where a table's rows are in the lake, by releases (rule 19).

    :param batch: highest bronze batch that silver holds.
    """

    release: str
    compared: ReleasedTable
    bronze: ReleasedTable
    quarantine: ReleasedTable | None = None
    watermark: str | None = None
    batch: int = 0
    silver: TableName


class Sides(Protocol):
    """Opens the two sides."""

    def source(self, table: TableSpec, connection_id: str) -> AbstractContextManager[SourceRows]:
        """A new snapshot of the source.

        :raises RequestError: when this kind of source cannot be compared.
        """
        ...

    def lake(self, released: ReleasedRows, table: TableSpec) -> AbstractContextManager[LakeRows]: ...

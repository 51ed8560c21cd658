"""Two sides of an offload: ranges of a source's rows by their cursor, and the same ranges as readers see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from headwater.domain.spec import TableSpec
from headwater.ports.reconciling import Comparison, LakeRows, ReleasedRows, SourceRows


class CursorRange(NamedTuple):
    """Rows with a cursor above ``low`` and up to ``high``, as the source writes them and in the terms of ``cursor``."""

    low: str | None
    high: str
    above: int | None
    upto: int


class RangePrint(NamedTuple):
    """What a range holds.

    :param hashes: sum of the md5 of its rows modulo 2^128.
    :param unfit: source only: rows that cannot be compared, because they cannot be carried or have no key.
    """

    rows: int
    hashes: int
    unfit: int = 0


class Partition(NamedTuple):
    """A part of a relation that can leave it as a whole.

    :param rows: all that it holds; ``placed`` those with a usable cursor. :param first: the least of these cursors,
        ``last`` the greatest, in the terms of ``cursor``.
    :param detach: a statement that takes it out of the relation, or fails where it does not hold so many rows.
    :param drop: a statement that removes it, once it was detached.
    """

    name: str
    rows: int
    placed: int
    first: int
    last: int
    detach: str
    drop: str


class RangedSource(SourceRows, Protocol):
    """One consistent snapshot of a relation, in the order of its cursor."""

    def ordinal_of(self, compared: Comparison, text: str) -> int:
        """A value of the cursor as ``PrintedRow.cursor``. :raises SourceDataError: when it is no value of its type."""
        ...

    def ranges(self, compared: Comparison, before: str, rows: int) -> Sequence[CursorRange]:
        """The rows below ``before`` in ranges of about so many rows; rows of one cursor are never divided."""
        ...

    def print_of(self, compared: Comparison, item: CursorRange) -> RangePrint: ...

    def digests_of(self, compared: Comparison, item: CursorRange) -> Iterable[str]:
        """md5 of each row that can be compared."""
        ...

    def purge(self, compared: Comparison, item: CursorRange, rows: int) -> str:
        """A statement in the source's SQL that removes the range, or fails where it does not hold so many rows."""
        ...

    def partitions(self, compared: Comparison, before: str) -> Iterable[Partition]:
        """Those that hold rows below ``before``; none where the relation is not made of partitions."""
        ...


class RangedLake(LakeRows, Protocol):
    """Released rows by the cursor."""

    def print_of(self, compared: Comparison, item: CursorRange) -> RangePrint: ...

    def count_missing(self, compared: Comparison, item: CursorRange, digests: Iterable[str]) -> int:
        """How many of the rows with these md5 the range does not hold."""
        ...


class OffloadSides(Protocol):
    """Opens the two sides."""

    def source(self, table: TableSpec, connection_id: str) -> AbstractContextManager[RangedSource]:
        """A new snapshot of the source. :raises RequestError: when this kind of source cannot be compared."""
        ...

    def lake(self, released: ReleasedRows, table: TableSpec) -> AbstractContextManager[RangedLake]: ...

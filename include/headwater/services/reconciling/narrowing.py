"""From the hashes of all rows to the few keys that differ: buckets first, then the rows of those that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headwater.ports.reconciling import Bucket, Comparison, LakeRows, PrintedRow, SourceRows

ROWS_IN_BUCKET = 64
MOST_BITS = 18
MOST_ROWS_READ = 200_000
"""Rows of either side that are looked at one by one; buckets beyond are counted, and looked into another time."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the hash pass and the look into differing buckets found.

    :param keys: keys whose rows are not equal, in no order.
    :param left: differing buckets that were not looked into.
    """

    source_rows: int
    lake_rows: int
    unread_rows: int
    buckets: int
    differing: int
    left: int = 0
    rows_read: int = 0
    keys: frozenset[tuple[str, ...]] = field(default_factory=frozenset)


def bits_for(rows: int) -> int:
    """How fine a table of so many rows is cut."""
    return min((rows // ROWS_IN_BUCKET).bit_length(), MOST_BITS)


def narrow(source: SourceRows, lake: LakeRows, compared: Comparison) -> Narrowed:
    """Two passes over each side, hashes and then the rows of differing buckets, both of one snapshot of it."""
    unread = lake.leave_out(source.bounds(compared), source.unread_keys(compared))
    theirs, ours = source.buckets(compared), lake.buckets(compared)
    differing = [number for number in sorted({*theirs, *ours}) if theirs.get(number) != ours.get(number)]
    chosen = _bearable(differing, theirs, ours)
    source_rows, lake_rows = source.rows(compared, chosen), lake.rows(compared, chosen)
    return Narrowed(
        source_rows=sum(bucket.rows for bucket in theirs.values()),
        lake_rows=sum(bucket.rows for bucket in ours.values()),
        unread_rows=unread,
        buckets=1 << compared.bits,
        differing=len(differing),
        left=len(differing) - len(chosen),
        rows_read=len(source_rows) + len(lake_rows),
        keys=frozenset(_unequal(source_rows, lake_rows)),
    )


def _bearable(differing: Sequence[int], theirs: Mapping[int, Bucket], ours: Mapping[int, Bucket]) -> Sequence[int]:
    """The first of the buckets, as many as together have no more rows than may be looked at; one at least."""
    none, total = Bucket(0, 0), 0
    for place, number in enumerate(differing):
        total += max(theirs.get(number, none).rows, ours.get(number, none).rows)
        if total > MOST_ROWS_READ and place:
            return differing[:place]
    return differing


def _unequal(source_rows: Sequence[PrintedRow], lake_rows: Sequence[PrintedRow]) -> set[tuple[str, ...]]:
    theirs, ours = _by_key(source_rows), _by_key(lake_rows)
    return {key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key)}


def _by_key(rows: Sequence[PrintedRow]) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row.content)
    return found

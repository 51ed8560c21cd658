"""Which partitions of a relation hold nothing but what was verified."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.domain.offload import OffloadedPartition, OffloadedRange
from headwater.ports.offloading import CursorRange, Partition


def covered(item: Partition, ranges: Sequence[tuple[CursorRange, OffloadedRange]]) -> OffloadedPartition:
    """The partition, with its statements where each of its rows is in a verified range.

    :param ranges: every range below the bound, without a gap between them.
    """
    why = _kept_by(item, ranges)
    if why:
        return OffloadedPartition(name=item.name, rows=item.rows, why=why)
    return OffloadedPartition(name=item.name, rows=item.rows, detach=item.detach, drop=item.drop)


def _kept_by(item: Partition, ranges: Sequence[tuple[CursorRange, OffloadedRange]]) -> str:
    if item.placed < item.rows:
        return f"{item.rows - item.placed} rows have no usable cursor"
    if not ranges or item.last > ranges[-1][0].upto:
        return "it holds rows that are not before the bound"
    doubtful = sum(not found.verified for place, found in ranges if _meets(place, item))
    return f"{doubtful} of its ranges are not verified" if doubtful else ""


def _meets(place: CursorRange, item: Partition) -> bool:
    return item.first <= place.upto and (place.above is None or item.last > place.above)

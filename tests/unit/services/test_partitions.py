"""A partition leaves as a whole only when every row of it was verified."""

from __future__ import annotations

import pytest

from headwater.domain.offload import OffloadedRange
from headwater.ports.offloading import CursorRange, Partition
from headwater.services.partitions import covered

UPTO = (10, 20, 30)
"""Three ranges: up to 10, (10, 20], (20, 30]."""


def ranges(*verified: bool) -> list[tuple[CursorRange, OffloadedRange]]:
    found = []
    for upto, is_verified in zip(UPTO, verified, strict=True):
        above = None if upto == UPTO[0] else upto - 10
        place = CursorRange(None if above is None else str(above), str(upto), above, upto)
        judged = OffloadedRange(high=str(upto), rows=5, lake_rows=5, checksum="0", verified=is_verified)
        found.append((place, judged))
    return found


def partition(first: int, last: int, rows: int = 5, placed: int = 5) -> Partition:
    return Partition("public.old", rows, placed, first, last, "detach", "drop")


@pytest.mark.parametrize(("first", "last"), [(1, 10), (5, 15), (11, 20), (1, 20)])
def test_rows_of_verified_ranges_can_leave(first: int, last: int) -> None:
    found = covered(partition(first, last), ranges(True, True, False))
    assert (found.is_covered, found.detach, found.drop, found.why) == (True, "detach", "drop", "")


@pytest.mark.parametrize(("first", "last", "doubtful"), [(1, 1, 1), (10, 10, 1), (10, 11, 1), (20, 21, 1), (1, 30, 2)])
def test_one_range_that_is_not_verified_keeps_it(first: int, last: int, doubtful: int) -> None:
    found = covered(partition(first, last), ranges(False, True, False))
    assert (found.is_covered, found.detach, found.drop) == (False, None, None)
    assert found.why == f"{doubtful} of its ranges are not verified"


def test_rows_at_or_above_the_bound_keep_it() -> None:
    assert "not before the bound" in covered(partition(25, 31), ranges(True, True, True)).why
    assert "not before the bound" in covered(partition(1, 2), []).why


def test_rows_that_no_range_can_hold_keep_it() -> None:
    """NULL and infinite cursors are in no range, so nobody has verified them."""
    assert covered(partition(1, 10, rows=7), ranges(True, True, True)).why == "2 rows have no usable cursor"

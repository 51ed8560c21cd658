"""Sums of rows' hashes and ranges of their cursors, whichever database has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headwater.ports.chunks import Bound
from headwater.ports.offloading import CursorRange
from headwater.ports.reconciling import ComparedColumn, Comparison

HALF = 1 << 64
UNHASHED = 10**32
"""What a row adds to a sum that the database could not hash: more than all rows together may add otherwise."""


def summed(upper: str | int | None, lower: str | int | None) -> int:
    """Sums of the upper and the lower halves of md5, as one number of 128 bits."""
    return (int(upper or 0) % HALF) << 64 | (int(lower or 0) % HALF)


def hashed_sum(half: str) -> str:
    """SQL that sums half an md5, from which ``UNHASHED`` tells that some rows had none."""
    return f"SUM(COALESCE({half}, {UNHASHED}))"


def ranged(compared: Comparison) -> ComparedColumn:
    """The cursor that rows are cut into ranges by."""
    if compared.cursor is None:
        raise TypeError(f"{compared.table.name} has no cursor that is compared")
    return compared.cursor


def ranges_up_to(
    last: str | None, after: Callable[[Bound | None], Bound | None], ordinal: Callable[[str], int]
) -> Sequence[CursorRange]:
    """The ranges of a relation, from its start up to its last cursor. Rows of one cursor are never divided.

    :param after: the bound that follows another, or the start; None where no row follows it.
    """
    found: list[CursorRange] = []
    low: str | None = None
    while last is not None and low != last:
        bound = after(None if low is None else (low,))
        high = last if bound is None else bound[0]
        found.append(CursorRange(low, high, None if low is None else ordinal(low), ordinal(high)))
        low = high
    return found

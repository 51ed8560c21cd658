"""How much of a batch may be set aside before that is a failure of its own."""

from __future__ import annotations

ALWAYS_TOLERATED_ROWS = 10
"""This many are never too many, however small the batch."""


def is_too_much(set_aside: int, rows: int, allowed_share: float) -> bool:
    """Whether more than ten rows and more than ``allowed_share`` (``max_quarantined_share``) of all were set aside."""
    return set_aside > ALWAYS_TOLERATED_ROWS and set_aside > allowed_share * rows

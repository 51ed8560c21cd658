"""System columns of rows that follow each other, made without an object per row."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from headwater.adapters.sources.stamped import Stamped
from headwater.domain.run import position_prefix
from headwater.ports.extractor import BatchStamp

PLANNED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LARGEST = 10**12 - 20_000


@given(ordinal=st.integers(0, LARGEST), rows=st.integers(1, 12_000))
@example(ordinal=9_999, rows=2)
@example(ordinal=99_999_999_990, rows=10)
@example(ordinal=99_999_999_990, rows=11)
def test_positions_are_the_prefix_and_twelve_digits(ordinal: int, rows: int) -> None:
    """Rule 27."""
    stamped = Stamped(BatchStamp(run_key="i/x/r", planned_at=PLANNED, batch=1, attempt="a"))
    found = stamped.columns(rows, "landing:a.csv", ordinal)["_hw_position"].to_pylist()
    start = position_prefix(PLANNED)
    assert found == [f"{start}{number:012d}" for number in range(ordinal, ordinal + rows)]

"""Golden vectors of the row hash: Spark and Python must give these, in every later version (rule 36)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from headwater.domain.row_hash import canonical_value, row_hash


@pytest.mark.parametrize(
    ("value", "family", "text"),
    [
        (-0.0, "float", "0x0.0p0"),
        (1.0, "float", "0x1.0p0"),
        (0.1, "float", "0x1.999999999999ap-4"),
        (5e-324, "float", "0x0.0000000000001p-1022"),
        (float("nan"), "float", "NaN"),
        (float("-inf"), "float", "-Infinity"),
        (Decimal("1.500"), "decimal", "1.5"),
        (Decimal("-0.00"), "decimal", "0"),
        (Decimal(100), "decimal", "100"),
        (date(1970, 1, 2), "date", "1"),
        (datetime(1970, 1, 1, 0, 0, 1, 5, UTC), "timestamptz", "1000005"),
        (True, "boolean", "true"),
        (b"\x00\xff", "binary", "00ff"),
    ],
)
def test_every_value_has_one_canonical_text(value: object, family: str, text: str) -> None:
    assert canonical_value(value, family) == text


def test_an_instant_hashes_the_same_in_every_zone() -> None:
    here = datetime(2026, 1, 1, 12, tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(hours=5)))
    assert row_hash({"t": here}, {"t": "timestamp"}) == row_hash({"t": there}, {"t": "timestamp"})


def test_a_new_nullable_column_and_widening_change_no_hash() -> None:
    before = row_hash({"a": 1, "f": 0.5}, {"a": "int", "f": "float"})
    after = row_hash({"a": 1, "f": 0.5, "new": None}, {"a": "bigint", "f": "double", "new": "string"})
    assert before == after


def test_values_cannot_run_into_their_neighbours() -> None:
    types = {"a": "string", "b": "string"}
    assert row_hash({"a": "x", "b": ""}, types) != row_hash({"a": "x1:b6:string0:", "b": None}, types)


def test_the_digest_of_a_known_row_never_changes() -> None:
    row = {"k": 1, "v": "é", "d": 1.5, "m": Decimal("2.50"), "on": date(2026, 1, 1), "ok": False, "none": None}
    types = {"k": "bigint", "v": "string", "d": "double", "m": "decimal(9,2)", "on": "date", "ok": "boolean"}
    assert row_hash(row, {**types, "none": "string"}) == GOLDEN


GOLDEN = "a506f734e2f661655d61dbc01663542dd29b8abeecf8a59b285bd280f97fcb23"

"""A value is carried exactly, or not at all (rule 30)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.sources.debezium.envelope import Field
from headwater.adapters.sources.debezium.events import UnreadableEventError
from headwater.adapters.sources.debezium.values import value_of

DECIMAL = Field("x", "bytes", "org.apache.kafka.connect.data.Decimal", {"scale": "3"})


def semantic(name: str) -> Field:
    return Field("x", "int64", f"io.debezium.time.{name}")


@pytest.mark.parametrize(
    ("value", "kind", "field", "expected"),
    [
        (7, "long", None, 7),
        ("Infinity", "double", None, float("inf")),
        (3, "double", None, 3.0),
        ("1.50", "decimal(5,2)", None, Decimal("1.50")),
        ("/w==", "decimal(5,3)", DECIMAL, Decimal("-0.001")),
        ("/w==", "string", DECIMAL, "-0.001"),
        (18838, "date", None, date(2021, 7, 30)),
        (18838, "string", semantic("Date"), "2021-07-30"),
        (1_500_000, "timestamp", None, datetime(1970, 1, 1, 0, 0, 1, 500_000)),
        (1_500, "timestamp", semantic("Timestamp"), datetime(1970, 1, 1, 0, 0, 1, 500_000)),
        (1_500_000, "timestamp", semantic("NanoTimestamp"), datetime(1970, 1, 1, 0, 0, 0, 1_500)),
        ("2021-04-16T20:13:15.259109Z", "timestamptz", None, datetime(2021, 4, 16, 20, 13, 15, 259109, UTC)),
        ("infinity", "string", None, "infinity"),
        (41_703_162_061, "string", semantic("MicroTime"), "11:35:03.162061"),
        (
            {"scale": 2, "value": "AZA="},
            "string",
            Field("x", "struct", "io.debezium.data.VariableScaleDecimal"),
            "4.00",
        ),
        (["a", None], "string", None, '["a", null]'),
        ("AP8=", "binary", None, b"\x00\xff"),
        (None, "int", None, None),
    ],
)
def test_values_are_carried_exactly(value: Any, kind: str, field: Field | None, expected: object) -> None:
    found = value_of(value, kind, "x", field)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind", "field"),
    [
        ("infinity", "timestamptz", None),
        ("-0043-03-15T00:00:00.000000Z", "timestamptz", None),
        (-2147472692, "date", None),
        ("NAN", "decimal(5,2)", None),
        ("1.555", "decimal(5,2)", None),
        ("1234.00", "decimal(5,2)", None),
        (1_001, "timestamp", semantic("NanoTimestamp")),
        (2**63, "long", None),
        (2**53 + 1, "double", None),
        ("x", "boolean", None),
        ("?", "binary", None),
    ],
)
def test_what_a_type_cannot_hold_is_refused_by_the_columns_name(value: Any, kind: str, field: Field | None) -> None:
    with pytest.raises(UnreadableEventError) as raised:
        value_of(value, kind, "x", field)
    assert raised.value.rule == "type of x"
    assert str(raised.value).startswith("column x: ")


@given(unscaled=st.integers(-(10**20), 10**20), scale=st.integers(0, 10))
def test_scaled_decimals_come_back(unscaled: int, scale: int) -> None:
    import base64

    size = (unscaled.bit_length() + 8) // 8
    text = base64.b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()
    field = Field("x", "bytes", "org.apache.kafka.connect.data.Decimal", {"scale": str(scale)})
    assert value_of(text, f"decimal(38,{scale})", "x", field) == Decimal(unscaled).scaleb(-scale)

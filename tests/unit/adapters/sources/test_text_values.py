"""A text is a value of a type, exactly, or none: never rounded, cut or guessed."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.adapters.sources.text_values import is_untypable, typed

ENGINE = duckdb.connect()
ENGINE.execute("SET TimeZone = 'UTC'")
TEXT = st.text(alphabet="0123456789+-.eE _:TZ/ainftyNx", max_size=14)


def value_of(text: str, kind: str) -> Any:
    """What bronze would hold, or ``...`` where the text goes to quarantine."""
    row = ENGINE.execute(
        f"SELECT {is_untypable('c', kind)}, {typed('c', kind)} FROM (SELECT ? AS c)", [text]
    ).fetchone()
    assert row is not None
    return ... if row[0] else row[1]


@example(text="1.5")
@example(text=" 1")
@example(text="1_000")
@example(text="2147483648")
@example(text="0x1f")
@given(TEXT)
def test_integers(text: str) -> None:
    fits = re.fullmatch(r"[+-]?\d+", text) and -(2**31) <= int(text) < 2**31
    assert value_of(text, "int") == (int(text) if fits else ...)


@example(text="1.005")
@example(text="1e2")
@example(text="1000")
@example(text="1.230000000")
@example(text=".5")
@example(text="5.")
@given(TEXT)
def test_decimals(text: str) -> None:
    expected: Any = ...
    try:
        number = Decimal(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text) else None
    except InvalidOperation:
        number = None
    if number is not None and number == number.quantize(Decimal("0.01")) and abs(number) < 1000:
        expected = number
    assert value_of(text, "decimal(5,2)") == expected


@example(text="infinity")
@example(text="2013-02-30")
@example(text="10000-01-01")
@example(text="0000-01-01")
@example(text="2013-1-1")
@example(text="2013-01-01 ")
@given(st.one_of(TEXT, st.dates().map(str)))
def test_dates(text: str) -> None:
    try:
        expected: Any = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else ...
    except ValueError:
        expected = ...
    assert value_of(text, "date") == expected


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "Infinity", "1e999", "NaN", "", " 1", "1,5", "0x1p3"])
def test_what_is_no_finite_number_is_no_double(text: str) -> None:
    assert value_of(text, "double") is ...


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_read_back_as_it_was_written(number: float) -> None:
    assert value_of(repr(number), "double") == number


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("timestamp", "2013-01-01 01:02:03.1234567", ...),
        ("timestamp", "2013-01-01 01:02:03.1234560", "2013-01-01 01:02:03.123456"),
        ("timestamp", "2013-01-01T01:02", "2013-01-01 01:02:00"),
        ("timestamp", "2013-01-01", ...),
        ("timestamp", "2013-01-01 01:02:03+01:00", ...),
        ("timestamp", "infinity", ...),
        ("timestamp", "epoch", ...),
        ("timestamptz", "2013-01-01 01:02:03+01", "2013-01-01 00:02:03+00:00"),
        ("timestamptz", "2013-01-01 01:02:03Z", "2013-01-01 01:02:03+00:00"),
        ("timestamptz", "2013-01-01 24:00:00", ...),
        ("boolean", "TRUE", "True"),
        ("boolean", "yes", ...),
        ("uuid", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("uuid", "6ba7b8109dad11d180b400c04fd430c8", ...),
        ("binary", "00fF", "b'\\x00\\xff'"),
        ("binary", "0", ...),
        ("string", "anything", "anything"),
    ],
)
def test_forms(kind: str, text: str, expected: str | None) -> None:
    found = value_of(text, kind)
    assert (found if found is ... else str(found)) == expected

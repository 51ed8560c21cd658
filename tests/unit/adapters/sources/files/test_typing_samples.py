"""A guessed type takes every text it was guessed from, and gives each back as what it says."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources.files.typing_samples import guessed_types, unique_columns
from headwater.adapters.sources.text_values import is_untypable, typed

NUMBERS = st.integers().map(str) | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
TIMES = st.dates().map(str) | st.datetimes().map(str)
OTHERS = st.sampled_from(["true", "False", "0", "1", "007", "+5", ".5", "1e400", "-0", "2013-02-30", "NaN"]) | st.text()
COLUMNS = st.lists(NUMBERS, min_size=1) | st.lists(TIMES, min_size=1) | st.lists(NUMBERS | TIMES | OTHERS, min_size=1)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with writer() as made:
        yield made


@given(values=COLUMNS)
def test_a_guessed_type_takes_every_value_and_no_digit_is_lost(
    engine: duckdb.DuckDBPyConnection, values: list[str]
) -> None:
    engine.register("seen", pa.table({"c0": pa.array(values, pa.string())}))
    [kind] = guessed_types(engine, "seen", ["v"])
    query = f"SELECT count(*) FILTER (WHERE {is_untypable('c0', kind)}), list({typed('c0', kind)}) FROM seen"
    refused, taken = engine.execute(query).fetchone() or (None, [])
    assert refused == 0
    if kind == "long" or kind.startswith("decimal"):
        assert [Decimal(value) for value in taken] == [Decimal(value) for value in values]
    elif kind == "string":
        assert taken == values


def test_nothing_is_a_key_of_no_rows(engine: duckdb.DuckDBPyConnection) -> None:
    engine.register("none", pa.table({"c0": pa.array([], pa.string())}))
    assert unique_columns(engine, "none", ["id"], ["string"]) == ()

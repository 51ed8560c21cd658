"""What Python has no value for is told in words, however deep it lies."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from headwater.adapters.duckdb.answers import answered

DAY = date(2013, 1, 31)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("['infinity'::DATE, DATE '2013-01-31', NULL]", ["infinity", DAY, None]),
        ("[INTERVAL '1 month 2 days', NULL]", ["1 month 2 days", None]),
        ("{'a': '-infinity'::TIMESTAMP, 'b': [{'c': INTERVAL 1 MONTH}]}", {"a": "-infinity", "b": [{"c": "1 month"}]}),
        ("""{'A b"c''d': INTERVAL 1 MONTH, 'e': 1}""", {"A b\"c'd": "1 month", "e": 1}),
        ("row(1, 'infinity'::TIMESTAMP_NS)", (1, "infinity")),
        ("[[DATE '2013-01-31'], ['infinity'::DATE], NULL]", [[DAY], ["infinity"], None]),
        ("['infinity'::TIMESTAMP_S]::TIMESTAMP_S[1]", ["infinity"]),
        ("['infinity'::TIMESTAMPTZ, TIMESTAMPTZ '2013-01-31 05:00:00+02']",
         ["infinity", datetime(2013, 1, 31, 3, tzinfo=UTC)]),
        ("MAP {'k': 'infinity'::DATE}", {"k": "infinity"}),
        ("MAP {'infinity'::DATE: INTERVAL 1 MONTH, DATE '9999-12-31': NULL}",
         {"infinity": "1 month", date.max: None}),
        ("NULL::STRUCT(a DATE, b INTERVAL[])", None),
        ("NULL::MAP(DATE, INTERVAL)", None),
        ("NULL::INTERVAL[]", None),
        ("[]::DATE[]", []),
    ],
)  # fmt: skip
def test_nested_values_are_told_as_plain_ones(expression: str, told: object) -> None:
    with duckdb.connect() as connection:
        assert answered(connection, f"SELECT {expression} AS v").rows == ((told,),)


def test_an_interval_longer_than_python_counts_is_told() -> None:
    """Python's client ended the whole query by an OverflowError."""
    with duckdb.connect() as connection:
        assert answered(connection, "SELECT [INTERVAL '10000000 years']").rows == ((["10000000 years"],),)


def test_a_value_without_dates_is_not_touched() -> None:
    with duckdb.connect() as connection:
        sql = "SELECT {'a': [1.5, 2], 'b': MAP {'k': 'x'::BLOB}} AS v, 1 AS v, [1, 2]::INTEGER[2] AS w"
        found = answered(connection, sql)
        assert found.columns == ("v", "v", "w")
        assert found.rows == tuple(connection.sql(sql).fetchall())

"""A cast to a type of another dialect would parse here and fail in Spark."""

from __future__ import annotations

import pytest

from headwater.model.sql.expressions import expression_fault


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("CAST(a AS hugeint)", "Spark has no type"),
        ("a::json", "Spark has no type json"),
        ("TRY_CAST(a AS array<struct<x: datetime>>)", "Spark has no type datetime"),
        ("CAST(a AS decimal(39, 2))", "is no decimal"),
        ("CAST(a AS decimal(5, 7))", "is no decimal"),
        ("CAST(a AS array<decimal(40)>)", "is no decimal"),
        ("a RLIKE '('", "does not compile"),
    ],
)
def test_what_spark_could_not_run_is_refused(expression: str, said: str) -> None:
    assert said in str(expression_fault(expression))


@pytest.mark.parametrize(
    "expression",
    [
        *("CAST(a AS decimal)", "CAST(a AS decimal(38, 38))", "CAST(a AS numeric(4, 2))", "CAST(a AS varchar(3))"),
        *(
            "CAST(a AS timestamp_ntz)",
            "a::string",
            "bigint(a)",
            "CAST(a AS interval day to second)",
            "DATE '2013-01-31'",
        ),
        *("CAST(a AS array<struct<x: int, y: map<string, decimal(3, 1)>>>)", "a RLIKE '^[A-Z]+$'", "a RLIKE b"),
    ],
)
def test_what_spark_knows_is_not(expression: str) -> None:
    assert expression_fault(expression) is None

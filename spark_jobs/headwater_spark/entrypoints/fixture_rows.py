"""Rows of fixtures: those given as DataFrames, those expected and those made as texts that can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.differences import Row as MadeRow
from headwater_spark.tables.sql_text import literal, quoted

Row = Mapping[str, object]
_NESTED = ("array<", "map<", "struct<")


def given_rows(spark: SparkSession, rows: Sequence[Row], types: Mapping[str, str], place: str) -> DataFrame:
    """Rows of a fixture as a DataFrame: values are written as text and cast, as a file would be.

    :param place: of the fixture, for a value that its type cannot take.
    """
    values = [
        "SELECT "
        + ", ".join(
            f"{_cast(row.get(name), kind, f'{place}.{name}')} AS {quoted(name)}" for name, kind in types.items()
        )
        for row in rows or [{}]
    ]
    made = spark.sql(" UNION ALL ".join(values))
    return made if rows else made.where("false")


def _cast(value: object, kind: str, place: str) -> str:
    if value is None or kind == "string":
        return f"CAST({_text(value)} AS {kind})"
    wrong = literal(f"{place} is given as {str(value)[:80]!r}, which is no {kind}")
    return f"coalesce(TRY_CAST({_text(value)} AS {kind}), raise_error({wrong}))"


def expected_rows(spark: SparkSession, rows: Sequence[Row], types: Mapping[str, str]) -> list[MadeRow]:
    """The expected rows as text; a value that its column could never hold stays as it is written, and differs."""
    if not rows:
        return []
    fields = [
        "SELECT "
        + ", ".join(f"{_expected_text(row.get(name), kind)} AS {quoted(name)}" for name, kind in types.items())
        for row in rows
    ]
    return [row.asDict() for row in spark.sql(" UNION ALL ".join(fields)).collect()]


def _expected_text(value: object, kind: str) -> str:
    if kind.startswith(_NESTED):
        if isinstance(value, str) or value is None:
            return f"CAST({_text(value)} AS STRING)"  # in Spark's own form: [a, b]
        written = json.dumps(value, default=str)
        return f"coalesce(CAST(from_json({literal(written)}, {literal(kind)}) AS STRING), {literal(written)})"
    return f"coalesce({_written(f'TRY_CAST({_text(value)} AS {kind})', kind)}, CAST({_text(value)} AS STRING))"


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    return literal(str(value).lower() if isinstance(value, bool) else str(value))


def made_rows(frame: DataFrame, types: Mapping[str, str]) -> list[MadeRow]:
    """What a transform made, as text."""
    fields = [f"{_written(quoted(name), kind)} AS {quoted(name)}" for name, kind in types.items()]
    return [row.asDict() for row in frame.selectExpr(*fields).collect()]


def _written(value: str, kind: str) -> str:
    # two ways to add up floating numbers may differ in the last digits; nine decimals are what a person writes, and
    # what is left of a difference of zero has no sign
    exact = f"round({value}, 9) + CAST(0 AS {kind})" if kind in {"double", "float"} else value
    return f"CAST({exact} AS STRING)"

"""``preflight``: the given/expect fixtures of a transform, run through the transform's own code on views."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.differences import RowDifference, pair_rows
from headwater.domain.errors import PreflightError
from headwater.domain.job import Fixture, PreflightTable, TableResult
from headwater.domain.masking import FIXTURE_KEY
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS
from headwater_spark.entrypoints.fixture_rows import expected_rows, given_rows, made_rows
from headwater_spark.tables.sql_text import spark_type
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.columns import business_columns, shape_columns
from headwater_spark.transforms.python_function import make_gold
from headwater_spark.transforms.silver_function import apply_silver_code

MOST_DIFFERENCES = 20
_INFERRED = {bool: "boolean", int: "bigint", float: "double"}


def preflight_table(spark: SparkSession, table: PreflightTable) -> TableResult:
    """Run every fixture; red names the rows that differ."""
    found = [difference for fixture in table.fixtures for difference in _run(spark, table, fixture)]
    shown = tuple(found[:MOST_DIFFERENCES])
    facts = {"table": table.table.dotted, "fixtures": str(len(table.fixtures)), "count": str(len(found))}
    if not found:
        return TableResult(table=table.table, status="green", facts=facts)
    return TableResult(
        table=table.table,
        status="red",
        error_code="preflight_red",
        error=f"{len(found)} rows differ from what the fixtures of {table.table} expect",
        facts=facts | {"file": table.fixtures[0].file, "value": shown[0].text},
        differences=tuple(difference.text for difference in shown),
        row_differences=shown,
    )


def _run(spark: SparkSession, table: PreflightTable, fixture: Fixture) -> list[RowDifference]:
    made = _made(spark, table, fixture)
    names = list(dict.fromkeys(name for row in fixture.expect for name in row)) or list(business_columns(made))
    missing = [name for name in names if name not in made.columns]
    if missing:
        raise PreflightError(
            f"{fixture.file}:{fixture.line}: {fixture.name}: the result has no column {missing[0]}",
            got=missing[0],
            allowed=", ".join(business_columns(made)),
            facts={"file": fixture.file, "column": missing[0]},
        )
    types = {name: made.schema[name].dataType.simpleString() for name in names}
    pairs = pair_rows(expected_rows(spark, fixture.expect, types), made_rows(made, types))
    place = {"test": fixture.name, "file": fixture.file, "line": fixture.line}
    return [RowDifference.model_validate(place | {"expected": e, "made": m}) for e, m in pairs]


def _made(spark: SparkSession, table: PreflightTable, fixture: Fixture) -> DataFrame:
    given = {dotted: _given(spark, table, fixture, dotted) for dotted in fixture.given}
    if table.gold is not None:
        views = {dotted: as_view(frame, "given") for dotted, frame in given.items()}
        return make_gold(spark, table.gold, views, fixture.planned_at)
    if table.silver is None:
        raise ValueError(f"the fixtures of {table.table} name no transform")
    bronze = TableName(layer=Layer.BRONZE, source=table.table.source, table=table.table.table)
    rows = given[bronze.dotted]
    stamped = rows.selectExpr("*", *(f"{_stamp(name)} AS {name}" for name in _SYSTEM if name not in rows.columns))
    shaped = shape_columns(table.silver, stamped, masking=FIXTURE_KEY)
    return apply_silver_code(table.silver, bronze, shaped, fixture.planned_at)


_SYSTEM = {column.name: spark_type(column.type) for column in BRONZE_SYSTEM_COLUMNS}


def _stamp(name: str) -> str:
    values = {"_hw_batch": "1", "_hw_op": "'r'", "_hw_position": "''", "_hw_origin": "'fixture'"}
    return f"CAST({values.get(name, 'NULL')} AS {_SYSTEM[name]})"


def _given(spark: SparkSession, table: PreflightTable, fixture: Fixture, dotted: str) -> DataFrame:
    """The rows given of one input; what their types are, every test of the table may tell."""
    known = {**table.schemas.get(dotted, {}), **fixture.types.get(dotted, {})}
    types = {name: spark_type(kind) for name, kind in known.items()}
    seen = [row for test in table.fixtures for row in test.given.get(dotted, ())]
    for name in dict.fromkeys(name for row in seen for name in row):
        if name not in types:
            types[name] = _SYSTEM.get(name) or _inferred([row.get(name) for row in seen])
    if not types:
        raise PreflightError(
            f"{fixture.file}:{fixture.line}: {fixture.name}: nothing tells the columns of {dotted}",
            allowed=f"rows of it in another test, or `types: {{{dotted}: {{<column>: <type>}}}}`",
            facts={"file": fixture.file},
        )
    place = f"{fixture.file}:{fixture.line}: {fixture.name}: {dotted}"
    return given_rows(spark, fixture.given[dotted], types, place)


def _inferred(values: Sequence[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return "double"
    return _INFERRED.get(kinds.pop(), "string") if len(kinds) == 1 else "string"

"""``preflight``: the given/expect fixtures of a transform, run through the transform's own code on views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.job import Fixture, JobSpec, PreflightTable, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS
from headwater_spark.tables.sql_text import literal, quoted, spark_type
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.columns import business_columns, shape_columns
from headwater_spark.transforms.pinned_sql import pin_tables
from headwater_spark.transforms.silver_sql import apply_silver_sql

MOST_DIFFERENCES = 20
_INFERRED = {bool: "boolean", int: "bigint", float: "double"}
Row = Mapping[str, object]


def preflight_table(spark: SparkSession, job: JobSpec, table: PreflightTable) -> TableResult:
    """Run every fixture; red names the rows that differ."""
    differences: list[str] = []
    for fixture in table.fixtures:
        made = _made(spark, job, table, fixture)
        differences += [f"{fixture.file}: {fixture.name}: {line}" for line in _differences(spark, made, fixture)]
    shown = differences[:MOST_DIFFERENCES]
    facts = {"table": table.table.dotted, "fixtures": str(len(table.fixtures)), "count": str(len(differences))}
    if not differences:
        return TableResult(table=table.table, status="green", facts=facts)
    return TableResult(
        table=table.table,
        status="red",
        error_code="preflight_red",
        error=f"{len(differences)} rows differ from what the fixtures of {table.table} expect",
        facts=facts | {"file": table.fixtures[0].file, "value": shown[0]},
        differences=tuple(shown),
    )


def _made(spark: SparkSession, job: JobSpec, table: PreflightTable, fixture: Fixture) -> DataFrame:
    given = {dotted: _given(spark, table, dotted, rows) for dotted, rows in fixture.given.items()}
    if table.gold is not None:
        views = {dotted: as_view(frame, "given") for dotted, frame in given.items()}
        return spark.sql(pin_tables(table.gold.sql, views), args={"planned_at": job.planned_at})
    if table.silver is None:
        raise ValueError(f"the fixtures of {table.table} name no transform")
    bronze = TableName(layer=Layer.BRONZE, source=table.table.source, table=table.table.table)
    rows = given[bronze.dotted]
    stamped = rows.selectExpr("*", *(f"{_stamp(name)} AS {name}" for name in _SYSTEM if name not in rows.columns))
    return apply_silver_sql(table.silver.sql, bronze, shape_columns(table.silver, stamped))


_SYSTEM = {column.name: spark_type(column.type) for column in BRONZE_SYSTEM_COLUMNS}


def _stamp(name: str) -> str:
    values = {"_hw_batch": "1", "_hw_op": "'r'", "_hw_position": "''", "_hw_origin": "'fixture'"}
    return f"CAST({values.get(name, 'NULL')} AS {_SYSTEM[name]})"


def _given(spark: SparkSession, table: PreflightTable, dotted: str, rows: Sequence[Row]) -> DataFrame:
    known = {name: spark_type(kind) for name, kind in table.schemas.get(dotted, {}).items()}
    types = known | {
        name: _SYSTEM.get(name) or _inferred([row.get(name) for row in rows])
        for name in dict.fromkeys(name for row in rows for name in row)
        if name not in known
    }
    return _local(spark, rows, types)


def _inferred(values: Sequence[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return "double"
    return _INFERRED.get(kinds.pop(), "string") if len(kinds) == 1 else "string"


def _local(spark: SparkSession, rows: Sequence[Row], types: Mapping[str, str]) -> DataFrame:
    """Rows of a fixture as a DataFrame: values are written as text and cast, as a file would be."""
    values = [
        "SELECT "
        + ", ".join(f"CAST({_text(row.get(name))} AS {kind}) AS {quoted(name)}" for name, kind in types.items())
        for row in rows or [{}]
    ]
    made = spark.sql(" UNION ALL ".join(values))
    return made if rows else made.where("false")


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    return literal(str(value).lower() if isinstance(value, bool) else str(value))


def _differences(spark: SparkSession, made: DataFrame, fixture: Fixture) -> list[str]:
    names = list(dict.fromkeys(name for row in fixture.expect for name in row)) or list(business_columns(made))
    missing = [name for name in names if name not in made.columns]
    if missing:
        return [f"the result has no column {name}; it has {', '.join(business_columns(made))}" for name in missing]
    types = {name: made.schema[name].dataType.simpleString() for name in names}
    got = _counted(made, types)
    expected = _counted(_local(spark, fixture.expect, types), types)
    lines = [f"expected and missing ({count}×): {row}" for row, count in (expected - got).items()]
    return lines + [f"made and not expected ({count}×): {row}" for row, count in (got - expected).items()]


def _counted(frame: DataFrame, types: Mapping[str, str]) -> Counter[str]:
    fields = [f"{_rounded(name, kind)} AS {quoted(name)}" for name, kind in types.items()]
    rows = frame.selectExpr(*fields).collect()
    return Counter(", ".join(f"{name}={row[name]}" for name in types) for row in rows)


def _rounded(name: str, kind: str) -> str:
    # two ways to add up floating numbers may differ in the last digits; nine decimals are what a person writes
    exact = f"round({quoted(name)}, 9)" if kind in {"double", "float"} else quoted(name)
    return f"CAST({exact} AS STRING)"

"""What stands between the column rules and silver: SQL, a Python function, or nothing. Row by row in either form."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame

from headwater.domain.errors import TransformError
from headwater.domain.names import TableName
from headwater.domain.spec import PythonFunction, TableSpec
from headwater_spark.tables.sql_text import listed, quoted
from headwater_spark.tables.views import settled
from headwater_spark.transforms.columns import business_columns
from headwater_spark.transforms.filtered_rows import carried_columns

ROW = "_hw_row"
"""A row's place in its source, which a function hands on as it is."""


def apply_silver_code(spec: TableSpec, bronze: TableName, shaped: DataFrame, planned_at: datetime) -> DataFrame:
    """The increment as SQL or the function makes it.

    :raises SpecError: when the SQL is not row-wise over its own table.
    :raises TransformError: when the function gives no DataFrame, more rows than it got, or rows without their place.
    """
    if not spec.is_shaped_by_code:
        return shaped
    # the parser of SQL takes a second to import, which every refine of plain columns would pay
    from headwater_spark.transforms.python_function import call
    from headwater_spark.transforms.silver_sql import apply_silver_sql

    if spec.transform is None:
        return apply_silver_sql(spec.sql, bronze, shaped)
    names, carried = business_columns(shaped), carried_columns(shaped)
    packed = shaped.selectExpr(*map(quoted, names), f"struct({listed(carried)}) AS {ROW}")
    made = call(spec.transform, [packed], planned_at)
    if ROW not in made.columns:
        raise _not_row_wise(spec.transform, f"the column {ROW} is gone")
    made = settled(made)
    given, got = packed.count(), made.count()
    if got > given:
        raise _not_row_wise(spec.transform, f"{got} rows made of {given}")
    kept = [quoted(name) for name in made.columns if name != ROW]
    return made.selectExpr(*kept, *(f"{ROW}.{quoted(name)} AS {quoted(name)}" for name in carried))


def _not_row_wise(function: PythonFunction, got: str) -> TransformError:
    return TransformError(
        f"{function.python} is not row by row",
        got=got,
        allowed=f"withColumn, select with {ROW}, drop and where; joins and aggregates belong to gold",
        remedy="Correct the function; its fixture shows the error without a run.",
        facts={"value": function.python},
    )

"""The optional silver SQL: row-wise over its own increment, so each row keeps its place in the source (rule 37)."""

from __future__ import annotations

import sqlglot
from pyspark.sql import DataFrame
from sqlglot import exp

from headwater.domain.errors import SpecError
from headwater.domain.names import TableName
from headwater_spark.tables.sql_text import listed
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.columns import business_columns
from headwater_spark.transforms.filtered_rows import carried_columns
from headwater_spark.transforms.pinned_sql import pin_tables

_ROW = "_hw_row"
_NOT_ROW_WISE = (exp.Join, exp.Group, exp.Distinct, exp.SetOperation, exp.AggFunc, exp.Limit, exp.Window, exp.Having)


def apply_silver_sql(sql: str | None, bronze: TableName, shaped: DataFrame) -> DataFrame:
    """The SELECT over the shaped increment, written there by the bronze table's name; without SQL the increment itself.

    :raises SpecError: when the SQL is not one row-wise SELECT over that table.
    """
    if sql is None:
        return shaped
    names, carried = business_columns(shaped), carried_columns(shaped)
    packed = shaped.selectExpr(*(f"`{name}`" for name in names), f"struct({listed(carried)}) AS {_ROW}")
    view = as_view(packed, "increment")
    made = shaped.sparkSession.sql(pin_tables(_carry_row(sql, bronze), {bronze.dotted: view}))
    kept = [f"`{name}`" for name in made.columns if name != _ROW]
    return made.selectExpr(*kept, *(f"{_ROW}.{name} AS {name}" for name in carried))


def _carry_row(sql: str, bronze: TableName) -> str:
    tree = sqlglot.parse_one(sql, read="spark")
    refused = tree.find(*_NOT_ROW_WISE)
    if refused is not None or tree.find(exp.Select) is None:
        raise SpecError(
            f"the silver SQL of {bronze.source}.{bronze.table} is not row-wise",
            got=refused.sql("spark")[:200] if refused is not None else "no SELECT",
            allowed="one SELECT over its own bronze table; joins and aggregates belong to gold",
            facts={"table": bronze.dotted},
        )
    for select in tree.find_all(exp.Select):
        if not any(isinstance(item, exp.Star) or item.is_star for item in select.expressions):
            select.append("expressions", exp.column(_ROW))
    return tree.sql("spark", comments=False)

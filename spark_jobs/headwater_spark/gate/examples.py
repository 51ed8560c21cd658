"""Offending rows by the predicates of the contract: Soda's open packages keep none."""

from __future__ import annotations

from pyspark.sql import SparkSession

from headwater.domain.job import ValidateTable
from headwater.model.contracts.contract import DeclaredCheck
from headwater_spark.tables.sql_text import quoted

_EXAMPLES = 5
_LONGEST = 200


def offending_rows(spark: SparkSession, view: str, table: ValidateTable, check: DeclaredCheck) -> tuple[str, ...]:
    """Up to five offending rows as ``key=…, column=…``; values of masked columns are never read."""
    if check.predicate is None:
        return ()
    columns = spark.table(view).columns
    named = [*table.key, *([check.column] if check.column else [])]
    shown = [name for name in dict.fromkeys(named) if name in columns and name not in table.masked]
    if not shown:
        return ()
    fields = ", ".join(f"concat({_said(name)}, coalesce(CAST({quoted(name)} AS STRING), 'null'))" for name in shown)
    rows = spark.sql(
        f"SELECT concat_ws(', ', {fields}) AS said FROM {view} WHERE {check.predicate} LIMIT {_EXAMPLES}"  # noqa: S608 - made of quoted names and literals
    ).collect()
    return tuple(str(row.said)[:_LONGEST] for row in rows)


def _said(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "='"

"""A table at exactly one snapshot."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.names import TableName
from headwater_spark.tables.views import query


def rows_at(spark: SparkSession, table: TableName, snapshot_id: int) -> DataFrame:
    """All rows of that snapshot, system columns and deleted rows included."""
    return query(spark, f"SELECT * FROM {table.iceberg} VERSION AS OF {snapshot_id}")  # noqa: S608 - names are checked


def snapshot_of(spark: SparkSession, table: TableName, ref: str) -> int | None:
    """The snapshot a branch or tag points at; None when there is none of that name."""
    select = f"SELECT snapshot_id FROM {table.iceberg}.refs WHERE name = '{ref}'"  # noqa: S608 - names are checked
    rows = query(spark, select).collect()
    return int(rows[0].snapshot_id) if rows else None


def held_by(spark: SparkSession, table: TableName, snapshot_id: int) -> tuple[int, int]:
    """Rows and data files of a snapshot, deleted rows included; zero of what it does not tell."""
    select = f"SELECT summary FROM {table.iceberg}.snapshots WHERE snapshot_id = {snapshot_id}"  # noqa: S608 - names are checked
    summary: dict[str, str] = next((row.summary for row in query(spark, select).collect()), {})
    return int(summary.get("total-records", 0)), int(summary.get("total-data-files", 0))

"""A table at exactly one snapshot."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.names import TableName


def rows_at(spark: SparkSession, table: TableName, snapshot_id: int) -> DataFrame:
    """All rows of that snapshot, system columns and deleted rows included."""
    return spark.sql(f"SELECT * FROM {table.iceberg} VERSION AS OF {snapshot_id}")  # noqa: S608 - names are checked


def snapshot_of(spark: SparkSession, table: TableName, ref: str) -> int | None:
    """The snapshot a branch or tag points at; None when there is none of that name."""
    query = f"SELECT snapshot_id FROM {table.iceberg}.refs WHERE name = '{ref}'"  # noqa: S608 - names are checked
    rows = spark.sql(query).collect()
    return int(rows[0].snapshot_id) if rows else None

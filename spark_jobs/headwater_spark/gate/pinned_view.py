"""The view a gate looks through: exactly one snapshot, never a branch's moving head (rule 15)."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.job import ValidateTable
from headwater.domain.names import Layer
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.sql_text import quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.columns import business_columns


def pinned_rows(spark: SparkSession, table: ValidateTable) -> DataFrame:
    """The rows to judge: of bronze those of one batch, of silver those that are not deleted."""
    rows = rows_at(spark, table.home, table.snapshot_id)
    if table.table.layer is Layer.BRONZE and table.batch_only is not None:
        return rows.where(f"_hw_batch = {table.batch_only}")
    return rows.where("NOT _hw_deleted") if table.table.layer is Layer.SILVER else rows


def is_history(rows: DataFrame) -> bool:
    """Whether the rows are those of an scd2 table."""
    return {"valid_from", "valid_to", "batch_out"} <= set(rows.columns)


def contract_view(rows: DataFrame, table: ValidateTable) -> str:
    """A view for the contract: of silver the declared columns only, of an scd2 table what is believed now."""
    seen = rows.where("batch_out IS NULL") if is_history(rows) else rows
    if table.table.layer is Layer.SILVER:
        seen = seen.select(*map(quoted, business_columns(rows)))
    return as_view(seen, f"gate_{table.table.layer.value}")

"""``build_gold``: one SELECT over pinned inputs replaces the whole table on the attempt's branch."""

from __future__ import annotations

from pyspark.sql import SparkSession, functions

from headwater.domain.job import BuildTable, JobSpec, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef
from headwater.ports.failpoints import failpoint
from headwater_spark.tables.staging import mark_commits, prepare
from headwater_spark.transforms.columns import business_columns
from headwater_spark.transforms.pinned_sql import pin_tables, view_of


def build_table(spark: SparkSession, job: JobSpec, table: BuildTable) -> TableResult:
    """Build one gold table in one commit."""
    mark_commits(spark, job.run_key, job.attempt)
    views = {dotted: pin_input(spark, dotted, source) for dotted, source in table.inputs.items()}
    made = spark.sql(pin_tables(table.spec.sql, views), args={"planned_at": job.planned_at})
    types = {field.name: field.dataType.simpleString() for field in made.schema.fields}
    staging = prepare(spark, table.gold, types, table.base, job.attempt)
    failpoint("gold.before_write")
    made.writeTo(staging.target).overwrite(functions.lit(True))
    failpoint("gold.after_write")
    staged = staging.staged(table.state)
    return TableResult(table=table.gold, status="staged", staged=staged, rows_inserted=staged.rows)


def pin_input(spark: SparkSession, dotted: str, source: InputRef) -> str:
    """A view over exactly one snapshot: readers see no system columns and no deleted rows."""
    table = TableName.parse(dotted)
    rows = spark.sql(f"SELECT * FROM {table.iceberg} VERSION AS OF {source.snapshot_id}")  # noqa: S608
    if table.layer is Layer.SILVER:
        rows = rows.where("NOT _hw_deleted")
    rows.select(*business_columns(rows)).createOrReplaceTempView(view_of(table))
    return view_of(table)

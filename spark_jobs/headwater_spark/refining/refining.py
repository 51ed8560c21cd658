"""One table's refine, in silver's names: its job, its key, and the bronze rows it is made of."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.job import JobSpec, RefineTable
from headwater.domain.masking import MASKING_VARIABLE, MaskingKey
from headwater.domain.names import Layer, TableName
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.sql_text import literal
from headwater_spark.transforms.columns import business_columns, silver_name
from headwater_spark.transforms.extracts import Batches, rows_of_rejected
from headwater_spark.transforms.marked_deletions import with_marked_deletions, with_readable_deletions
from headwater_spark.transforms.row_hash import hash_expression
from headwater_spark.transforms.rules import BROKEN, judge_rows

WHOLE = "_hw_whole"
"""Whether a row comes of all events of its key, so that it holds whatever the table has."""


@dataclass(frozen=True, slots=True)
class Refining:
    """One table's refine, in silver's names."""

    spark: SparkSession
    job: JobSpec
    table: RefineTable

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(silver_name(self.table.spec, name) for name in self.table.spec.key)

    @property
    def identity(self) -> tuple[str, ...]:
        """What a row is known by: its key, or its position in a stream of changes of a table without one."""
        return self.key or ("_hw_position",)

    @property
    def masking(self) -> MaskingKey | None:
        """The key of ``mask: hash``, which comes by environment only."""
        given = os.environ.get(MASKING_VARIABLE)
        return None if given is None else MaskingKey.model_validate_json(given)

    @property
    def batches(self) -> Batches:
        return Batches(self.table.from_batch, self.table.bronze_input.batch, self.job.planned_at.isoformat())

    @property
    def is_full_extract(self) -> bool:
        """Full extracts are diffed, unless silver only appends."""
        return self.table.spec.extract.mode == "snapshot" and self.table.spec.silver.mode in {"upsert", "scd2"}

    def bronze(self, lowest_batch: int) -> DataFrame:
        """Bronze rows of batches from ``lowest_batch`` to the frozen one, of the frozen snapshot."""
        source = self.table.bronze_input
        rows = with_marked_deletions(self.table.spec, rows_at(self.spark, self.table.bronze, source.snapshot_id))
        return rows.where(f"_hw_batch >= {lowest_batch} AND _hw_batch <= {source.batch}")

    def extracts(self, lowest_batch: int) -> DataFrame:
        """Full extracts from ``lowest_batch`` on, with rows that stand for what extraction rejected of them."""
        table, rows = self.table, self.bronze(lowest_batch)
        quarantine = TableName(layer=Layer.QUARANTINE, source=table.bronze.source, table=table.bronze.table)
        if not self.spark.catalog.tableExists(quarantine.iceberg):
            return rows
        rejects = self.spark.table(quarantine.iceberg).where(
            f"_hw_table = {literal(table.bronze.dotted)} AND _hw_batch <= {table.bronze_input.batch}"
        )
        if rejects.isEmpty():
            return rows
        batches = Batches(lowest_batch, self.batches.last, self.batches.planned_at)
        return rows.unionByName(rows_of_rejected(self.bronze(0), rejects, table.spec.key, batches))

    def ruled(self, shaped: DataFrame) -> DataFrame:
        """The rows with the rules they break."""
        shaped = with_readable_deletions(self.table.spec, shaped)
        return judge_rows(shaped, self.key, {**self.table.quarantine_rules, **self.table.set_aside})

    def events(self, judged: DataFrame) -> DataFrame:
        """Good rows with their hash."""
        names = business_columns(judged)
        content = hash_expression([(name, judged.schema[name].dataType) for name in names])
        return judged.where(f"size({BROKEN}) = 0").selectExpr(f"* EXCEPT ({BROKEN})", f"{content} AS _hw_hash")

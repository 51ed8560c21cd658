"""``refine``: bronze batches become silver rows, staged on the attempt's branch; broken rows go to quarantine."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.job import JobSpec, RefineTable, TableResult
from headwater.domain.masking import MASKING_VARIABLE, MaskingKey
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import QUARANTINE_COLUMNS
from headwater.domain.staging import StagedTable, TableState
from headwater.ports.failpoints import failpoint
from headwater_spark.entrypoints.change_stream import WHOLE, ChangeStream
from headwater_spark.entrypoints.derive_anew import judged_anew
from headwater_spark.entrypoints.silver_writes import SilverWrite, write_silver
from headwater_spark.tables.sql_text import listed, literal, spark_type
from headwater_spark.tables.staging import mark_commits, prepare
from headwater_spark.tables.views import as_view, settled
from headwater_spark.transforms.columns import business_columns, shape_columns, silver_name
from headwater_spark.transforms.extracts import Batches, refuse_mass_deletion, rows_of_rejected, with_deletions
from headwater_spark.transforms.row_hash import hash_expression
from headwater_spark.transforms.rules import BROKEN, judge_rows, quarantine_rows
from headwater_spark.transforms.silver_function import apply_silver_code
from headwater_spark.transforms.silver_sql import with_filtered_as_deleted


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
        return self.spark.sql(
            f"SELECT * FROM {self.table.bronze.iceberg} VERSION AS OF {source.snapshot_id} "  # noqa: S608
            f"WHERE _hw_batch >= {lowest_batch} AND _hw_batch <= {source.batch}"
        )

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

    def judged(self, lowest_batch: int) -> DataFrame:
        """Silver rows with ``_hw_broken``, of batches above ``lowest_batch``; full extracts with their deletions."""
        spec, full = self.table.spec, self.is_full_extract
        if spec.silver.mode == "cdc":
            return self.ruled(ChangeStream(self).rows())
        shaped = shape_columns(
            spec, self.extracts(lowest_batch) if full else self.bronze(lowest_batch + 1), masking=self.masking
        )
        made = apply_silver_code(spec, self.table.bronze, shaped, self.job.planned_at)
        if spec.is_shaped_by_code and spec.silver.mode != "append" and not full:
            times = (spec.silver.sequence_by, spec.silver.valid_from)
            made = with_filtered_as_deleted(made, shaped, self.key, [silver_name(spec, name) for name in times if name])
        shaped = made
        if full:
            last = self.batches
            shaped = with_deletions(shaped, self.key, Batches(lowest_batch, last.last, last.planned_at))
        return self.ruled(shaped.selectExpr("*", f"false AS {WHOLE}"))

    def ruled(self, shaped: DataFrame) -> DataFrame:
        """The rows with the rules they break."""
        return judge_rows(shaped, self.key, {**self.table.quarantine_rules, **self.table.set_aside})

    def events(self, judged: DataFrame) -> DataFrame:
        """Good rows with their hash."""
        names = business_columns(judged)
        content = hash_expression([(name, judged.schema[name].dataType) for name in names])
        return judged.where(f"size({BROKEN}) = 0").selectExpr(f"* EXCEPT ({BROKEN})", f"{content} AS _hw_hash")


def refine_table(spark: SparkSession, job: JobSpec, table: RefineTable) -> TableResult:
    """Refine one table; everything it commits is on the attempt's branches."""
    mark_commits(spark, job.run_key, job.attempt)
    refining = Refining(spark, job, table)
    judged = settled(refining.judged(table.from_batch) if table.anew is None else judged_anew(refining))
    rows_read, broken, any_broken = _check_batches(refining, judged)
    failpoint("refine.before_write")
    write = write_silver(refining, judged)
    aside = _set_aside(refining, judged.where(f"size({BROKEN}) > 0") if any_broken else None, write)
    failpoint("refine.after_write")
    counts = write.counts
    return TableResult(
        table=table.silver,
        status="staged",
        staged=write.staging.staged(table.state, broken + write.conflicts),
        quarantine=aside,
        rows_read=rows_read,
        rows_inserted=counts.get("insert", 0),
        rows_updated=counts.get("update", 0) + counts.get("close", 0) + counts.get("end", 0),
        rows_deleted=counts.get("delete", 0),
    )


def _check_batches(refining: Refining, judged: DataFrame) -> tuple[int, int, bool]:
    """Count rows read and broken in one pass, and refuse an extract that lost too much.

    Rows of earlier batches, which keys with late events bring along, were counted in their own runs; the last value
    says whether any row at all is broken.
    """
    view, batches = as_view(judged, "judged"), refining.batches
    facts = refining.spark.sql(
        f"SELECT _hw_batch, count_if(_hw_op <> 'd') AS rows, count_if(_hw_op = 'd') AS deleted, "  # noqa: S608
        f"count_if(size({BROKEN}) > 0) AS broken FROM {view} GROUP BY _hw_batch"
    ).collect()
    if refining.is_full_extract and refining.table.anew is None:  # what went long ago was judged then
        sizes = {int(row["_hw_batch"]): (int(row["rows"]), int(row.deleted)) for row in facts}
        before = refining.bronze(batches.after).where(f"_hw_batch = {batches.after}").count() if batches.after else 0
        refuse_mass_deletion(refining.table.spec, {batches.after: (before, 0), **sizes}, batches)
    fresh = [row for row in facts if row["_hw_batch"] > batches.after]
    broken = sum(int(row.broken) for row in fresh)
    return sum(int(row["rows"]) for row in fresh), broken, any(row.broken for row in facts)


def _set_aside(refining: Refining, broken: DataFrame | None, write: SilverWrite) -> StagedTable | None:
    frames = [frame for frame in (broken, write.conflicting) if frame is not None]
    if not frames:
        return None
    rows = frames[0] if len(frames) == 1 else frames[0].unionByName(frames[1])
    table, job = refining.table, refining.job
    quarantine = TableName(layer=Layer.QUARANTINE, source=table.silver.source, table=table.silver.table)
    columns = {column.name: spark_type(column.type) for column in QUARANTINE_COLUMNS}
    staging = prepare(refining.spark, quarantine, columns, None, job.attempt, pin=False)
    found = quarantine_rows(rows, table.silver, refining.key, job.run_key, job.planned_at)
    view = as_view(found.dropDuplicates(["_hw_id"]), "broken")
    refining.spark.sql(
        f"MERGE INTO {staging.target} t USING {view} s ON t._hw_id = s._hw_id "  # noqa: S608
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({listed(columns, 's.')})"
    ).collect()
    state = TableState(run_key=job.run_key, spec_hash=table.state.spec_hash, batch=table.bronze_input.batch)
    return staging.staged(state)

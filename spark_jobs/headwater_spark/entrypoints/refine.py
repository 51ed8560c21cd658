"""``refine``: bronze batches become silver rows, staged on the attempt's branch; broken rows go to quarantine."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.job import JobSpec, RefineTable, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import QUARANTINE_COLUMNS
from headwater.domain.staging import StagedTable, TableState
from headwater.ports.failpoints import failpoint
from headwater_spark.refining.derive_anew import judged_anew
from headwater_spark.refining.judged_rows import judged_rows
from headwater_spark.refining.refining import Refining
from headwater_spark.refining.shrinking import refuse_shrunk_extract
from headwater_spark.refining.silver_writes import SilverWrite, write_silver
from headwater_spark.tables.preparing import prepare
from headwater_spark.tables.sql_text import listed, spark_type
from headwater_spark.tables.staging import mark_commits
from headwater_spark.tables.views import as_view, query, settled
from headwater_spark.transforms.rules import BROKEN, quarantine_rows


def refine_table(spark: SparkSession, job: JobSpec, table: RefineTable) -> TableResult:
    """Refine one table; everything it commits is on the attempt's branches."""
    mark_commits(spark, job.run_key, job.attempt)
    refining = Refining(spark, job, table)
    judged = settled(judged_rows(refining, table.from_batch) if table.anew is None else judged_anew(refining))
    seen = _check_batches(refining, judged)
    failpoint("refine.before_write")
    write = write_silver(refining, judged, seen.count)
    aside = _set_aside(refining, judged.where(f"size({BROKEN}) > 0") if seen.any_broken else None, write)
    failpoint("refine.after_write")
    counts = write.counts
    return TableResult(
        table=table.silver,
        status="staged",
        staged=write.staging.staged(table.state, seen.broken + write.conflicts),
        quarantine=aside,
        rows_read=seen.rows_read,
        rows_inserted=counts.get("insert", 0),
        rows_updated=counts.get("update", 0) + counts.get("close", 0) + counts.get("end", 0),
        rows_deleted=counts.get("delete", 0),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """How many rows were judged. Those of earlier batches, which late events bring along, were told by their runs."""

    rows_read: int
    """Of the batches to refine, deletions not counted."""
    broken: int
    """Of the batches to refine."""
    any_broken: bool
    """Whether any row at all is broken."""
    count: int
    """All rows."""


def _check_batches(refining: Refining, judged: DataFrame) -> Seen:
    """Count rows in one pass, and refuse an extract that lost too much."""
    view, batches = as_view(judged, "judged"), refining.batches
    facts = query(
        refining.spark,
        f"SELECT _hw_batch, count_if(_hw_op <> 'd') AS rows, count_if(_hw_op = 'd') AS deleted, "  # noqa: S608 - made of quoted names and literals
        f"count_if(size({BROKEN}) > 0) AS broken FROM {view} GROUP BY _hw_batch",
    ).collect()
    if refining.is_full_extract and refining.table.anew is None:  # what went long ago was judged then
        sizes = {int(row["_hw_batch"]): (int(row["rows"]), int(row.deleted)) for row in facts}
        refuse_shrunk_extract(refining, judged, sizes)
    fresh = [row for row in facts if row["_hw_batch"] > batches.after]
    return Seen(
        rows_read=sum(int(row["rows"]) for row in fresh),
        broken=sum(int(row.broken) for row in fresh),
        any_broken=any(row.broken for row in facts),
        count=sum(int(row["rows"]) + int(row.deleted) for row in facts),
    )


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
        f"MERGE INTO {staging.target} t USING {view} s ON t._hw_id = s._hw_id "  # noqa: S608 - made of quoted names and literals
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({listed(columns, 's.')})"
    ).collect()
    state = TableState(run_key=job.run_key, spec_hash=table.state.spec_hash, batch=table.bronze_input.batch)
    return staging.staged(state)

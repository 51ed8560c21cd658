"""Bronze batches as silver rows, each with the rules it breaks."""

from __future__ import annotations

from pyspark.sql import DataFrame

from headwater_spark.refining.change_stream import ChangeStream
from headwater_spark.refining.refining import WHOLE, Refining
from headwater_spark.transforms.columns import shape_columns, silver_name
from headwater_spark.transforms.extracts import Batches, with_deletions
from headwater_spark.transforms.filtered_rows import with_filtered_as_deleted
from headwater_spark.transforms.silver_function import apply_silver_code


def judged_rows(refining: Refining, lowest_batch: int) -> DataFrame:
    """Silver rows with ``_hw_broken``, of batches above ``lowest_batch``; full extracts with their deletions."""
    spec, full = refining.table.spec, refining.is_full_extract
    if spec.silver.mode == "cdc":
        return refining.ruled(ChangeStream(refining).rows())
    shaped = shape_columns(
        spec, refining.extracts(lowest_batch) if full else refining.bronze(lowest_batch + 1), masking=refining.masking
    )
    made = apply_silver_code(spec, refining.table.bronze, shaped, refining.job.planned_at)
    if spec.is_shaped_by_code and spec.silver.mode != "append" and not full:
        times = (spec.silver.sequence_by, spec.silver.valid_from)
        made = with_filtered_as_deleted(made, shaped, refining.key, [silver_name(spec, name) for name in times if name])
    shaped = made
    if full:
        last = refining.batches
        shaped = with_deletions(shaped, refining.key, Batches(lowest_batch, last.last, last.planned_at))
    return refining.ruled(shaped.selectExpr("*", f"false AS {WHOLE}"))

"""Rows of an input at a snapshot, and the rows in which two snapshots of it differ (rule 38)."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.increment import FollowedInput
from headwater.domain.names import TableName
from headwater.domain.run import InputRef
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.sql_text import quoted
from headwater_spark.transforms.columns import business_columns


class NotFollowedError(Exception):
    """What changed cannot be told, or not be merged: the table is to be made anew. The message says why, in words."""


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """Rows of the new snapshot that the old one lacks or has otherwise, and rows of the old one likewise."""

    gained: DataFrame
    lost: DataFrame


def readable(rows: DataFrame) -> DataFrame:
    """What readers see: no deleted rows, no system columns."""
    alive = rows.where("NOT _hw_deleted") if "_hw_deleted" in rows.columns else rows
    return alive.select(*map(quoted, business_columns(rows)))


def changed_rows(spark: SparkSession, table: TableName, now: InputRef, followed: FollowedInput) -> ChangedRows:
    """In which rows an input differs from what a consumer was built from.

    :raises NotFollowedError: when the snapshots cannot be compared row by row.
    """
    new, old = rows_at(spark, table, now.snapshot_id), rows_at(spark, table, followed.previous.snapshot_id)
    if followed.changes == "content":
        return _compared(table.dotted, readable(new), readable(old))
    touched = new.where(f"_hw_changed_batch > {followed.previous.batch}")
    if not followed.key:
        return ChangedRows(readable(touched), readable(old.where("false")))
    keys = touched.select(*map(quoted, followed.key)).distinct()
    return ChangedRows(readable(touched), readable(old.join(keys, list(followed.key), "left_semi")))


def _compared(dotted: str, new: DataFrame, old: DataFrame) -> ChangedRows:
    kinds = {field.name: field.dataType.simpleString() for field in new.schema.fields}
    if kinds != {field.name: field.dataType.simpleString() for field in old.schema.fields}:
        raise NotFollowedError(f"the columns of {dotted} changed")
    if any("map<" in kind for kind in kinds.values()):
        raise NotFollowedError(f"{dotted} has a column of type map, which cannot be compared")
    ordered = old.select(*map(quoted, new.columns))
    return ChangedRows(new.exceptAll(ordered), ordered.exceptAll(new))

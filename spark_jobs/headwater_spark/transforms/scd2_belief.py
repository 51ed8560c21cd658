"""Versions against what an scd2 table believes now: what has to be closed, ended and added, in one commit (rule 35)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from headwater.domain.job import JobSpec
from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.touched_rows import ACTION, TouchedRows
from headwater_spark.tables.views import as_view, query
from headwater_spark.transforms.scd2 import CLOSE, DELETE, END, EVENT_COLUMNS, INSERT, REFRESH, History, equal


def scd2_actions(versions: DataFrame, held: DataFrame, history: History, *, any_whole: bool) -> DataFrame:
    """What has to be done so that the current belief of the versions' keys becomes these versions.

    Versions with ``hw_whole`` are their keys' complete history; others begin with the open version. A version and the
    belief that begins with it give up to two actions: the end of the one and the insertion of the other.

    :param held: what ``scd2.believed`` gave, or more.
    :param any_whole: False says that there is no version with ``hw_whole``.
    """
    view, table = as_view(versions, "versions"), as_view(held, "held")
    joined = equal([*history.key, "valid_from"], "v.", "b.")
    content = "v._hw_hash = b._hw_hash AND v._hw_deleted = b._hw_deleted"
    unchanged = f"coalesce({content} AND v.valid_to <=> b.valid_to, false)"
    closes = f"coalesce({content} AND b.valid_to IS NULL AND v.valid_to IS NOT NULL, false)"
    # an unchanged row has to know its last event, or one in between that comes late would be taken as in order
    moved = "v.valid_to IS NULL AND (v._hw_event_at <> b._hw_event_at OR v._hw_position <> b._hw_position)"
    refreshed = f"({unchanged} AND {'false' if history.is_ordered else moved})"
    columns = [*history.columns, *EVENT_COLUMNS]
    either = ", ".join(f"IF(hw_ends, b.{quoted(name)}, v.{quoted(name)}) AS {quoted(name)}" for name in columns)
    actions = (
        f"SELECT {either}, IF(hw_ends, b.valid_from, v.valid_from) AS valid_from, "  # noqa: S608 - made of quoted names and literals
        f"IF(hw_ends AND NOT {closes}, b.valid_to, v.valid_to) AS valid_to, "
        f"IF(hw_ends OR {refreshed}, b.valid_from, NULL) AS hw_matches, "
        f"CASE WHEN hw_ends THEN IF({closes}, '{CLOSE}', '{END}') WHEN {refreshed} THEN '{REFRESH}' "
        f"ELSE IF(v._hw_deleted, '{DELETE}', '{INSERT}') END AS {ACTION} "
        f"FROM {view} v LEFT JOIN {table} b ON {joined} AND (v.hw_whole OR b.valid_to IS NULL) "
        f"LATERAL VIEW explode(array(true, false)) e AS hw_ends "
        f"WHERE IF(hw_ends, b.valid_from IS NOT NULL AND NOT {unchanged}, "
        f"{refreshed} OR NOT {unchanged} AND NOT {closes})"
    )
    if any_whole:
        actions += (
            f" UNION ALL SELECT {listed(columns)}, valid_from, valid_to, valid_from AS hw_matches, '{END}' AS {ACTION} "  # noqa: S608 - made of quoted names and literals
            f"FROM {table} LEFT SEMI JOIN (SELECT * FROM {view} WHERE hw_whole) USING ({listed(history.key)}) "
            f"LEFT ANTI JOIN {view} USING ({listed([*history.key, 'valid_from'])})"
        )
    return query(versions.sparkSession, actions)


def write_statement(
    touched: TouchedRows,
    actions: str,
    history: History,
    columns: Sequence[str],
    job: JobSpec,
    batch: int,
    counts: Mapping[str, int],
) -> str:
    """One statement for closing, ending and inserting. ``batch_in`` and ``batch_out`` are the run's planned_at.

    :param counts: action -> rows. Where no belief ends an INSERT does, which reads nothing of the table.
    """
    target, joined, run_key = touched.staging.target, equal(history.key, "t.", "s."), literal(job.run_key)
    written = f"TIMESTAMP {literal(history.planned_at)}"
    given = {
        "_hw_changed_batch": str(batch),
        "_hw_run_key": run_key,
        "is_current": "s.valid_to IS NULL AND NOT s._hw_deleted",
        "batch_in": written,
        "batch_out": "CAST(NULL AS TIMESTAMP)",
    }
    values = ", ".join(given.get(name, f"s.{quoted(name)}") for name in columns)
    if not counts.keys() - {INSERT, DELETE}:
        return f"INSERT INTO {target} ({listed(columns)}) SELECT {values} FROM {actions} s"  # noqa: S608 - quoted names
    return (
        f"MERGE INTO {target} t USING ({touched.merge_source(actions, counts)}) s "  # noqa: S608 - made of quoted names and literals
        f"ON {joined} AND t.valid_from = s.hw_matches AND t.batch_out IS NULL AND {touched.ranges.format('t.')} "
        f"WHEN MATCHED AND s.{ACTION} = '{REFRESH}' THEN UPDATE SET t._hw_position = s._hw_position, "
        f"t._hw_event_at = s._hw_event_at "
        f"WHEN MATCHED AND s.{ACTION} = '{CLOSE}' THEN UPDATE SET t.valid_to = s.valid_to, t.is_current = false, "
        f"t._hw_changed_batch = {batch}, t._hw_run_key = {run_key} "
        f"WHEN MATCHED THEN UPDATE SET t.batch_out = {written}, t.is_current = false, "
        f"t._hw_changed_batch = {batch}, t._hw_run_key = {run_key} "
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({values})"
    )

"""Versions against what an scd2 table believes now: what has to be closed, ended and added, in one commit (rule 35)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from headwater.domain.job import JobSpec
from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.scd2 import ACTION, CLOSE, DELETE, END, EVENT_COLUMNS, INSERT, REFRESH, History, equal


def scd2_actions(versions: DataFrame, held: DataFrame, history: History) -> DataFrame:
    """What has to be done so that the current belief of the versions' keys becomes these versions.

    Versions with ``hw_whole`` are their keys' complete history; others begin with the open version.

    :param held: what ``scd2.believed`` gave, or more.
    """
    view, table, keys = as_view(versions, "versions"), as_view(held, "held"), listed(history.key)
    joined = equal([*history.key, "valid_from"], "v.", "b.")
    content = "v._hw_hash = b._hw_hash AND v._hw_deleted = b._hw_deleted"
    unchanged = f"coalesce({content} AND v.valid_to <=> b.valid_to, false)"
    closes = f"coalesce({content} AND b.valid_to IS NULL AND v.valid_to IS NOT NULL, false)"
    # an unchanged row has to know its last event, or one in between that comes late would be taken as in order
    moved = "v.valid_to IS NULL AND (v._hw_event_at <> b._hw_event_at OR v._hw_position <> b._hw_position)"
    refreshed = f"{unchanged} AND {'false' if history.is_ordered else moved}"
    columns = [*history.columns, *EVENT_COLUMNS]
    ended, made = listed(columns, "b."), listed(columns, "v.")
    return versions.sparkSession.sql(
        f"WITH b AS (SELECT t.* FROM {table} t JOIN (SELECT DISTINCT {keys}, hw_whole FROM {view}) k "  # noqa: S608 - made of quoted names and literals
        f"ON {equal(history.key, 't.', 'k.')} WHERE k.hw_whole OR t.valid_to IS NULL), "
        f"ends AS (SELECT {ended}, b.valid_from, IF({closes}, v.valid_to, b.valid_to) AS valid_to, "
        f"b.valid_from AS hw_matches, IF({closes}, '{CLOSE}', '{END}') AS {ACTION} "
        f"FROM b LEFT JOIN {view} v ON {joined} WHERE NOT {unchanged}), "
        f"refreshes AS (SELECT {made}, v.valid_from, v.valid_to, b.valid_from AS hw_matches, '{REFRESH}' AS {ACTION} "
        f"FROM b JOIN {view} v ON {joined} WHERE {refreshed}), "
        f"makes AS (SELECT {made}, v.valid_from, v.valid_to, CAST(NULL AS TIMESTAMP) AS hw_matches, "
        f"IF(v._hw_deleted, '{DELETE}', '{INSERT}') AS {ACTION} "
        f"FROM {view} v LEFT JOIN b ON {joined} WHERE NOT {unchanged} AND NOT {closes}) "
        f"SELECT * FROM ends UNION ALL SELECT * FROM refreshes UNION ALL SELECT * FROM makes"
    )


def write_statement(
    target: str,
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
    joined, run_key = equal(history.key, "t.", "s."), literal(job.run_key)
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
        f"MERGE INTO {target} t USING {actions} s "  # noqa: S608 - made of quoted names and literals
        f"ON {joined} AND t.valid_from = s.hw_matches AND t.batch_out IS NULL "
        f"WHEN MATCHED AND s.{ACTION} = '{REFRESH}' THEN UPDATE SET t._hw_position = s._hw_position, "
        f"t._hw_event_at = s._hw_event_at "
        f"WHEN MATCHED AND s.{ACTION} = '{CLOSE}' THEN UPDATE SET t.valid_to = s.valid_to, t.is_current = false, "
        f"t._hw_changed_batch = {batch}, t._hw_run_key = {run_key} "
        f"WHEN MATCHED THEN UPDATE SET t.batch_out = {written}, t.is_current = false, "
        f"t._hw_changed_batch = {batch}, t._hw_run_key = {run_key} "
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({values})"
    )

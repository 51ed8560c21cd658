"""``upsert``: of all events of a key the greatest (sequence, position) wins, whenever it arrives (rules 27, 33)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from headwater_spark.tables.sql_text import listed, quoted
from headwater_spark.tables.touched_rows import ACTION, TouchedRows
from headwater_spark.tables.views import as_view, query

INSERT, UPDATE, DELETE, REFRESH, TOMBSTONE = "insert", "update", "delete", "refresh", "tombstone"


def order_of(sequence_by: str | None, prefix: str) -> str:
    """A struct that sorts events: NULL sequences first, then positions."""
    sequence = prefix + quoted(sequence_by) if sequence_by else "NULL"
    return f"struct({sequence}, {prefix}_hw_position)"


def upsert_actions(events: DataFrame, touched: TouchedRows, sequence_by: str | None, *, ordered: bool) -> DataFrame:
    """Per key what has to be done to the table; keys with nothing to do are left out.

    :param events: business columns, ``_hw_position``, ``_hw_batch``, ``_hw_op``, ``_hw_hash``, ``_hw_whole``: the row
        comes of all events of its key and holds whatever the table has.
    :param touched: rows of the table with keys of the events.
    :param ordered: batches can only come in order (full extracts), so that a row seen again unchanged need not
        move its position; otherwise it must, or an event in between that comes late would win.
    """
    key = touched.key
    view, held, keys = as_view(events, "events"), as_view(touched.candidates(), "held"), listed(key)
    joined = " AND ".join(f"s.{quoted(name)} = t.{quoted(name)}" for name in key)
    newer = f"(s._hw_whole OR {order_of(sequence_by, 's.')} > {order_of(sequence_by, 't.')})"
    same = "t._hw_deleted = s._hw_deleted AND (s._hw_deleted OR t._hw_hash = s._hw_hash)"
    refreshed = "" if ordered else f"WHEN {newer} AND {same} AND s._hw_position <> t._hw_position THEN '{REFRESH}' "
    return query(
        events.sparkSession,
        f"WITH ranked AS (SELECT *, _hw_op = 'd' AS _hw_deleted, row_number() OVER (PARTITION BY {keys} "  # noqa: S608 - made of quoted names and literals
        f"ORDER BY {order_of(sequence_by, '')} DESC) AS hw_rank FROM {view}), "
        f"decided AS (SELECT s.* EXCEPT (hw_rank, _hw_op, _hw_origin, _hw_extracted_at, _hw_whole), CASE "
        f"WHEN t._hw_position IS NULL AND s._hw_deleted THEN '{TOMBSTONE}' "
        f"WHEN t._hw_position IS NULL THEN '{INSERT}' {refreshed}"
        f"WHEN {newer} AND NOT ({same}) THEN IF(s._hw_deleted, '{DELETE}', '{UPDATE}') END AS {ACTION} "
        f"FROM (SELECT * FROM ranked WHERE hw_rank = 1) s LEFT JOIN {held} t ON {joined}) "
        f"SELECT * FROM decided WHERE {ACTION} IS NOT NULL",
    )


def write_statement(touched: TouchedRows, actions: str, columns: Sequence[str], counts: Mapping[str, int]) -> str:
    """What carries out the actions in the view ``actions``; a refresh changes no row's content.

    :param counts: action -> rows. Where every key is new an INSERT does, which reads nothing of the table.
    """
    target = touched.staging.target
    if not counts.keys() - {INSERT, TOMBSTONE}:
        return f"INSERT INTO {target} ({listed(columns)}) SELECT {listed(columns)} FROM {actions}"  # noqa: S608 - made of quoted names
    joined = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in touched.key)
    kept = {name: f"IF(s.{ACTION} = '{REFRESH}', t.{name}, s.{name})" for name in ("_hw_changed_batch", "_hw_run_key")}
    kept = kept if REFRESH in counts else {}
    updates = ", ".join(f"t.{quoted(name)} = {kept.get(name, 's.' + quoted(name))}" for name in columns)
    return (
        f"MERGE INTO {target} t USING ({touched.merge_source(actions, counts)}) s "  # noqa: S608 - made of quoted names and literals
        f"ON {joined} AND {touched.ranges.format('t.')} "
        f"WHEN MATCHED THEN UPDATE SET {updates} "
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({listed(columns, 's.')})"
    )

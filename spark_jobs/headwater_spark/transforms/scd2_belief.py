"""Versions against what an scd2 table believes now: what has to be closed, ended and added, in one commit (rule 35).

Every action brings its whole row as the table is to hold it, so that the MERGE reads no more of the table than what
finds the row: key, ``valid_from`` and ``batch_out``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.touched_rows import ACTION, TouchedRows
from headwater_spark.tables.views import as_view, query
from headwater_spark.transforms.scd2 import CLOSE, DELETE, END, INSERT, REFRESH, History, equal

_IS_NEW = f"{ACTION} IN ('{INSERT}', '{DELETE}')"
_IS_OVER = f"{ACTION} IN ('{CLOSE}', '{END}')"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What a row that this run writes into a history consists of."""

    history: History
    columns: tuple[str, ...]
    """Of the table."""
    stamps: Mapping[str, str]
    """Column -> SQL of what this run writes where it changes a row's content."""


def scd2_actions(versions: DataFrame, held: DataFrame, row: HistoryRow, *, any_whole: bool) -> DataFrame:
    """What has to be done so that the current belief of the versions' keys becomes these versions.

    Versions with ``hw_whole`` are their keys' complete history; others begin with the open version. A version and the
    belief that begins with it give up to two actions: the end of the one and the insertion of the other.

    :param held: what ``scd2.believed`` gave, or more.
    :param any_whole: False says that there is no version with ``hw_whole``.
    """
    history, view, table = row.history, as_view(versions, "versions"), as_view(held, "held")
    joined = equal([*history.key, "valid_from"], "v.", "b.")
    content = "v._hw_hash = b._hw_hash AND v._hw_deleted = b._hw_deleted"
    unchanged = f"coalesce({content} AND v.valid_to <=> b.valid_to, false)"
    closes = f"coalesce({content} AND b.valid_to IS NULL AND v.valid_to IS NOT NULL, false)"
    # an unchanged row has to know its last event, or one in between that comes late would be taken as in order
    moved = "v.valid_to IS NULL AND (v._hw_event_at <> b._hw_event_at OR v._hw_position <> b._hw_position)"
    refreshed = f"({unchanged} AND {'false' if history.is_ordered else moved})"
    of_belief = f"CASE WHEN b.valid_from IS NULL OR {unchanged} THEN NULL WHEN {closes} THEN '{CLOSE}' ELSE '{END}' END"
    of_version = (
        f"CASE WHEN {refreshed} THEN '{REFRESH}' WHEN {unchanged} OR {closes} THEN NULL "
        f"WHEN v._hw_deleted THEN '{DELETE}' ELSE '{INSERT}' END"
    )
    written = f"TIMESTAMP {literal(history.planned_at)}"
    given = {
        **{name: f"IF({ACTION} = '{REFRESH}', b.{name}, {value})" for name, value in row.stamps.items()},
        **{name: f"IF({_IS_OVER}, b.{name}, v.{name})" for name in ("_hw_position", "_hw_event_at")},
        "valid_from": "v.valid_from",
        "valid_to": f"IF({ACTION} = '{END}', b.valid_to, v.valid_to)",
        "is_current": f"NOT {_IS_OVER} AND v.valid_to IS NULL AND NOT v._hw_deleted",
        "batch_in": f"IF({_IS_NEW}, {written}, b.batch_in)",
        "batch_out": f"IF({ACTION} = '{END}', {written}, NULL)",
    }
    rows = ", ".join(
        f"{given.get(name, f'IF({_IS_NEW}, v.{quoted(name)}, b.{quoted(name)})')} AS {quoted(name)}"
        for name in row.columns
    )
    actions = (
        f"SELECT {rows}, IF({_IS_NEW}, NULL, b.valid_from) AS hw_matches, {ACTION} "  # noqa: S608 - made of quoted names and literals
        f"FROM {view} v LEFT JOIN {table} b ON {joined} AND (v.hw_whole OR b.valid_to IS NULL) "
        f"LATERAL VIEW explode(array_compact(array({of_belief}, {of_version}))) e AS {ACTION}"
    )
    if any_whole:
        actions += (
            f" UNION ALL {ended(table, row)} "  # noqa: S608 - made of quoted names and literals
            f"LEFT SEMI JOIN (SELECT * FROM {view} WHERE hw_whole) USING ({listed(history.key)}) "
            f"LEFT ANTI JOIN {view} USING ({listed([*history.key, 'valid_from'])})"
        )
    return query(versions.sparkSession, actions)


def ended(beliefs: str, row: HistoryRow) -> str:
    """SQL of the end of each of these beliefs, up to its FROM.

    :param beliefs: rows of the table that are believed now.
    """
    given = {**row.stamps, "is_current": "false", "batch_out": f"TIMESTAMP {literal(row.history.planned_at)}"}
    rows = ", ".join(f"{given.get(name, quoted(name))} AS {quoted(name)}" for name in row.columns)
    return f"SELECT {rows}, valid_from AS hw_matches, '{END}' AS {ACTION} FROM {beliefs}"  # noqa: S608 - quoted names


def write_statement(touched: TouchedRows, actions: str, row: HistoryRow, counts: Mapping[str, int]) -> str:
    """One statement for closing, ending and inserting.

    :param counts: action -> rows. Where no belief ends an INSERT does, which reads nothing of the table.
    """
    target, columns = touched.staging.target, row.columns
    if not counts.keys() - {INSERT, DELETE}:
        return f"INSERT INTO {target} ({listed(columns)}) SELECT {listed(columns)} FROM {actions}"  # noqa: S608 - quoted names
    updates = ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in columns)
    return (
        f"MERGE INTO {target} t USING ({touched.merge_source(actions, counts)}) s "  # noqa: S608 - made of quoted names and literals
        f"ON {equal(row.history.key, 't.', 's.')} AND t.valid_from = s.hw_matches AND t.batch_out IS NULL "
        f"AND {touched.ranges.format('t.')} "
        f"WHEN MATCHED THEN UPDATE SET {updates} "
        f"WHEN NOT MATCHED THEN INSERT ({listed(columns)}) VALUES ({listed(columns, 's.')})"
    )

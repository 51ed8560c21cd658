"""Full extracts become events: each complete batch is compared with its predecessor, in order (rules 31, 32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.rules import key_missing

REJECTED = "k"
"""``_hw_op`` of a row that stands for one that extraction rejected; it never leaves this module."""


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches to refine, (``after``, ``last``]; ``planned_at`` is the instant of what an empty batch deletes."""

    after: int
    last: int
    planned_at: str


def rows_of_rejected(history: DataFrame, rejects: DataFrame, key: Sequence[str], batches: Batches) -> DataFrame:
    """For every key that extraction rejected, its last bronze row again, in each batch from then on (rule 32).

    A rejected row is at the source and not in bronze: without this it would look like a deletion. As the quarantine
    keeps an unchanged row once, a key counts as present until bronze sees it again. A reject without a readable key
    gives a row without a key in its own batch, which turns the deletions of that batch off.

    :param history: all of bronze up to the last batch.
    :param rejects: ``_hw_key`` and ``_hw_batch`` of the quarantine.
    """
    types = ", ".join(f"{quoted(name)} {history.schema[name].dataType.simpleString()}" for name in key)
    known = rejects.selectExpr(f"from_json(_hw_key, {literal(types)}) AS hw_key", "_hw_batch AS hw_from").distinct()
    past, view = as_view(history, "history"), as_view(known, "rejects")
    joined = " AND ".join(f"b.{quoted(name)} = r.hw_key.{quoted(name)}" for name in key)
    missing = " OR ".join(f"r.hw_key.{quoted(name)} IS NULL" for name in key)
    each = "PARTITION BY r.hw_key, r.hw_from"
    given = {"_hw_batch": "hw_batch", "_hw_op": f"'{REJECTED}'"}
    columns = ", ".join(f"{given.get(name, quoted(name))} AS {quoted(name)}" for name in history.columns)
    return history.sparkSession.sql(
        f"WITH met AS (SELECT b.*, r.hw_from, {missing} AS hw_unreadable, "  # noqa: S608 - made of quoted names and literals
        f"min(IF(b._hw_batch >= r.hw_from, b._hw_batch, NULL)) OVER ({each}) AS hw_next, "
        f"row_number() OVER ({each} ORDER BY b._hw_batch < r.hw_from DESC, b._hw_position DESC) AS hw_copy "
        f"FROM {view} r LEFT JOIN {past} b ON {joined}), "
        f"standing AS (SELECT *, IF(hw_unreadable, hw_from, coalesce(hw_next - 1, {batches.last})) AS hw_to FROM met "
        f"WHERE hw_copy = 1 AND (hw_unreadable OR _hw_batch < hw_from)) "
        f"SELECT {columns} FROM (SELECT *, explode(sequence(hw_from, hw_to)) AS hw_batch FROM standing "
        f"WHERE hw_to >= hw_from) WHERE hw_batch >= {batches.after}"
    )


def with_deletions(shaped: DataFrame, key: Sequence[str], batches: Batches) -> DataFrame:
    """Rows of the pending batches, and a deletion for every key that a batch lacks and its predecessor had.

    ``shaped`` holds complete batches from ``after`` on. A row without a whole key could be any of the missing ones,
    so its batch deletes nothing.
    """
    session = shaped.sparkSession
    view = as_view(shaped, "shaped")
    names, keys = listed(shaped.columns), listed(key)
    replaced = {
        "_hw_op": "'d'",
        "_hw_batch": "CAST(d._hw_batch + 1 AS BIGINT)",
        "_hw_position": "concat(substr(coalesce(b.position, d._hw_position), 1, 22), '999999999999')",
        "_hw_extracted_at": f"coalesce(b.extracted_at, TIMESTAMP {literal(batches.planned_at)})",
        "_hw_unreadable": "CAST(array() AS array<string>)",
    }
    deletion = ", ".join(f"{replaced.get(name, 'd.' + listed([name]))} AS {listed([name])}" for name in shaped.columns)
    return session.sql(
        f"WITH seen AS (SELECT *, min(_hw_batch) OVER (PARTITION BY {keys} ORDER BY _hw_batch "  # noqa: S608 - made of quoted names and literals
        f"RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS hw_next, "
        f"row_number() OVER (PARTITION BY {keys}, _hw_batch ORDER BY _hw_position DESC) AS hw_copy FROM {view}), "
        f"facts AS (SELECT _hw_batch, max(IF(_hw_op <> '{REJECTED}', _hw_position, NULL)) AS position, "
        f"max(IF(_hw_op <> '{REJECTED}', _hw_extracted_at, NULL)) AS extracted_at, "
        f"bool_or({key_missing(key)}) AS unsure FROM {view} GROUP BY _hw_batch) "
        f"SELECT {names} FROM {view} WHERE _hw_batch > {batches.after} AND _hw_op <> '{REJECTED}' UNION ALL "
        f"SELECT {deletion} FROM (SELECT * FROM seen WHERE hw_copy = 1 AND NOT ({key_missing(key)}) "
        f"AND _hw_batch < {batches.last} AND (hw_next IS NULL OR hw_next > _hw_batch + 1)) d "
        f"LEFT JOIN facts b ON b._hw_batch = d._hw_batch + 1 WHERE NOT coalesce(b.unsure, false)"
    )

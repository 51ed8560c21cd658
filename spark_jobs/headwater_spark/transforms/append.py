"""``append``: every row once. A redelivery is dropped; a known key with other content is set aside (rule 34)."""

from __future__ import annotations

from pyspark.sql import DataFrame

from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.touched_rows import TouchedRows
from headwater_spark.tables.views import as_view, query
from headwater_spark.transforms.rules import BROKEN, KEY_CONFLICT

VERDICT = "_hw_action"
NEW, CONFLICT = "insert", "conflict"


def append_actions(events: DataFrame, touched: TouchedRows) -> DataFrame:
    """Rows to insert and rows whose key is known with other content; identical rows are left out.

    :param touched: rows of the table with identities of the events; without a key the position is the identity.
    """
    view, held = as_view(events, "events"), as_view(touched.candidates(), "held")
    identity = touched.key
    keys = listed(identity)
    joined = " AND ".join(f"s.{quoted(name)} = t.{quoted(name)}" for name in identity)
    return query(
        events.sparkSession,
        f"WITH ranked AS (SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY _hw_position) AS hw_rank, "  # noqa: S608 - made of quoted names and literals
        f"first_value(_hw_hash) OVER (PARTITION BY {keys} ORDER BY _hw_position) AS hw_first FROM {view}), "
        f"known AS (SELECT {keys}, _hw_hash FROM {held}), "
        f"decided AS (SELECT s.*, CASE WHEN coalesce(t._hw_hash, s.hw_first) <> s._hw_hash THEN '{CONFLICT}' "
        f"WHEN t._hw_hash IS NULL AND s.hw_rank = 1 THEN '{NEW}' END AS {VERDICT} "
        f"FROM ranked s LEFT JOIN known t ON {joined}) "
        f"SELECT * EXCEPT (hw_rank, hw_first) FROM decided WHERE {VERDICT} IS NOT NULL",
    )


def conflicts(actions: DataFrame) -> DataFrame:
    """The rows to set aside, with the rule they broke."""
    rows = actions.where(f"{VERDICT} = '{CONFLICT}'")
    return rows.selectExpr(f"* EXCEPT ({VERDICT}, _hw_hash)", f"array({literal(KEY_CONFLICT)}) AS {BROKEN}")

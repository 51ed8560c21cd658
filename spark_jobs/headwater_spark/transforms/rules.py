"""Row rules: which rows are set aside, and the form they are kept in (rule 40)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pyspark.sql import DataFrame

from headwater.domain.names import TableName
from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.transforms.columns import UNREADABLE, business_columns

BROKEN = "_hw_broken"
"""Names of the rules a row breaks; empty for a row that goes on."""
KEY_MISSING = "key is missing"
KEY_CONFLICT = "key came before with other content"


def key_missing(key: Sequence[str]) -> str:
    """Predicate of a row without a whole key."""
    return " OR ".join(f"{quoted(name)} IS NULL" for name in key) or "false"


def judge_rows(shaped: DataFrame, key: Sequence[str], rules: Mapping[str, str]) -> DataFrame:
    """Add ``_hw_broken``. A rule that evaluates to NULL is not broken; a deletion is judged by its key alone."""
    named = [f"IF({key_missing(key)}, {literal(KEY_MISSING)}, NULL)"]
    named += [f"IF(_hw_op <> 'd' AND ({rule}), {literal(name)}, NULL)" for name, rule in rules.items()]
    broken = f"concat({UNREADABLE}, array_compact(array({', '.join(named)})))"
    return shaped.selectExpr("*", f"{broken} AS {BROKEN}").drop(UNREADABLE)


def quarantine_rows(
    broken: DataFrame, table: TableName, key: Sequence[str], run_key: str, planned_at: datetime
) -> DataFrame:
    """Rows with ``_hw_broken`` in the form of every quarantine table; the payload is what silver would have held."""
    names = business_columns(broken)
    payload = f"to_json(named_struct({_fields(names)}), map('ignoreNullFields', 'false'))"
    # without the position: a row that the lag reads again is the same row
    identity = f"sha2(concat_ws('|', {literal(table.dotted)}, {payload}, coalesce(_hw_origin, '')), 256)"
    key_text = f"to_json(named_struct({_fields(key)}))" if key else "CAST(NULL AS STRING)"
    return broken.selectExpr(
        f"{identity} AS _hw_id",
        f"{literal(table.dotted)} AS _hw_table",
        f"concat('broke ', array_join({BROKEN}, '; ')) AS _hw_reason",
        f"array_join({BROKEN}, ',') AS _hw_rules",
        f"{payload} AS _hw_payload",
        f"IF({key_missing(key)}, NULL, {key_text}) AS _hw_key",
        "_hw_position",
        "_hw_batch",
        f"{literal(run_key)} AS _hw_run_key",
        "_hw_origin",
        f"TIMESTAMP {literal(planned_at.isoformat())} AS _hw_detected_at",
    )


def _fields(names: Sequence[str]) -> str:
    return ", ".join(f"{literal(name)}, {quoted(name)}" for name in names)

"""Events of a stream of changes: their keys, new names, truncations, and what they leave out (rule 33).

``domain.schema.CHANGE_COLUMNS`` says what bronze holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater.domain.spec import TableSpec
from headwater.model.sql.expressions import columns_of
from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.columns import UNREADABLE

KEY_TEXT = "_hw_key_text"
"""A row's key as JSON text: what keys of different types are compared by."""
OLD_KEY_TEXT = "_hw_old_key_text"
KEPT, UNSURE = "_hw_kept", "_hw_unsure"


@dataclass(frozen=True, slots=True)
class Truncation:
    """One TRUNCATE of the table: every event before its position is dead."""

    position: str
    event_at: str
    batch: int


def truncations(bronze: DataFrame) -> list[Truncation]:
    """All truncations among the rows, in the order of the source."""
    found = bronze.where("_hw_op = 't'").selectExpr(
        "_hw_position AS position", "CAST(_hw_event_at AS STRING) AS event_at", "_hw_batch AS batch"
    )
    rows = found.groupBy("position").agg({"event_at": "min", "batch": "min"}).orderBy("position").collect()
    return [Truncation(row.position, row["min(event_at)"], int(row["min(batch)"])) for row in rows]


def under_new_names(spec: TableSpec, bronze: DataFrame) -> DataFrame:
    """Columns that were renamed at the source, old events and new ones, under the new name (``renamed_from``)."""
    renamed = {rule.renamed_from: name for name, rule in spec.columns.items() if rule.renamed_from is not None}
    known = {old: new for old, new in renamed.items() if old in bronze.columns}
    if not known:
        return bronze
    selected = [_renamed_column(bronze, name, known) for name in bronze.columns if name not in known]
    selected += [f"{quoted(old)} AS {quoted(new)}" for old, new in known.items() if new not in bronze.columns]
    return bronze.selectExpr(*selected)


def _renamed_column(bronze: DataFrame, name: str, known: Mapping[str, str]) -> str:
    if name in {"_hw_carried", "_hw_unavailable"}:
        return f"transform({name}, c -> {_looked_up(known)}) AS {name}"
    old = next((old for old, new in known.items() if new == name), None)
    if old is None:
        return quoted(name)
    told = f"array_contains(concat(_hw_carried, _hw_unavailable), {literal(name)})"
    kind = bronze.schema[name].dataType.simpleString()
    return f"IF({told}, {quoted(name)}, CAST({quoted(old)} AS {kind})) AS {quoted(name)}"


def _looked_up(names: Mapping[str, str]) -> str:
    """SQL of the name that ``c`` stands for."""
    if not names:
        return "c"
    pairs = ", ".join(f"{literal(old)}, {literal(new)}" for old, new in names.items())
    return f"coalesce(element_at(map({pairs}), c), c)"


def with_kept_columns(spec: TableSpec, shaped: DataFrame) -> DataFrame:
    """Add ``_hw_kept``, the silver columns an event leaves as they were, and ``_hw_unsure``: that cannot be said.

    It cannot when SQL or an expression makes silver columns of what the event leaves out.
    """
    renames = {name: rule.rename for name, rule in spec.columns.items() if rule.rename}
    rules = (rule.expression for rule in spec.columns.values())
    read = sorted({name for text in rules if text is not None for name in columns_of(text)})
    unsure = f"arrays_overlap(_hw_unavailable, CAST(array({', '.join(map(literal, read))}) AS array<string>))"
    if spec.is_shaped_by_code:
        unsure = "size(_hw_unavailable) > 0"
    kept = f"transform(_hw_unavailable, c -> {_looked_up(renames)})"
    return shaped.selectExpr("*", f"{kept} AS {KEPT}", f"{unsure} AS {UNSURE}")


def with_key_texts(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """Add the key, and of a key change the old one, as JSON text of one form."""
    form = "map('ignoreNullFields', 'false')"
    fields = ", ".join(f"{literal(name)}, {quoted(name)}" for name in key)
    types = ", ".join(f"{quoted(name)} {rows.schema[name].dataType.simpleString()}" for name in key)
    old = f"to_json(from_json(_hw_old_key, {literal(types)}), {form})"
    return rows.selectExpr("*", f"to_json(named_struct({fields}), {form}) AS {KEY_TEXT}", f"{old} AS {OLD_KEY_TEXT}")


def with_truncations(rows: DataFrame, key: Sequence[str], cuts: Sequence[Truncation]) -> DataFrame:
    """The rows, and a deletion of every key at each truncation after its first event."""
    if not cuts:
        return rows
    values = ", ".join(f"({literal(cut.position)}, {literal(cut.event_at)}, {cut.batch})" for cut in cuts)
    view = as_view(rows, "changes")
    given = {
        **{name: f"k.{quoted(name)}" for name in key},
        KEY_TEXT: f"k.{KEY_TEXT}",
        "_hw_op": "'d'",
        "_hw_position": "t.position",
        "_hw_batch": "CAST(t.batch AS BIGINT)",
        "_hw_event_at": "CAST(t.event_at AS TIMESTAMP)",
        "_hw_extracted_at": "CAST(t.event_at AS TIMESTAMP)",
        "_hw_origin": "'truncated'",
        "_hw_carried": "CAST(array() AS array<string>)",
        "_hw_unavailable": "CAST(array() AS array<string>)",
    }
    columns = ", ".join(
        f"CAST({given.get(name, 'NULL')} AS {rows.schema[name].dataType.simpleString()}) AS {quoted(name)}"
        for name in rows.columns
    )
    return rows.sparkSession.sql(
        f"SELECT * FROM {view} UNION ALL SELECT {columns} FROM "  # noqa: S608 - made of quoted names and literals
        f"(SELECT {listed(key)}, {KEY_TEXT}, min(_hw_position) AS first FROM {view} GROUP BY ALL) k "
        f"JOIN (VALUES {values}) t(position, event_at, batch) ON k.first < t.position"
    )


def with_unknown_values(shaped: DataFrame) -> DataFrame:
    """Rows whose values nobody told break a rule by name; a deletion has none to tell."""
    said = f"transform({KEPT}, c -> concat('value of ', c, ' was never told'))"
    unreadable = f"IF(_hw_op = 'd', {UNREADABLE}, concat({UNREADABLE}, {said}))"
    return shaped.selectExpr(f"* EXCEPT ({UNREADABLE})", f"{unreadable} AS {UNREADABLE}")

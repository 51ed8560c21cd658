"""Which rows of texts a table can take: typed rows, and everything else into quarantine as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.text_values import is_untypable, typed

if TYPE_CHECKING:
    import duckdb

REASONS = {
    "nul_byte": "the record holds a NUL byte",
    "invalid_utf8": "the record is not UTF-8",
    "invalid_encoding": "the record has bytes that its encoding does not know",
    "invalid_unicode": "a text holds half a character or a NUL",
    "broken_quoting": "a quote is not closed, or stands inside a field",
    "field_count": "the line has another number of fields than the header",
    "broken_json": "the record is no JSON",
    "duplicate_key": "the object has a key twice",
    "no_object": "the record is no JSON object",
    "too_deep": "the record is nested too deep",
    "undeclared_field": "the record has a field that is not declared",
    "no_storage_class": "a value is stored as another type than its column declares",
    "null_cursor": "the cursor is NULL",
    "non_finite": "a value is NaN or infinite",
    "out_of_range": "a value is outside the years 1 to 9999",
    "future_cursor": "the cursor is more than a day in the future",
}


@dataclass(frozen=True, slots=True)
class Texts:
    """Records in the form of ``TextFile``.

    :param columns: declared Iceberg types by name, in the order of ``c0, c1 …``.
    :param origin: SQL of what ``_hw_origin`` says of a row.
    :param placed: whether a rejected row adds ``:`` and its place: in a file it is its own for ever.
    """

    files: Sequence[Path]
    columns: Mapping[str, str]
    key: tuple[str, ...]
    origin: str
    facts: dict[str, str]
    placed: bool = True


def _source(texts: Texts) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in texts.files)}])"


def view_taken(engine: duckdb.DuckDBPyConnection, texts: Texts) -> None:
    """The view ``taken``: records whose every field is a value of its type, as ``v0, v1 …``."""
    kinds = list(texts.columns.values())
    values = ", ".join(f"{typed(f'c{place}', kind)} AS v{place}" for place, kind in enumerate(kinds))
    whole = [f"NOT {is_untypable(f'c{place}', kind)}" for place, kind in enumerate(kinds) if kind != "string"]
    keyed = [f"c{list(texts.columns).index(name)} IS NOT NULL" for name in texts.key]
    engine.execute(
        f"CREATE VIEW taken AS SELECT *, {values} FROM {_source(texts)} "  # noqa: S608 - made of quoted names and literals
        f"WHERE {' AND '.join(['problem IS NULL', *whole, *keyed])}"
    )


def view_rejected(engine: duckdb.DuckDBPyConnection, texts: Texts) -> None:
    """The view ``rejected``: every other record in the quarantine's form, with its broken rules."""
    columns = {name: (f"c{place}", kind) for place, (name, kind) in enumerate(texts.columns.items())}
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(text)}" for name, text in REASONS.items())
    rules, reasons = ["problem"], [f"CASE split_part(problem, ':', 1) {cases} END"]
    for name, (column, kind) in columns.items():
        if kind != "string":
            broken = is_untypable(column, kind)
            rules.append(f"CASE WHEN {broken} THEN {literal('untypable:' + name)} END")
            reasons.append(f"CASE WHEN {broken} THEN {literal(f'{name} is no {kind}')} END")
    for name in texts.key:
        null = f"problem IS NULL AND {columns[name][0]} IS NULL"
        rules.append(f"CASE WHEN {null} THEN {literal('null_key:' + name)} END")
        reasons.append(f"CASE WHEN {null} THEN {literal(f'key {name} is NULL')} END")
    every = ", ".join(f"{literal(name)}, {column}" for name, (column, _) in columns.items())
    key = ", ".join(f"{literal(name)}, {columns[name][0]}" for name in texts.key)
    # a problem with its own column, such as an unusable cursor, leaves the other fields readable
    readable = "(problem IS NULL OR contains(problem, ':'))"
    known = " AND ".join([readable, *(f"{columns[name][0]} IS NOT NULL" for name in texts.key)])
    place = f"{texts.origin} || ':' || place" if texts.placed else texts.origin
    engine.execute(
        "CREATE VIEW rejected AS SELECT * FROM ("  # noqa: S608 - made of quoted names and literals
        f"SELECT file, ordinal, concat_ws(',', {', '.join(rules)}) AS rules, "
        f"concat_ws('; ', {', '.join(reasons)}) AS reason, "
        f"CASE WHEN problem IS NOT NULL AND raw IS NOT NULL THEN to_json(raw)::VARCHAR WHEN raw IS NOT NULL THEN raw "
        f"ELSE json_object({every})::VARCHAR END AS payload, "
        f"{f'CASE WHEN {known} THEN json_object({key})::VARCHAR END' if key else 'NULL::VARCHAR'} AS key, "
        f"{place} AS origin FROM {_source(texts)}) WHERE rules <> ''"
    )

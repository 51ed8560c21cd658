"""Which rows of texts a table can take: typed rows, and everything else into quarantine as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.sources import parquet
from headwater.adapters.sources.parquet import literal
from headwater.adapters.sources.rejecting import check_share
from headwater.adapters.sources.text_values import is_untypable, value
from headwater.domain.run import RunKey
from headwater.domain.schema import TableSchema
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import failpoint

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
    "future_cursor": "the cursor is more than a day in the future",
}


_BASE_MB, _MB_PER_COLUMN = 200, 1


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
    placed: bool = True


def make_room(engine: duckdb.DuckDBPyConnection, columns: int) -> None:
    """Let wide tables have the buffers that each of their columns needs, and large values go as soon as they came.

    The order of rows in the files means nothing: each carries its position.
    """
    engine.execute("SET preserve_insertion_order = false")
    engine.execute(f"SET memory_limit = '{_BASE_MB + columns * _MB_PER_COLUMN}MB'")


def judge(engine: duckdb.DuckDBPyConnection, texts: Texts) -> list[tuple[str, str, int]]:
    """Make the views ``judged`` (adds the broken rules of each record) and ``rejected`` (the quarantine's form).

    :returns: file, broken rules and how many, of all records that cannot be taken.
    """
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
    paths = ", ".join(literal(str(path)) for path in texts.files)
    engine.execute(
        f"CREATE VIEW judged AS SELECT *, concat_ws(',', {', '.join(rules)}) AS rules, "  # noqa: S608
        f"concat_ws('; ', {', '.join(reasons)}) AS reason FROM read_parquet([{paths}])"
    )
    every = ", ".join(f"{literal(name)}, {column}" for name, (column, _) in columns.items())
    key = ", ".join(f"{literal(name)}, {columns[name][0]}" for name in texts.key)
    # a problem with its own column, such as an unusable cursor, leaves the other fields readable
    whole = "(problem IS NULL OR contains(problem, ':'))"
    known = " AND ".join([whole, *(f"{columns[name][0]} IS NOT NULL" for name in texts.key)])
    place = f"{texts.origin} || ':' || place" if texts.placed else texts.origin
    engine.execute(
        "CREATE VIEW rejected AS SELECT rules, reason, ordinal, "  # noqa: S608
        f"CASE WHEN problem IS NOT NULL AND raw IS NOT NULL THEN to_json(raw)::VARCHAR WHEN raw IS NOT NULL THEN raw "
        f"ELSE json_object({every})::VARCHAR END AS payload, "
        f"{f'CASE WHEN {known} THEN json_object({key})::VARCHAR END' if key else 'NULL::VARCHAR'} AS key, "
        f"{place} AS origin FROM judged WHERE rules <> ''"
    )
    return engine.execute("SELECT file, rules, count(*) FROM judged WHERE rules <> '' GROUP BY ALL").fetchall()


def check_bearable(
    broken: Sequence[tuple[str, str, int]], records: int, allowed_share: float, facts: dict[str, str]
) -> None:
    """:raises SourceDataError: when more records cannot be taken than the table may lose."""
    rules: Counter[str] = Counter()
    for _, names, count in broken:
        rules[names] += count
    reasons = ", ".join(f"{names} {count}" for names, count in rules.most_common(5))
    check_share(sum(rules.values()), records, allowed_share, reasons, facts)


def write_judged(
    engine: duckdb.DuckDBPyConnection, texts: Texts, stamp: BatchStamp, schema: TableSchema, folder: str, table: str
) -> Extracted:
    """Write the good rows typed and the rejected ones for quarantine."""
    typed = {name: value(f"c{place}", kind) for place, (name, kind) in enumerate(texts.columns.items())}
    system = parquet.system_columns(stamp, texts.origin, "ordinal")
    stem = f"{stamp.attempt}-{table}"
    rows = parquet.write_rows(engine, schema, typed | system, "judged WHERE rules = ''", folder, stem)
    failpoint("extract.mid")
    name = f"bronze.{RunKey.parse(stamp.run_key).dag_id}.{table}"
    rejects: tuple[DataFile, ...] = parquet.write_rejects(engine, stamp, name, "rejected", folder, "ordinal")
    failpoint("extract.files")
    return Extracted(
        files=rows,
        rejects=rejects,
        rows=sum(file.rows for file in rows),
        size_bytes=sum(file.size_bytes for file in rows),
        rejected=sum(file.rows for file in rejects),
    )

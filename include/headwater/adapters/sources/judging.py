"""Which rows of texts a table can take: typed rows, and everything else into quarantine as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from headwater.adapters.sources import parquet
from headwater.adapters.sources.duckdb_sql import constant, literal
from headwater.adapters.sources.rejecting import check_share
from headwater.adapters.sources.text_values import is_untypable, typed
from headwater.domain.errors import SourceDataError
from headwater.domain.run import RunKey
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
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
    "non_finite": "a value is NaN or infinite",
    "out_of_range": "a value is outside the years 1 to 9999",
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
    facts: dict[str, str]
    placed: bool = True


class RowsAsTexts(Protocol):
    """One extract of one relation, whose rows come as texts."""

    @property
    def table(self) -> TableSpec: ...
    @property
    def extract(self) -> SqlExtract: ...
    @property
    def stamp(self) -> BatchStamp: ...
    @property
    def schema(self) -> TableSchema: ...
    @property
    def folder(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def facts(self) -> dict[str, str]: ...


def make_room(engine: duckdb.DuckDBPyConnection, columns: int) -> None:
    """Let wide tables have the buffers that each of their columns needs, and large values go as soon as they came.

    The order of rows in the files means nothing: each carries its position.
    """
    engine.execute("SET preserve_insertion_order = false")
    engine.execute(f"SET memory_limit = '{_BASE_MB + columns * _MB_PER_COLUMN}MB'")


def write_judged(
    engine: duckdb.DuckDBPyConnection,
    texts: Texts,
    records: int,
    allowed_share: float,
    stamp: BatchStamp,
    schema: TableSchema,
    folder: str,
) -> tuple[Extracted, list[tuple[str, int]]]:
    """Write the good rows typed, and the rejected ones, if any, for quarantine.

    :param records: how many there are, good and bad.
    :returns: what was written, and how many records of each file cannot be taken.
    :raises SourceDataError: when more records cannot be taken than the table may lose.
    """
    table = texts.facts["table"]
    _view_taken(engine, texts)
    values = {name: f"v{place}" for place, name in enumerate(texts.columns)}
    system = parquet.system_columns(stamp, texts.origin, "ordinal")
    rows = parquet.write_rows(engine, schema, values | system, "taken", folder, f"{stamp.attempt}-{table}")
    failpoint("extract.mid")
    rejects: tuple[DataFile, ...] = ()
    broken: list[tuple[str, str, int]] = []
    taken = sum(file.rows for file in rows)
    if taken < records:
        _view_rejected(engine, texts)
        broken = engine.execute("SELECT file, rules, count(*) FROM rejected GROUP BY ALL").fetchall()
        try:
            _check_bearable(broken, records, allowed_share, texts.facts)
        except SourceDataError:
            parquet.delete(rows)
            raise
        name = f"bronze.{RunKey.parse(stamp.run_key).dag_id}.{table}"
        rejects = parquet.write_rejects(engine, stamp, name, "rejected", folder, "ordinal")
    failpoint("extract.files")
    return Extracted.of(rows, rejects), [(file, count) for file, _, count in broken]


def judge_rows(
    engine: duckdb.DuckDBPyConnection, work: RowsAsTexts, kinds: Mapping[str, str], texts: Path, rows: int
) -> Extracted:
    """Rows of a relation, each by itself: typed, or for quarantine.

    :param kinds: the live table's types by column. :param texts: a file in the form of ``TextFile``.
    :raises SourceDataError: when more rows cannot be taken than the table may lose.
    """
    judged = Texts([texts], kinds, work.table.key, constant(work.origin), work.facts, placed=False)
    share = work.extract.max_quarantined_share
    return write_judged(engine, judged, rows, share, work.stamp, work.schema, work.folder)[0]


def _source(texts: Texts) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in texts.files)}])"


def _view_taken(engine: duckdb.DuckDBPyConnection, texts: Texts) -> None:
    """The view ``taken``: records whose every field is a value of its type, as ``v0, v1 …``."""
    kinds = list(texts.columns.values())
    values = ", ".join(f"{typed(f'c{place}', kind)} AS v{place}" for place, kind in enumerate(kinds))
    whole = [f"NOT {is_untypable(f'c{place}', kind)}" for place, kind in enumerate(kinds) if kind != "string"]
    keyed = [f"c{list(texts.columns).index(name)} IS NOT NULL" for name in texts.key]
    engine.execute(
        f"CREATE VIEW taken AS SELECT *, {values} FROM {_source(texts)} "  # noqa: S608 - made of quoted names and literals
        f"WHERE {' AND '.join(['problem IS NULL', *whole, *keyed])}"
    )


def _view_rejected(engine: duckdb.DuckDBPyConnection, texts: Texts) -> None:
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


def _check_bearable(
    broken: Sequence[tuple[str, str, int]], records: int, allowed_share: float, facts: dict[str, str]
) -> None:
    rules: Counter[str] = Counter()
    for _, names, count in broken:
        rules[names] += count
    reasons = ", ".join(f"{names} {count}" for names, count in rules.most_common(5))
    check_share(sum(rules.values()), records, allowed_share, reasons, facts)

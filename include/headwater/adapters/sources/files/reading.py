"""Moving the files of a window into Parquet: typed rows, and everything else into quarantine as it was."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.sources import parquet
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, ReadFile
from headwater.adapters.sources.files.parsing import Counted, Parser, read_file
from headwater.adapters.sources.files.values import is_untypable, value
from headwater.adapters.sources.parquet import literal
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.run import RunKey
from headwater.domain.schema import TableSchema
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.ports.catalog import DataFile
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    import duckdb

_REASONS = {
    "nul_byte": "the line holds a NUL byte",
    "invalid_utf8": "the line is not UTF-8",
    "broken_quoting": "a quote is not closed, or stands inside a field",
    "field_count": "the line has another number of fields than the header",
}


def read(
    table: TableSpec,
    extract: FilesExtract,
    landing: Landing,
    files: list[LandedFile],
    stamp: BatchStamp,
    schema: TableSchema,
    folder: str,
) -> tuple[Extracted, list[ReadFile]]:
    """Read the files; the second value is what the ledger has to remember."""
    failpoint("extract.reading")
    with tempfile.TemporaryDirectory(prefix="headwater-csv-") as scratch, parquet.writer() as engine:
        texts = Path(scratch) / "texts.parquet"
        counted = Parser(table, extract, landing).parse(files, texts)
        _judge(engine, table, extract, landing, texts)
        broken = engine.execute("SELECT file, rules, count(*) FROM judged WHERE rules <> '' GROUP BY ALL").fetchall()
        _check_share(extract, counted, broken, landing.facts(table))
        rows = _write_rows(engine, extract, landing, stamp, schema, folder, f"{stamp.attempt}-{table.name}")
        failpoint("extract.mid")
        name = f"bronze.{RunKey.parse(stamp.run_key).dag_id}.{table.name}"
        rejects = parquet.write_rejects(engine, stamp, name, "rejected", folder, "ordinal") if broken else ()
    failpoint("extract.files")
    extracted = Extracted(
        files=rows,
        rejects=rejects,
        rows=sum(file.rows for file in rows),
        size_bytes=sum(file.size_bytes for file in rows),
        rejected=sum(file.rows for file in rejects),
    )
    per_file: Counter[str] = Counter()
    for file, _, count in broken:
        per_file[file] += count
    return extracted, [read_file(file, per_file[file.file.path]) for file in counted]


def _judge(
    engine: duckdb.DuckDBPyConnection, table: TableSpec, extract: FilesExtract, landing: Landing, texts: Path
) -> None:
    """Views over the texts: ``judged`` adds the broken rules of each record, ``rejected`` has the quarantine's form."""
    columns = {name: (f"c{place}", kind) for place, (name, kind) in enumerate(extract.columns.items())}
    rules, reasons = ["problem"], [f"CASE problem {_cases(_REASONS)} END"]
    for name, (column, kind) in columns.items():
        if kind != "string":
            broken = is_untypable(column, kind)
            rules.append(f"CASE WHEN {broken} THEN {literal('untypable:' + name)} END")
            reasons.append(f"CASE WHEN {broken} THEN {literal(f'{name} is no {kind}')} END")
    for name in table.key:
        null = f"problem IS NULL AND {columns[name][0]} IS NULL"
        rules.append(f"CASE WHEN {null} THEN {literal('null_key:' + name)} END")
        reasons.append(f"CASE WHEN {null} THEN {literal(f'key {name} is NULL')} END")
    engine.execute(
        f"CREATE VIEW judged AS SELECT *, concat_ws(',', {', '.join(rules)}) AS rules, "  # noqa: S608
        f"concat_ws('; ', {', '.join(reasons)}) AS reason FROM read_parquet({literal(str(texts))})"
    )
    every = ", ".join(f"{literal(name)}, {column}" for name, (column, _) in columns.items())
    key = ", ".join(f"{literal(name)}, {columns[name][0]}" for name in table.key)
    known = " AND ".join(["problem IS NULL", *(f"{columns[name][0]} IS NOT NULL" for name in table.key)])
    engine.execute(
        "CREATE VIEW rejected AS SELECT rules, reason, ordinal, "  # noqa: S608
        f"CASE WHEN problem IS NULL THEN json_object({every})::VARCHAR ELSE to_json(raw)::VARCHAR END AS payload, "
        f"{f'CASE WHEN {known} THEN json_object({key})::VARCHAR END' if key else 'NULL::VARCHAR'} AS key, "
        f"{_origin(landing)} || ':' || line AS origin FROM judged WHERE rules <> ''"
    )


def _write_rows(
    engine: duckdb.DuckDBPyConnection,
    extract: FilesExtract,
    landing: Landing,
    stamp: BatchStamp,
    schema: TableSchema,
    folder: str,
    stem: str,
) -> tuple[DataFile, ...]:
    typed = {name: value(f"c{place}", kind) for place, (name, kind) in enumerate(extract.columns.items())}
    system = parquet.system_columns(stamp, _origin(landing), "ordinal")
    return parquet.write_rows(engine, schema, typed | system, "judged WHERE rules = ''", folder, stem)


def _check_share(
    extract: FilesExtract, counted: list[Counted], broken: list[tuple[str, str, int]], facts: dict[str, str]
) -> None:
    rules: Counter[str] = Counter()
    for _, names, count in broken:
        rules[names] += count
    reasons = ", ".join(f"{names} {count}" for names, count in rules.most_common(5))
    total = sum(file.records for file in counted)
    check_share(sum(rules.values()), total, extract.max_quarantined_share, reasons, facts)


def _origin(landing: Landing) -> str:
    return f"{literal(landing.connection + ':')} || file"


def _cases(texts: dict[str, str]) -> str:
    return " ".join(f"WHEN {literal(name)} THEN {literal(text)}" for name, text in texts.items())

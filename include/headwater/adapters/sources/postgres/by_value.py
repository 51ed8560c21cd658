"""Reading a window whose columns are no longer of the table's types: as texts, each asked if it is one of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from headwater.adapters.duckdb.engine import make_room
from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.scanning import query
from headwater.adapters.sources.postgres.setting_aside import enforce
from headwater.adapters.sources.postgres.splitting import Split, carried_expression, transport_names
from headwater.adapters.sources.postgres.work import Read
from headwater.adapters.sources.taking import judge_rows

if TYPE_CHECKING:
    import duckdb

    from headwater.ports.extractor import Extracted


def read_by_value(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> Extracted:
    """Rows whose every value is one of the table's types, and the others for quarantine as the source has them.

    Slower than the reader of columns that fit, and without a second session: it serves until the drift is mended.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside.
    """
    if work.extract.non_finite == "stop":
        enforce(engine, work, parts)
    make_room(engine, len(work.columns))
    with tempfile.TemporaryDirectory(prefix="headwater-postgres-") as scratch:
        texts = Path(scratch) / "texts.parquet"
        names = ", ".join(transport_names(work.columns).values())
        copied = engine.execute(
            f"COPY (SELECT {names}, {literal(work.facts['relation'])} AS file, row_number() OVER () AS place, "  # noqa: S608 - made of quoted names and literals
            f"row_number() OVER () AS ordinal, problem, raw FROM {query(_as_texts(work, parts))}) "
            f"TO {literal(str(texts))} (FORMAT parquet, COMPRESSION lz4)"
        ).fetchone()
        kinds = {column.name: work.judged.get(column.name, column.type) for column in work.columns}
        return judge_rows(engine, work, kinds, texts, int(copied[0]) if copied else 0)


def _as_texts(work: Read, parts: Split) -> sql.Composed:
    """The window's rows as ``c0, c1 … problem, raw``, and those whose cursor is in no window."""
    names = transport_names(work.columns)
    items = [
        sql.SQL("{} AS {}").format(_text(column, work), sql.Identifier(names[column.name])) for column in work.columns
    ]
    inner = sql.SQL("SELECT {}, {} AS problem, row_to_json(t)::text AS raw FROM {} AS t WHERE ({}) OR {}").format(
        sql.SQL(", ").join(items),
        _problem(parts),
        sql.Identifier(*work.relation),
        parts.window,
        parts.unfit_cursors,
    )
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names.values())
    return sql.SQL("SELECT {}, problem, CASE WHEN problem IS NULL THEN raw END AS raw FROM ({}) AS read").format(
        columns, inner
    )


def _text(column: SourceColumn, work: Read) -> sql.Composable:
    value = carried_expression(column, work.extract)
    return sql.SQL("encode({}, 'hex')" if column.type == "binary" else "({})::text").format(value)


def _problem(parts: Split) -> sql.Composable:
    """The rule that a row breaks by what only its source tells. Keys are looked at with the types."""
    outside = sql.SQL("NOT ({})").format(parts.window)
    cases = [
        sql.SQL("WHEN ({}) AND {} THEN {}").format(
            rule.condition, outside if rule.of_cursor else sql.SQL("true"), sql.Literal(rule.rule)
        )
        for rule in parts.rules
        if not rule.rule.startswith("null_key:")
    ]
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(cases)) if cases else sql.SQL("NULL::text")

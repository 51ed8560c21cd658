"""Moving the rows of a window from PostgreSQL into Parquet: one consistent snapshot, exact values, bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from psycopg import sql

from headwater.adapters.sources import parquet
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import Cursor, zone_digest
from headwater.adapters.sources.postgres.session import conninfo
from headwater.adapters.sources.postgres.splitting import Split, carried_expression, rejects_query, split
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.errors import SourceDataError
from headwater.domain.run import RunKey, Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.catalog import DataFile
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    import duckdb

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Read:
    """One extract of one relation, everything decided."""

    table: TableSpec
    extract: SqlExtract
    connection: ConnectionInfo
    relation: tuple[str, str]
    columns: tuple[SourceColumn, ...]
    window: Window
    stamp: BatchStamp
    schema: TableSchema
    folder: str

    @property
    def origin(self) -> str:
        return f"{self.connection.id}:{'.'.join(self.relation)}"

    @property
    def facts(self) -> dict[str, str]:
        return {"table": self.table.name, "relation": ".".join(self.relation), "connection": self.connection.id}


def read(work: Read, progress: Callable[[str], None]) -> Extracted:
    """Read the window. All queries see one snapshot of the source (repeatable read), whatever changes meanwhile.

    :raises SourceDataError: when the policy is to stop, or too many rows had to be set aside.
    :raises duckdb.Error: when the source fails; its text may hold the password.
    """
    parts = split(work.table, work.extract, work.columns, work.window)
    failpoint("extract.reading")
    with parquet.writer() as engine, _one_snapshot(engine, work.connection):
        unfit = _count_unfit(engine, work, parts)
        files = _carry(engine, work, parts)
        rows = sum(file.rows for file in files)
        progress(f"{work.table.name}: {rows:,} rows in {len(files)} files, {unfit:,} set aside")
        failpoint("extract.mid")
        rejects = _reject(engine, work, parts, rows) if unfit else ()
        digest = _digest(engine, work, files, rejects)
    failpoint("extract.files")
    if work.window.kind == "snapshot" and digest == work.window.digest:
        parquet.delete([*files, *rejects])
        return Extracted(digest=digest)
    return Extracted(
        files=files,
        rejects=rejects,
        rows=rows,
        size_bytes=sum(file.size_bytes for file in files),
        rejected=sum(file.rows for file in rejects),
        digest=digest,
        watermark=work.window.high if work.window.advances_watermark else None,
    )


@contextmanager
def _one_snapshot(engine: duckdb.DuckDBPyConnection, connection: ConnectionInfo) -> Iterator[None]:
    """A repeatable-read transaction at the source, under the name ``source``."""
    import duckdb

    extension = package_files("duckdb_extension_postgres_scanner") / "extensions" / f"v{_version(engine)}"
    engine.execute(f"LOAD {parquet.literal(str(extension / 'postgres_scanner.duckdb_extension'))}")
    engine.execute("SET pg_pool_enable_reaper_thread = false")
    where = parquet.literal(conninfo(connection, time_zone="UTC"))
    engine.execute(f"ATTACH {where} AS source (TYPE postgres, READ_ONLY)")
    engine.begin()
    try:
        yield
        engine.commit()
    except BaseException:
        # left to DuckDB's destructor, a rollback over a lost connection would abort the whole process
        with suppress(duckdb.Error):
            engine.rollback()
        raise


def _version(engine: duckdb.DuckDBPyConnection) -> str:
    row = engine.execute("SELECT library_version FROM pragma_version()").fetchone()
    return str(row[0]).removeprefix("v") if row else ""


def _query(query: sql.Composable) -> str:
    return f"postgres_query('source', {parquet.literal(query.as_string())})"


def _first(engine: duckdb.DuckDBPyConnection, query: sql.Composable) -> tuple[Any, ...]:
    row = engine.execute(f"SELECT * FROM {_query(query)}").fetchone()  # noqa: S608
    return row or ()


def _carry(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> tuple[DataFile, ...]:
    """The rows that fit. Columns travel as c0, c1 … and get their names, types and ids back in the file."""
    aliases = {column.name: f"c{place}" for place, column in enumerate(work.columns)}
    select = sql.SQL("SELECT {} FROM {} AS t WHERE {}").format(
        sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(carried_expression(c, work.extract), sql.Identifier(aliases[c.name]))
            for c in work.columns
        ),
        sql.Identifier(*work.relation),
        parts.carried,
    )
    system = parquet.system_columns(work.stamp, parquet.literal(work.origin), "row_number() OVER ()")
    stem = f"{work.stamp.attempt}-{work.table.name}"
    with _one_thread(engine):
        return parquet.write_rows(engine, work.schema, aliases | system, _query(select), work.folder, stem)


@contextmanager
def _one_thread(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Rows come and are numbered one after the other: a second thread halves the speed and doubles the CPU seconds."""
    engine.execute("SET threads = 1")
    yield
    engine.execute(f"SET threads = {parquet.THREADS}")


def _count_unfit(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> int:
    """How many rows have to be set aside; the policies of the YAML are enforced before anything is written."""
    if not parts.rules:
        return 0
    rules = [sql.SQL("count(*) FILTER (WHERE {})").format(rule.condition) for rule in parts.rules]
    rejected = sql.SQL("SELECT {} FROM {} AS t WHERE {}")
    per_rule = sql.SQL(", ").join(sql.SQL("{} AS n{}").format(c, sql.SQL(str(n))) for n, c in enumerate(rules))
    source = sql.Identifier(*work.relation)
    counts = dict(
        zip(
            (r.rule for r in parts.rules),
            _first(engine, rejected.format(per_rule, source, parts.rejected)),
            strict=True,
        )
    )
    if not any(counts.values()):
        return 0
    if work.extract.non_finite == "stop":
        _stop(engine, work, parts, counts)
    total = sql.SQL("SELECT count(*) FILTER (WHERE {}) AS a, count(*) FILTER (WHERE {}) AS b, ").format(
        parts.unfit_values, parts.unfit_cursors
    ) + sql.SQL("count(*) FILTER (WHERE {}) AS c, count(*) AS d FROM {} AS t").format(parts.window, source)
    values, cursors, in_window, everything = _first(engine, total)
    # an unusable cursor is in no window, so it comes back every run: it is a share of the relation, not of the window
    check_share(values, in_window, work.extract.max_quarantined_share, _words(counts), work.facts)
    check_share(cursors, everything, work.extract.max_quarantined_share, _words(counts), work.facts)
    return int(values + cursors)


def _stop(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, counts: dict[str, int]) -> None:
    found = {name: n for name, n in counts.items() if n and name.startswith(("non_finite:", "out_of_range:"))}
    if not found:
        return
    query = rejects_query(parts, work.relation, work.table.key, work.origin)
    rows = engine.execute(f"SELECT coalesce(key, payload) FROM {_query(query)} LIMIT {_EXAMPLES}").fetchall()  # noqa: S608
    raise SourceDataError(
        f"{sum(found.values())} values of {'.'.join(work.relation)} cannot be carried: {_words(found)}",
        got="; ".join(str(row[0])[:120] for row in rows),
        allowed="none, by `non_finite: stop`",
        remedy="Correct them at the source, or set `non_finite: quarantine` (or `null`) in the YAML.",
        facts={**work.facts, "column": next(iter(found)).partition(":")[2], "count": str(sum(found.values()))},
    )


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in counts.items() if count)


def _reject(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, rows: int) -> tuple[DataFile, ...]:
    query = rejects_query(parts, work.relation, work.table.key, work.origin)
    table = f"bronze.{RunKey.parse(work.stamp.run_key).dag_id}.{work.table.name}"
    return parquet.write_rejects(
        engine, work.stamp, table, _query(query), work.folder, f"{rows} + row_number() OVER ()"
    )


def _digest(
    engine: duckdb.DuckDBPyConnection, work: Read, files: Sequence[DataFile], rejects: Sequence[DataFile]
) -> str | None:
    if work.window.kind == "snapshot":
        return parquet.content_digest(engine, work.schema, files, rejects)
    if not work.window.advances_watermark or work.window.high is None:
        return None
    cursor = Cursor(next(column for column in work.columns if column.name == work.extract.cursor))
    lag_seconds = int(work.extract.lag.total_seconds())
    return str(_first(engine, zone_digest(cursor, work.relation, work.window.high, lag_seconds))[0])

"""Rows of a window that cannot be carried: counted by the source, judged by the YAML's policies, set aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from headwater.adapters.sources import parquet
from headwater.adapters.sources.postgres.carry import Carried
from headwater.adapters.sources.postgres.diagnosing import unrepeatable
from headwater.adapters.sources.postgres.scanning import first, query
from headwater.adapters.sources.postgres.splitting import Split
from headwater.adapters.sources.postgres.work import Read
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.errors import SourceDataError
from headwater.domain.run import RunKey
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import duckdb

_EXAMPLES = 5


def set_aside(
    engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, carried: Carried, number: int | None = None
) -> tuple[DataFile, ...]:
    """Quarantine files of the rows that ``carried`` left out, and of those whose cursor is in no window.

    The source is asked for them only where there are any: a scan of the relation costs as much as a tenth of its read.

    :param number: of the chunk they belong to, where there are several.
    :raises SourceDataError: when the policy is to stop, too many rows are unfit, or the source contradicts itself.
    """
    cursors_asked = any(rule.of_cursor for rule in parts.rules) and (
        work.window.null_cursors or work.window.future_cursors
    )
    if not carried.unfit and not cursors_asked:
        return ()
    values, cursors = _count(engine, work, parts)
    if values != carried.unfit:
        raise unrepeatable(
            work, f"{carried.unfit} unfit rows in one reading, {values} in the next", carried.unfit - values
        )
    if not values + cursors:
        return ()
    select = _rejects_query(parts, work.relation, work.table.key, work.origin)
    table = f"bronze.{RunKey.parse(work.stamp.run_key).dag_id}.{work.table.name}"
    ordinal = f"{carried.last_ordinal} + row_number() OVER ()"
    stem = f"{work.stamp.attempt}-rejects" + ("" if number is None else f"-{number}")
    return parquet.write_rejects(engine, work.stamp, table, query(select), work.folder, ordinal, stem)


def enforce(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> dict[str, int]:
    """How many rows break each rule.

    :raises SourceDataError: when values are NaN, infinite or out of range, and the policy is to stop.
    """
    rules = [sql.SQL("count(*) FILTER (WHERE {})").format(rule.condition) for rule in parts.rules]
    if not rules:
        return {}
    rejected = sql.SQL("SELECT {} FROM {} AS t WHERE {}")
    per_rule = sql.SQL(", ").join(sql.SQL("{} AS n{}").format(c, sql.SQL(str(n))) for n, c in enumerate(rules))
    found = first(engine, rejected.format(per_rule, sql.Identifier(*work.relation), parts.rejected))
    counts = dict(zip((rule.rule for rule in parts.rules), found, strict=True))
    if work.extract.non_finite == "stop" and any(counts.values()):
        _stop(engine, work, parts, counts)
    return counts


def _count(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split) -> tuple[int, int]:
    """How many rows of the window are unfit, and how many have an unusable cursor; policies are enforced."""
    counts = enforce(engine, work, parts)
    if not any(counts.values()):
        return 0, 0
    total = sql.SQL("SELECT count(*) FILTER (WHERE {}) AS a, count(*) FILTER (WHERE {}) AS b, ").format(
        parts.unfit_values, parts.unfit_cursors
    ) + sql.SQL("count(*) FILTER (WHERE {}) AS c, count(*) AS d FROM {} AS t WHERE {}").format(
        parts.window,
        sql.Identifier(*work.relation),
        # rows outside the window are looked at only for their cursors: a chunk is a small part of its relation
        sql.SQL("true") if any(rule.of_cursor for rule in parts.rules) else parts.window,
    )
    values, cursors, in_window, everything = first(engine, total)
    # an unusable cursor is in no window, so it comes back every run: it is a share of the relation, not of the window
    check_share(values, in_window, work.extract.max_quarantined_share, _words(counts), work.facts)
    check_share(cursors, everything, work.extract.max_quarantined_share, _words(counts), work.facts)
    return int(values), int(cursors)


def _stop(engine: duckdb.DuckDBPyConnection, work: Read, parts: Split, counts: dict[str, int]) -> None:
    found = {name: n for name, n in counts.items() if n and name.startswith(("non_finite:", "out_of_range:"))}
    if not found:
        return
    select = _rejects_query(parts, work.relation, work.table.key, work.origin)
    rows = engine.execute(f"SELECT coalesce(key, payload) FROM {query(select)} LIMIT {_EXAMPLES}").fetchall()  # noqa: S608 - made of quoted names and literals
    raise SourceDataError(
        f"{sum(found.values())} values of {'.'.join(work.relation)} cannot be carried: {_words(found)}",
        got="; ".join(str(row[0])[:120] for row in rows),
        allowed="none, by `non_finite: stop`",
        remedy="Correct them at the source, or set `non_finite: quarantine` (or `null`) in the YAML.",
        facts={**work.facts, "column": next(iter(found)).partition(":")[2], "count": str(sum(found.values()))},
    )


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in counts.items() if count)


def _rejects_query(split_: Split, relation: tuple[str, str], key: Sequence[str], origin: str) -> sql.Composed:
    """The rejected rows as text columns ``rules, reason, payload, key, origin``; the payload is the whole row."""
    rules = [_when(rule.condition, rule.rule) for rule in split_.rules]
    reasons = [_when(rule.condition, rule.reason) for rule in split_.rules]
    return sql.SQL(
        "SELECT concat_ws(',', {rules}) AS rules, concat_ws('; ', {reasons}) AS reason, "
        "row_to_json(t)::text AS payload, {key} AS key, {origin}::text AS origin FROM {relation} AS t WHERE {rejected}"
    ).format(
        rules=sql.SQL(", ").join(rules),
        reasons=sql.SQL(", ").join(reasons),
        key=_key(key),
        origin=sql.Literal(origin),
        relation=sql.Identifier(*relation),
        rejected=split_.rejected,
    )


def _when(condition: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("CASE WHEN {} THEN {} END").format(condition, sql.Literal(text))


def _key(key: Sequence[str]) -> sql.Composable:
    if not key:
        return sql.SQL("NULL::text")
    known = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier("t", name)) for name in key)
    pairs = (sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier("t", name)) for name in key)
    return sql.SQL("CASE WHEN {} THEN jsonb_build_object({})::text END").format(known, sql.SQL(", ").join(pairs))

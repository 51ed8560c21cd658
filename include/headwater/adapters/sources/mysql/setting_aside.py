"""Rows that no table can take, into quarantine, unless they are too many or the policy is to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.adapters.sources import parquet
from headwater.adapters.sources.mysql.judging import Fault, rejected
from headwater.adapters.sources.mysql.mysql_sql import dotted
from headwater.adapters.sources.mysql.work import Read
from headwater.adapters.sources.rejecting import check_share
from headwater.domain.errors import SourceDataError
from headwater.domain.quarantine_share import ALWAYS_TOLERATED_ROWS
from headwater.domain.run import RunKey
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import duckdb


def set_aside(engine: duckdb.DuckDBPyConnection, work: Read, found: list[Fault], source: str) -> tuple[DataFile, ...]:
    """Quarantine files of the unfit rows.

    :raises SourceDataError: when the policy is to stop, or too many rows are unfit.
    """
    engine.execute(f"CREATE VIEW rejected AS SELECT * FROM {rejected(work, found, source)}")  # noqa: S608 - made of quoted names and literals
    counts = dict(engine.execute("SELECT rules, count(*) FROM rejected GROUP BY ALL ORDER BY ALL").fetchall())
    words = ", ".join(f"{rules} {count}" for rules, count in counts.items())
    dates = {f"untypable:{column.name}" for column in work.columns if column.judged_as is None}
    if work.extract.non_finite == "stop" and any(dates & set(rules.split(",")) for rules in counts):
        _stop(engine, work, words)
    _check_shares(engine, work, source, words)
    table = f"bronze.{RunKey.parse(work.stamp.run_key).dag_id}.{work.table.name}"
    return parquet.write_rejects(engine, work.stamp, table, "rejected", work.folder, "ordinal", work.rejects_stem)


def _check_shares(engine: duckdb.DuckDBPyConnection, work: Read, source: str, words: str) -> None:
    """An unusable cursor is in no window, so it comes back every run: it is a share of the relation."""
    query = "SELECT count(*) FILTER (WHERE NOT of_cursor), count(*) FILTER (WHERE of_cursor) FROM rejected"
    values, cursors = engine.execute(query).fetchone() or (0, 0)
    [arrived] = engine.execute(f"SELECT count(*) FROM {source}").fetchone() or (0,)  # noqa: S608 - made of literals
    share = work.extract.max_quarantined_share
    check_share(values, arrived - cursors, share, words, work.facts)
    if cursors > ALWAYS_TOLERATED_ROWS:
        everything = work.session.one(f"SELECT COUNT(*) FROM {dotted(work.relation)}")  # noqa: S608 - quoted names
        check_share(cursors, int(everything), share, words, work.facts)


def _stop(engine: duckdb.DuckDBPyConnection, work: Read, words: str) -> None:
    rows = engine.execute("SELECT payload FROM rejected WHERE contains(rules, 'untypable:') LIMIT 3").fetchall()
    raise SourceDataError(
        f"values of {'.'.join(work.relation)} cannot be carried: {words}",
        got="; ".join(str(row[0])[:160] for row in rows),
        allowed="none, by `non_finite: stop`",
        remedy="Correct them at the source, or set `non_finite: quarantine` (or `null`) in the YAML.",
        facts={**work.facts, "column": words.partition("untypable:")[2].partition(" ")[0].partition(",")[0]},
    )

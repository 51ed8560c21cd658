"""What every table is held to without a contract saying so: unique keys, and histories without gap or overlap."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame

from headwater.domain.job import ValidateTable
from headwater.domain.names import Layer
from headwater.domain.staging import KEY_CHECK, CheckResult
from headwater_spark.gate.pinned_view import is_history
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.sql_text import listed
from headwater_spark.tables.views import as_view

_EXAMPLES = 5


def implicit_checks(rows: DataFrame, table: ValidateTable) -> Iterator[CheckResult]:
    """The checks of silver and gold tables that have a key or grain."""
    if table.key and table.table.layer in {Layer.SILVER, Layer.GOLD}:
        history = is_history(rows)
        current = rows.where("batch_out IS NULL AND valid_to IS NULL") if history else rows
        yield _unique(current, table)
        if history:
            yield _without_gap_or_overlap(_believed(rows, table), table)


def _unique(rows: DataFrame, table: ValidateTable) -> CheckResult:
    view, keys = as_view(rows, "keys"), listed(table.key)
    found = rows.sparkSession.sql(
        f"SELECT {keys}, count(*) AS hw_n, sum(count(*)) OVER () AS hw_all, "  # noqa: S608 - made of quoted names and literals
        f"sum(int(count(*) > 1)) OVER () AS hw_bad FROM {view} GROUP BY {keys} ORDER BY hw_n DESC LIMIT {_EXAMPLES}"
    ).collect()
    doubled = [row for row in found if row.hw_n > 1]
    shown = tuple(f"{_key_text(row.asDict(), table)}: {row.hw_n} rows" for row in doubled)
    return _result("key is unique", "duplicate", KEY_CHECK, found[0].hw_bad if found else 0, shown).model_copy(
        update={"rows_tested": int(found[0].hw_all) if found else 0}
    )


def _believed(rows: DataFrame, table: ValidateTable) -> DataFrame:
    """Every version believed now; in silver the time in which a key was deleted is a version, too."""
    if table.table.layer is Layer.SILVER:
        rows = rows_at(rows.sparkSession, table.home, table.snapshot_id)
    return rows.where("batch_out IS NULL")


def _without_gap_or_overlap(rows: DataFrame, table: ValidateTable) -> CheckResult:
    """Versions of a key follow each other without a break, and the last one is open (rule 35)."""
    view, keys = as_view(rows, "history"), listed(table.key)
    gap = "hw_next IS NOT NULL AND valid_to <> hw_next OR hw_next IS NULL AND valid_to IS NOT NULL"
    gap = gap if table.table.layer is Layer.SILVER else "valid_to > hw_next"
    found = rows.sparkSession.sql(
        f"SELECT {keys}, valid_from, valid_to, count(*) OVER () AS hw_bad FROM (SELECT *, lead(valid_from) OVER "  # noqa: S608 - made of quoted names and literals
        f"(PARTITION BY {keys} ORDER BY valid_from) AS hw_next FROM {view}) WHERE valid_from IS NULL "
        f"OR valid_to <= valid_from OR (valid_to IS NULL AND hw_next IS NOT NULL) OR {gap} LIMIT {_EXAMPLES}"
    ).collect()
    shown = tuple(f"{_key_text(row.asDict(), table)}: [{row.valid_from}, {row.valid_to})" for row in found)
    name = "versions have no gap and no overlap" if table.table.layer is Layer.SILVER else "versions do not overlap"
    return _result(name, "history", "headwater.history", found[0].hw_bad if found else 0, shown)


def _result(name: str, kind: str, path: str, bad: int, examples: tuple[str, ...]) -> CheckResult:
    return CheckResult(
        name=name,
        type=kind,
        outcome="failed" if bad else "passed",
        measured=float(bad),
        threshold="must_be 0",
        rows_failed=int(bad),
        path=path,
        examples=examples,
    )


def _key_text(row: dict[str, object], table: ValidateTable) -> str:
    return ", ".join(f"{name}={'***' if name in table.masked else row[name]}" for name in table.key)

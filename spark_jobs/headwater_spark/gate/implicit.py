"""What every table is held to without a contract saying so: unique keys, and histories without overlap."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame

from headwater.domain.job import ValidateTable
from headwater.domain.names import Layer
from headwater.domain.staging import CheckResult
from headwater_spark.gate.pinned_view import is_history
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
            yield _without_overlap(rows.where("batch_out IS NULL"), table)


def _unique(rows: DataFrame, table: ValidateTable) -> CheckResult:
    view, keys = as_view(rows, "keys"), listed(table.key)
    found = rows.sparkSession.sql(
        f"SELECT {keys}, count(*) AS hw_n, sum(count(*)) OVER () AS hw_all, "  # noqa: S608
        f"sum(int(count(*) > 1)) OVER () AS hw_bad FROM {view} GROUP BY {keys} ORDER BY hw_n DESC LIMIT {_EXAMPLES}"
    ).collect()
    doubled = [row for row in found if row.hw_n > 1]
    shown = tuple(f"{_key_text(row.asDict(), table)}: {row.hw_n} rows" for row in doubled)
    return _result("key is unique", "duplicate", "headwater.key", found[0].hw_bad if found else 0, shown).model_copy(
        update={"rows_tested": int(found[0].hw_all) if found else 0}
    )


def _without_overlap(rows: DataFrame, table: ValidateTable) -> CheckResult:
    view, keys = as_view(rows, "history"), listed(table.key)
    found = rows.sparkSession.sql(
        f"SELECT {keys}, valid_from, valid_to, count(*) OVER () AS hw_bad FROM (SELECT *, lead(valid_from) OVER "  # noqa: S608
        f"(PARTITION BY {keys} ORDER BY valid_from) AS hw_next FROM {view}) WHERE valid_to <= valid_from "
        f"OR valid_to > hw_next OR (valid_to IS NULL AND hw_next IS NOT NULL) LIMIT {_EXAMPLES}"
    ).collect()
    shown = tuple(f"{_key_text(row.asDict(), table)}: [{row.valid_from}, {row.valid_to})" for row in found)
    return _result("versions do not overlap", "history", "headwater.history", found[0].hw_bad if found else 0, shown)


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

"""What went wrong with a table, in terms a runbook can be filled with, and one line per table for the task log."""

from __future__ import annotations

import re

from pyspark.errors import PySparkException

from headwater.domain.errors import HeadwaterError, TransformError
from headwater.domain.job import TableResult
from headwater.domain.names import TableName
from headwater_spark.entrypoints.java_said import away, of_warehouse, told

_PLACE = re.compile(r"line (\d+), pos(?:ition)? (\d+)")
_LONGEST_MESSAGE = 2000
# Spark tells its own errors by name; a bare "RPC that terminated" is the server failing, never the SQL
_UNREACHABLE = ("UNAVAILABLE", "failed to connect", "Connection refused", "Socket closed", "of RPC that terminated")
# the same of a driver that has its executors elsewhere: lost for good, after Spark's own tries
_LOST = (
    "ExecutorLostFailure",
    "Checkpoint block",
    "SparkContext was shut down",
    "Cannot call methods on a stopped SparkContext",
    "All masters are unresponsive",
    "Master removed our application",
)


class EngineLostError(Exception):
    """The server went away under a table; the whole job ends without a result."""


def failed(table: TableName, error: Exception) -> TableResult:
    """The result of a table that failed.

    :raises EngineLostError: when not the table but the engine failed.
    """
    if not isinstance(error, HeadwaterError):
        outside = away(table, str(error))
        if outside is None and any(sign in str(error) for sign in (*_UNREACHABLE, *_LOST)):
            raise EngineLostError(f"Spark went away while {table} was at work") from error
        error = outside or explained(table, error)
    message = error.placed
    return TableResult(
        table=table,
        status="failed",
        error_code=error.code,
        error=message[:_LONGEST_MESSAGE],
        got=None if error.got is None else error.got[:_LONGEST_MESSAGE],
        allowed=error.allowed,
        remedy=error.remedy,
        facts={"table": table.dotted, **error.facts},
    )


def explained(table: TableName, error: Exception) -> HeadwaterError:
    """Spark's own error, with column, likely names, line and position as facts, or that of its files."""
    first = told(str(error), otherwise=type(error).__name__)
    refused = of_warehouse(table, str(error))
    if refused is not None:
        return refused
    facts = {"error_class": type(error).__name__, "got": first}
    if isinstance(error, PySparkException):
        parameters = error.getMessageParameters() or {}
        facts["error_class"] = error.getCondition() or type(error).__name__
        named = {
            "objectName": "column",
            "proposal": "suggestion",
            "relationName": "missing_table",
            "expression": "value",
        }
        facts |= {named[name]: value.replace("`", "") for name, value in parameters.items() if name in named}
    place = _PLACE.search(str(error))
    if place:
        facts |= {"line": place[1], "position": place[2]}
    return TransformError(
        f"Spark could not make {table}: {first}",
        remedy="Correct the SQL or the column rules of this table; its fixture shows the error without a run.",
        facts=facts,
    )


def spoken(result: TableResult) -> str:
    """One line per table."""
    if result.status == "failed":
        return f"{result.table}: failed [{result.error_code}] {result.error_line}"
    parts = [f"{result.table}: {result.status} in {result.seconds:.1f} s"]
    if result.staged is not None:
        parts.append(
            f"{result.staged.rows} rows stored (+{result.rows_inserted} ~{result.rows_updated} -{result.rows_deleted})"
        )
    if result.staged is not None and result.staged.quarantined:
        parts.append(f"{result.staged.quarantined} quarantined")
    if result.verdict is not None:
        word = "passed" if result.verdict.passed else f"held: {result.verdict.reason}"
        parts.append(f"{len(result.verdict.checks)} checks, {word}")
    return ", ".join(parts)

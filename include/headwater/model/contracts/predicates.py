"""From a check of a contract to the Spark SQL that is true for exactly the rows Soda counts as offending.

The clauses are those of Soda's engine: NULL is missing and never invalid. Every predicate is true or false, never
NULL, so that a row is on one side of it or the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Body = Mapping[str, Any]


def row_predicate(kind: str, column: str | None, body: Body, dataset_filter: str | None) -> str | None:
    """The predicate of a check; None when it does not judge single rows."""
    clause = _clause(kind, column, body)
    if clause is None:
        return None
    filters = [f"({text.strip()})" for text in (dataset_filter, body.get("filter")) if text]
    joined = " AND ".join([*filters, f"({clause})"])
    return f"coalesce({joined}, false)" if filters or kind == "failed_rows" else joined


def quoted(identifier: str) -> str:
    """A column name as Spark SQL takes it, whatever it holds."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(value: object) -> str:
    """A number or text as a Spark SQL literal, under the default of ``spark.sql.parser.escapedStringLiterals``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _clause(kind: str, column: str | None, body: Body) -> str | None:
    if kind == "failed_rows":
        return body.get("expression")
    if column is None or "valid_reference_data" in body:
        return None
    if kind == "missing":
        return " OR ".join(_missing(quoted(column), body))
    if kind == "invalid":
        clauses = list(_invalid(quoted(column), body))
        return f"{quoted(column)} IS NOT NULL AND ({' OR '.join(clauses)})" if clauses else None
    return None


def _missing(column: str, body: Body) -> Iterator[str]:
    yield f"{column} IS NULL"
    if body.get("missing_values"):
        yield f"{column} IN {_listed(body['missing_values'])}"
    if "missing_format" in body:
        yield _matches(column, body["missing_format"])


def _invalid(column: str, body: Body) -> Iterator[str]:
    if "valid_values" in body:
        yield f"{column} NOT IN {_listed(body['valid_values'])}" if body["valid_values"] else "1 = 1"
    if body.get("invalid_values"):
        yield f"{column} IN {_listed(body['invalid_values'])}"
    if "valid_format" in body:
        yield f"NOT {_matches(column, body['valid_format'])}"
    if "invalid_format" in body:
        yield _matches(column, body["invalid_format"])
    comparisons = (
        ("valid_min", column, "<"),
        ("valid_max", column, ">"),
        ("valid_length", f"length({column})", "<>"),
        ("valid_min_length", f"length({column})", "<"),
        ("valid_max_length", f"length({column})", ">"),
    )
    for key, value, operator in comparisons:
        if key in body:
            yield f"{value} {operator} {literal(body[key])}"


def _listed(values: Sequence[object]) -> str:
    return "(" + ", ".join(literal(value) for value in values) + ")"


def _matches(column: str, format_: Mapping[str, str]) -> str:
    return f"regexp_like({column}, {literal(format_['regex'])})"

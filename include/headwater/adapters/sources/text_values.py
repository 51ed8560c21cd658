"""Text to typed values, exactly: what would be rounded, cut or guessed is no value of the type."""

from __future__ import annotations

import re
from collections.abc import Mapping

from headwater.adapters.duckdb.sql import duckdb_type, literal
from headwater.domain.errors import SpecError

_INTEGER = "[+-]?[0-9]+"
_FLOAT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{0,6}0*)?)?"
_ZONE = "( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?"
_FORMS = {
    "boolean": "(?i)true|false|t|f|0|1",
    "int": _INTEGER,
    "long": _INTEGER,
    "float": _FLOAT,
    "double": _FLOAT,
    "date": _DATE,
    "timestamp": f"{_DATE}[T ]{_TIME}",
    "timestamptz": f"{_DATE}[T ]{_TIME}{_ZONE}",
    "uuid": "(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "binary": "(?i)([0-9a-f]{2})*",
}
"""A timestamptz without a zone is UTC (rule 30); binary is written in hexadecimal digits."""
_CALENDAR = "{{typed}} BETWEEN {kind} '0001-01-01' AND {kind} '9999-12-31 23:59:59.999999'"
_BOUNDS = {
    **dict.fromkeys(("float", "double"), "isfinite({typed})"),
    "date": _CALENDAR.format(kind="DATE").replace(" 23:59:59.999999", ""),
    "timestamp": _CALENDAR.format(kind="TIMESTAMP"),
    "timestamptz": _CALENDAR.format(kind="TIMESTAMPTZ"),
}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
_LARGEST_PRECISION = 38


def check_types(columns: Mapping[str, str], table: str) -> None:
    """:raises SpecError: for a declared type that text cannot have."""
    for name, kind in columns.items():
        decimal = _DECIMAL.fullmatch(kind)
        fits = decimal is not None and int(decimal[2]) <= int(decimal[1]) <= _LARGEST_PRECISION
        if kind not in _FORMS and kind != "string" and not fits:
            raise SpecError(
                f"column {name!r} of table {table!r} has a type that a file cannot carry",
                got=kind,
                allowed=", ".join((*_FORMS, "decimal(p,s)", "string")),
                facts={"table": table, "column": name},
            )


def typed(column: str, kind: str) -> str:
    """SQL of the value of a text that has the type's form."""
    if kind == "string":
        return column
    return f"unhex({column})" if kind == "binary" else f"TRY_CAST({column} AS {duckdb_type(kind)})"


def is_untypable(column: str, kind: str) -> str:
    """SQL, never NULL: a text that is no value of the type."""
    return "false" if kind == "string" else f"({column} IS NOT NULL AND NOT ({_is_value(column, kind)}))"


def _is_value(column: str, kind: str) -> str:
    """A text that the value would be written as is one at once; any other has to have the type's form."""
    form = f"regexp_full_match({column}, {literal(_form(kind))})"
    if kind == "binary":
        return form
    value = typed(column, kind)
    bound = _BOUNDS.get(kind, "{typed} IS NOT NULL").format(typed=value)
    return (
        f"CASE WHEN {value}::VARCHAR = {column} THEN {bound} WHEN {form} THEN coalesce({bound}, false) ELSE false END"
    )


def _form(kind: str) -> str:
    decimal = _DECIMAL.fullmatch(kind)
    if decimal is None:
        return _FORMS[kind]
    return rf"[+-]?([0-9]+(\.[0-9]{{0,{decimal[2]}}}0*)?|\.[0-9]{{1,{max(int(decimal[2]), 1)}}}0*)"

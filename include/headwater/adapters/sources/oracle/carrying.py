"""How each type of Oracle is carried: its Iceberg type, and the form that loses nothing of a value.

Numbers and times are asked for as texts, in a session whose settings leave no choice of comma, calendar or zone.
"""

from __future__ import annotations

import re

from headwater.adapters.sources.queried.columns import Moments, QueriedColumn

_LARGEST_PRECISION = 38
_INT_DIGITS, _LONG_DIGITS = 9, 18
_NATIVE = {
    **dict.fromkeys(("CHAR", "NCHAR", "VARCHAR2", "NVARCHAR2", "CLOB", "NCLOB", "LONG"), "string"),
    **dict.fromkeys(("RAW", "LONG RAW", "BLOB"), "binary"),
    "BINARY_FLOAT": "float",
    "BINARY_DOUBLE": "double",
}
_TEXTS = {
    "ROWID": "ROWIDTOCHAR({})",
    "UROWID": "CAST({} AS VARCHAR2(4000))",
    "XMLTYPE": "XMLSERIALIZE(CONTENT {} AS CLOB)",
    "JSON": "JSON_SERIALIZE({} RETURNING CLOB)",
    "VECTOR": "FROM_VECTOR({} RETURNING CLOB)",
}
_TIMESTAMP = re.compile(r"TIMESTAMP\((\d)\)( WITH TIME ZONE| WITH LOCAL TIME ZONE)?")
_ZONE_NOTE = "carried as the instant in UTC; the zone it was written with is not"
_DAY = "SYYYY-MM-DD HH24:MI:SS"
_NUMBER = "TO_CHAR({}, 'TM9')"
# .5 is written as 0.5
_ANY_NUMBER = f"REGEXP_REPLACE({_NUMBER}, '^(-?)\\.', '\\10.')"
_NOT_FINITE = "({0} IS NAN OR {0} IS INFINITE)"
_TOO_EARLY = "{} < DATE '0001-01-01'"


def carried(
    name: str, data_type: str, length: int, precision: int | None, scale: int | None, nullable: bool
) -> QueriedColumn:
    """A column of a type as ``all_tab_cols`` describes it.

    :param length: of texts in characters, of others in bytes.
    """
    required = not nullable
    stamp = _TIMESTAMP.fullmatch(data_type)
    if stamp is not None:
        return _timestamp(name, data_type, int(stamp[1]), stamp[2] or "", required)
    if data_type == "DATE":
        # it has a time of day, to the second
        form, moments = f"LTRIM(TO_CHAR({{}}, '{_DAY}'))", Moments("second")
        return QueriedColumn(name, "timestamp", "DATE", form, required, moments, beyond=_TOO_EARLY)
    if data_type in ("NUMBER", "FLOAT"):
        return _number(name, data_type, precision, scale, required)
    if data_type in _NATIVE:
        has_length = data_type in ("CHAR", "NCHAR", "VARCHAR2", "NVARCHAR2", "RAW")
        declared = f"{data_type}({length})" if has_length else data_type
        beyond = _NOT_FINITE if data_type.startswith("BINARY_") else None
        return QueriedColumn(name, _NATIVE[data_type], declared, required=required, beyond=beyond)
    if data_type == "BOOLEAN":
        return QueriedColumn(name, "boolean", data_type, "CASE WHEN {0} THEN '1' WHEN NOT {0} THEN '0' END", required)
    text = "TO_CHAR({})" if data_type.startswith("INTERVAL ") else _TEXTS.get(data_type)
    problem = None if text else "its type is an object, a collection or a pointer, which has no text of its own"
    return QueriedColumn(name, "string", data_type, text or "{}", required, problem=problem)


def number_type(precision: int | None, scale: int | None) -> str:
    """The Iceberg type of ``NUMBER(precision, scale)``; text where any scale is allowed, or no decimal is wide enough.

    A negative scale leaves out the last digits before the point; one above the precision, the first behind it.
    """
    if scale is None:
        return "string"
    digits = _LARGEST_PRECISION if precision is None else precision
    if scale == 0 and digits <= _LONG_DIGITS:
        return "int" if digits <= _INT_DIGITS else "long"
    width, places = max(digits - min(scale, 0), scale), max(scale, 0)
    return f"decimal({width},{places})" if width <= _LARGEST_PRECISION else "string"


def _number(name: str, data_type: str, precision: int | None, scale: int | None, required: bool) -> QueriedColumn:
    # the precision of a FLOAT is in bits of a number that is decimal all the same
    kind = number_type(precision, scale) if data_type == "NUMBER" else "string"
    declared = data_type if precision is None and scale is None else f"{data_type}({precision or '*'},{scale})"
    if data_type == "FLOAT":
        declared = f"FLOAT({precision})"
    return QueriedColumn(name, kind, declared, _ANY_NUMBER if kind == "string" else _NUMBER, required)


def _timestamp(name: str, data_type: str, digits: int, zone: str, required: bool) -> QueriedColumn:
    shape = f"{_DAY}.FF{digits}" if digits else _DAY
    # the session's zone is UTC, which is what LOCAL means then
    instant = "SYS_EXTRACT_UTC({})" if zone == " WITH TIME ZONE" else "{}"
    return QueriedColumn(
        name=name,
        type="timestamptz" if zone else "timestamp",
        source_type=data_type,
        form=f"LTRIM(TO_CHAR({instant}, '{shape}'))",
        required=required,
        moments=Moments("fraction" if digits else "second", digits),
        beyond=_TOO_EARLY,
        note=_ZONE_NOTE if zone == " WITH TIME ZONE" else None,
    )

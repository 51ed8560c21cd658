"""How each type of SQL Server is carried: its Iceberg type, and the text that loses nothing of a value.

Numbers, dates and times are asked for as texts in a style whose digits are all there; bytes come as they are.
"""

from __future__ import annotations

from headwater.adapters.sources.queried.columns import Moments, QueriedColumn

_NUMBERS = {"tinyint": "int", "smallint": "int", "int": "int", "bigint": "long", "bit": "boolean"}
_STYLED = {
    "money": ("decimal(19,4)", 2),
    "smallmoney": ("decimal(10,4)", 2),
    "real": ("float", 3),
    "float": ("double", 3),
}
"""Style 2 shows all four digits of money without commas; style 3 so many of a float that no two look the same."""
_UNICODE = ("nchar", "nvarchar")
_TEXTS = ("char", "varchar", "text", "ntext", "xml", "json", "vector")
_BYTES = ("binary", "varbinary", "image", "timestamp")
_SHAPES = ("geometry", "geography")
_OFFSET_NOTE = "carried as the instant in UTC; the offset it was written with is not"
_REFUSED = {
    "sql_variant": "each of its values has a type of its own",
    "cursor": "it is no value",
    "table": "it is no value",
}


def carried(name: str, data_type: str, max_length: int, precision: int, scale: int, nullable: bool) -> QueriedColumn:
    """A column of a type as ``sys.columns`` describes it. :param max_length: in bytes, -1 for ``max``."""
    declared = _declared(data_type, max_length, precision, scale)
    kind, form, moments = _mapped(data_type, precision, scale)
    return QueriedColumn(
        name=name,
        type=kind,
        source_type=declared,
        form=form,
        required=not nullable,
        moments=moments,
        counts=data_type == "timestamp",
        problem=_problem(data_type),
        note=_OFFSET_NOTE if data_type == "datetimeoffset" else None,
    )


def _mapped(data_type: str, precision: int, scale: int) -> tuple[str, str, Moments | None]:
    """Iceberg type, form, and the instants it holds."""
    if data_type in _NUMBERS:
        return _NUMBERS[data_type], "CONVERT(varchar(20), {})", None
    if data_type in ("decimal", "numeric"):
        return f"decimal({precision},{scale})", "CONVERT(varchar(41), {})", None
    if data_type in _STYLED:
        kind, style = _STYLED[data_type]
        return kind, f"CONVERT(varchar(40), {{}}, {style})", None
    if data_type in (*_BYTES, *_SHAPES):
        return "binary", _SHAPE if data_type in _SHAPES else "CONVERT(varbinary(max), {})", None
    return _moment(data_type, scale) or ("string", _text(data_type), None)


def _moment(data_type: str, scale: int) -> tuple[str, str, Moments] | None:
    if data_type == "date":
        return "date", "CONVERT(char(10), {}, 23)", Moments("day")
    if data_type == "smalldatetime":
        return "timestamp", "CONVERT(char(19), {}, 120)", Moments("minute")
    if data_type == "datetime":
        return "timestamp", "CONVERT(char(23), {}, 121)", Moments("third of 10 ms")
    if data_type == "datetime2":
        return "timestamp", "CONVERT(varchar(27), {}, 121)", Moments("fraction", scale)
    if data_type == "datetimeoffset":
        utc = f"CONVERT(datetime2({scale}), SWITCHOFFSET({{}}, '+00:00'))"
        return "timestamptz", f"CONVERT(varchar(27), {utc}, 121)", Moments("fraction", scale)
    return None


def _text(data_type: str) -> str:
    if data_type in _UNICODE:
        return "{}"
    if data_type == "uniqueidentifier":
        return "LOWER(CONVERT(char(36), {}))"
    if data_type == "time":
        return "CONVERT(varchar(16), {}, 121)"
    if data_type == "hierarchyid":
        return "{}.ToString()"
    return "CONVERT(nvarchar(max), {})"


_SHAPE = (
    "CONVERT(binary(1), {0}.STSrid % 256) + CONVERT(binary(1), {0}.STSrid / 256 % 256) + "
    "CONVERT(binary(1), {0}.STSrid / 65536 % 256) + CONVERT(binary(1), {0}.STSrid / 16777216 % 256) + "
    "{0}.AsBinaryZM()"
)
"""Four bytes of SRID, the lowest first, then WKB: the form MySQL has."""


def _problem(data_type: str) -> str | None:
    known = (
        *_NUMBERS, *_STYLED, *_UNICODE, *_TEXTS, *_BYTES, *_SHAPES, "decimal", "numeric", "date",
        "smalldatetime", "datetime", "datetime2", "datetimeoffset", "time", "uniqueidentifier", "hierarchyid",
    )  # fmt: skip
    if data_type in _REFUSED:
        return _REFUSED[data_type]
    return None if data_type in known else "its type is made by a program that only the server has"


def _declared(data_type: str, max_length: int, precision: int, scale: int) -> str:
    if data_type in ("decimal", "numeric"):
        return f"{data_type}({precision},{scale})"
    if data_type in ("datetime2", "datetimeoffset", "time"):
        return f"{data_type}({scale})"
    if data_type in ("char", "varchar", "binary", "varbinary", *_UNICODE):
        length = max_length // 2 if data_type in _UNICODE else max_length
        return f"{data_type}({'max' if max_length == -1 else length})"
    return "rowversion" if data_type == "timestamp" else data_type

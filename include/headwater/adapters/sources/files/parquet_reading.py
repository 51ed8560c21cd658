"""A Parquet file becomes records of texts, exactly; DuckDB reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.parquet_nanoseconds import column_that_would_be_cut
from headwater.adapters.sources.files.shape import Shape

if TYPE_CHECKING:
    import duckdb

_INTEGERS = "TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT"
_FITS = {
    "boolean": "BOOLEAN",
    "int": _INTEGERS,
    "long": _INTEGERS,
    "float": "FLOAT",
    "double": "FLOAT|DOUBLE|TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT",
    "decimal": rf"{_INTEGERS}|DECIMAL\(.*\)",
    "date": "DATE",
    "timestamp": "TIMESTAMP|TIMESTAMP_(?:S|MS|NS)",
    "timestamptz": "TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS",
    "string": r"VARCHAR|UUID|TIME|JSON|ENUM\(.*\)|.*\[\d*\]|STRUCT\(.*\)|MAP\(.*\)",
    "binary": "BLOB",
    "uuid": "UUID",
}
"""Types of a file whose values a declared type can hold; single values that do not fit go to quarantine."""
_NO_TYPE = '"NULL"'
"""That of a column without a single value, as pandas writes it; DuckDB takes it for whole numbers."""
_NESTED = re.compile(r".*\[\d*\]|STRUCT\(.*\)|MAP\(.*\)", re.DOTALL)


def read_parquet(
    engine: duckdb.DuckDBPyConnection, file: LandedFile, local: Path, shape: Shape, target: Path, ordinal: int
) -> int:
    """Write the file's rows to ``target`` in the form of ``TextFile``; returns their number.

    :raises SchemaDriftError: when names or types are not what the YAML declares.
    :raises SourceDataError: when the file cannot be read.
    """
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = f"read_parquet({literal(str(local))}, file_row_number=true, hive_partitioning=false)"
    try:
        with pq.ParquetFile(local) as opened:
            names = list(opened.schema_arrow.names)
            empty = {field.name: _NO_TYPE for field in opened.schema_arrow if pa.types.is_null(field.type)}
        described = engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - a literal path
        types = {str(row[0]): str(row[1]) for row in described} | empty
        _check_nanoseconds(local, file, shape, types)
        select = _select(names, types, file, shape, source, ordinal)
        copied = engine.execute(f"COPY ({select}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION lz4)")
        return int((copied.fetchone() or (0,))[0])
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
        damage = str(error).splitlines()[0].replace(str(local), file.path)[:200]
    raise shape.landing.refusal(file.path, "is no Parquet file that can be read", damage, "a whole Parquet file")


def _check_nanoseconds(local: Path, file: LandedFile, shape: Shape, types: dict[str, str]) -> None:
    """:raises SourceDataError: when times would lose what they have beyond microseconds (rule 30)."""
    cut = column_that_would_be_cut(local, {name: kind for name, kind in types.items() if name in shape.names})
    if cut is not None:
        what = f"has times of nanoseconds in column {cut!r}"
        remedy = "Write the file with microseconds, or that column as text; here nothing is cut off."
        raise shape.landing.refusal(file.path, what, types[cut], "whole microseconds", remedy)


def _select(names: list[str], types: dict[str, str], file: LandedFile, shape: Shape, source: str, ordinal: int) -> str:
    places = iter(shape.places(names, ", ".join(names)))
    items = []
    for number, (name, kind) in enumerate(shape.landing.extract.columns.items()):
        if name in shape.constants:
            value = shape.constants[name]
            text = "NULL::VARCHAR" if value is None else literal(value)
        else:
            text = "NULL::VARCHAR" if next(places) is None else _text(name, kind, types[name], shape)
        items.append(f"{text} AS c{number}")
    items += [
        f"{literal(file.path)} AS file",
        "file_row_number + 1 AS place",
        f"file_row_number + {ordinal + 1} AS ordinal",
        "NULL::VARCHAR AS problem",
        "NULL::VARCHAR AS raw",
    ]
    return f"SELECT {', '.join(items)} FROM {source}"  # noqa: S608 - identifiers quoted, values literals


def _text(name: str, kind: str, found: str, shape: Shape) -> str:
    column = quoted(name)
    if found == _NO_TYPE:
        return "NULL::VARCHAR"
    if shape.is_of_table and kind == "timestamptz" and re.fullmatch(_FITS["timestamp"], found):
        # INT96, as Spark writes it: an instant in UTC that does not say so
        return f"({column} AT TIME ZONE 'UTC')::VARCHAR"
    if re.fullmatch(_FITS[kind.partition("(")[0]], found, re.DOTALL) is None:
        if shape.is_bearing and kind != "binary" and found != "BLOB" and name not in shape.landing.table.key:
            shape.noticed.add(f"column {name} is {found}: values that are no {kind} are set aside")
            return _judged(column, found)
        raise shape.drift([name], [], f"has column {name!r} of type {found}, which does not fit {kind}", found)
    if found == "BLOB":
        return f"hex({column})"
    if found == "FLOAT" and kind == "double":
        # the digits of a float mean another double: it is widened before it is written down
        return f"{column}::DOUBLE::VARCHAR"
    return _judged(column, found)


def _judged(column: str, found: str) -> str:
    return f"to_json({column})::VARCHAR" if _NESTED.fullmatch(found) else f"{column}::VARCHAR"

"""The canonical text of a value (``headwater.domain.canonical_text``), written by DuckDB in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headwater.adapters.duckdb.sql import literal, quoted
from headwater.domain.canonical_text import NULL, is_textual
from headwater.ports.reconciling import ComparedColumn, Comparison

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_FAMILIES = {
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "FLOAT": "float",
    "DOUBLE": "float",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "VARCHAR": "string",
    "UUID": "string",
    "BLOB": "binary",
}


def family_of(duckdb_type: str) -> str:
    """The family of a DuckDB type, as ``canonical_text.family`` says it; a type without one is its own."""
    found = _DECIMAL.fullmatch(duckdb_type)
    return f"decimal:{found[2]}" if found else _FAMILIES.get(duckdb_type, duckdb_type)


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows to print.

    :param select: a SELECT that gives them.
    :param types: DuckDB types of its columns by name.
    """

    select: str
    types: Mapping[str, str]

    def where(self, condition: str) -> Relation:
        """Those of the rows, called ``b``, for which the condition holds."""
        return Relation(f"SELECT * FROM ({self.select}) b WHERE {condition}", self.types)  # noqa: S608 - made of quoted names and literals

    def texts(self, columns: Sequence[ComparedColumn]) -> str:
        """The canonical texts of the columns, as a list to select."""
        return ", ".join(self._text(column) for column in columns)

    def digest(self, columns: Sequence[ComparedColumn]) -> str:
        """md5 over the columns' texts, in hexadecimal."""
        return f"md5({' || '.join(self._piece(column) for column in columns)})"

    def bucket(self, compared: Comparison) -> str:
        """The bucket of a row."""
        return f"(('0x' || {self.digest(compared.key)}[1:8])::UINTEGER >> {32 - compared.bits})"

    def ordinal(self, cursor: ComparedColumn | None) -> str:
        """The cursor as ``PrintedRow.cursor``."""
        if cursor is None:
            return "NULL::BIGINT"
        name = f"b.{quoted(cursor.lake)}"
        if cursor.type == "binary":
            # a version that the source counts up, its highest byte first
            return f"('0x' || hex({name}))::BIGINT"
        return f"epoch_us({name})" if cursor.type in {"date", "timestamp", "timestamptz"} else f"{name}::BIGINT"

    def _piece(self, column: ComparedColumn) -> str:
        text = self._text(column)
        if is_textual(column.type):
            return f"coalesce(length({text}) || ':' || {text}, {literal(NULL)})"
        return f"coalesce({text}, {literal(NULL)}) || '|'"

    def _text(self, column: ComparedColumn) -> str:
        name, kind = f"b.{quoted(column.lake)}", self.types[column.lake]
        number = _DECIMAL.fullmatch(kind)
        if number and number[1] == number[2]:
            # DuckDB writes no zero before the point of a decimal that has none
            return rf"regexp_replace({name}::VARCHAR, '^(-?)\.', '\10.')"
        texts = {
            "float": f"({name}::DOUBLE + 0)::BIT::BIGINT::VARCHAR",
            "timestamptz": f"make_timestamp(epoch_us({name}))::VARCHAR || '+00'",
            "binary": f"lower(hex({name}))",
        }
        return texts.get(family_of(kind), f"{name}::VARCHAR")

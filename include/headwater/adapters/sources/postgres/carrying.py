"""How each PostgreSQL type is carried: its Iceberg type, the expression read, and which values cannot be carried.

Exactness comes first. A ``numeric`` without precision, or beyond 38 digits, has no Iceberg decimal and travels as
text; so do ``time``, ``interval``, ``uuid``, enums, ranges and network types. Arrays and composites travel as JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import sql

from headwater.domain.schema import Column

_PLAIN = {
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "bytea": "binary",
    "text": "string",
    "json": "string",
    "jsonb": "string",
}
_NUMERIC = re.compile(r"numeric(?:\((\d+),(-?\d+)\))?")
_TIMESTAMP = re.compile(r"timestamp(?:\(\d\))? (with|without) time zone")
_UNSIGNED = ("oid", "xid", "cid")
_LARGEST_PRECISION = 38


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as the source has it. ``source_type`` is PostgreSQL's own name with its modifier."""

    name: str
    source_type: str
    nested: bool
    required: bool = False

    @property
    def type(self) -> str:
        """The Iceberg type."""
        if not self.nested and self.source_type in _PLAIN:
            return _PLAIN[self.source_type]
        if self.source_type in _UNSIGNED:
            return "long"
        if stamp := _TIMESTAMP.fullmatch(self.source_type):
            return "timestamptz" if stamp[1] == "with" else "timestamp"
        if (number := _NUMERIC.fullmatch(self.source_type)) and number[1]:
            precision, scale = int(number[1]), int(number[2])
            if 0 <= scale <= precision <= _LARGEST_PRECISION:
                return f"decimal({precision},{scale})"
        return "string"

    def column(self) -> Column:
        return Column(name=self.name, type=self.type, required=self.required, source_type=self.source_type)

    def expression(self) -> sql.Composable:
        """The value as it is read, in the source's SQL."""
        name: sql.Composable = sql.Identifier("t", self.name)
        if self.nested:
            return sql.SQL("to_json({})::text").format(name)
        if self.source_type in _UNSIGNED:
            return sql.SQL("{}::text::bigint").format(name)
        if self.source_type == "money":
            return sql.SQL("{}::numeric::text").format(name)
        return sql.SQL("{}::text").format(name) if self.type == "string" else name

    def arrives_unfit(self, name: str) -> str | None:
        """DuckDB's condition, never NULL, for an ``uncarriable`` value that arrived as ``name``.

        None where all fit, and for decimals, whose NaN arrives as 0: see ``arrives_suspect``.
        """
        if self.type in ("date", "timestamp", "timestamptz"):
            return f"coalesce(NOT ({name} >= '0001-01-01' AND {name} < '10000-01-01'), false)"
        if self.type in ("float", "double"):
            return f"coalesce(NOT isfinite({name}), false)"
        if self.type == "string" and _NUMERIC.fullmatch(self.source_type):
            return f"coalesce({name} IN ('NaN', 'Infinity', '-Infinity'), false)"
        return None

    def arrives_suspect(self, name: str) -> str | None:
        """DuckDB's condition for a value that arrived as ``name`` and of which only the source can tell if it fits."""
        return f"{name} = 0" if self.type.startswith("decimal") else None

    def uncarriable(self) -> sql.Composable | None:
        """A condition, never NULL, that is true for values Iceberg or the reader would change; None if all fit.

        The reader turns a numeric NaN into 0 and an infinite time stamp into 9999-12-31 without a word, so these
        rows are told apart at the source.
        """
        name = sql.Identifier("t", self.name)
        if self.type in ("float", "double") or _NUMERIC.fullmatch(self.source_type):
            values = sql.SQL("'NaN'") if self.type.startswith("decimal") else sql.SQL("'NaN', 'Infinity', '-Infinity'")
            return sql.SQL("coalesce({} IN ({}), false)").format(name, values)
        if self.type in ("date", "timestamp", "timestamptz"):
            low, high = ("0001-01-01", "10000-01-01")
            zone = "+00" if self.type == "timestamptz" else ""
            bounds = sql.Literal(low + zone), sql.Literal(high + zone)
            return sql.SQL("coalesce({0} < {1} OR {0} >= {2}, false)").format(name, *bounds)
        return None

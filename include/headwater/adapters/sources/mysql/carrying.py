"""How each type of MySQL and MariaDB is carried: its Iceberg type, the expression read, and what it arrives as.

Exactness comes first. Dates, times and decimals travel as the server's own text: the reader would make NULL of a zero
date, and take the precision of an unsigned decimal for two digits less. ``time`` may be negative and beyond a day, so
it stays a text; ``bit`` is a number; what stands in no list (``uuid``, ``inet6`` …) is the text the server shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from headwater.adapters.sources import text_values
from headwater.adapters.sources.mysql import mysql_sql
from headwater.domain.schema import Column

_INTEGERS = {"tinyint": "int", "smallint": "int", "mediumint": "int", "int": "int", "bigint": "long", "year": "int"}
_UNSIGNED = {"int": "long", "bigint": "decimal(20,0)"}
_PLAIN = {"float": "float", "double": "double", "date": "date", "datetime": "timestamp", "timestamp": "timestamptz"}
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
_BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_SHAPES = (
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
    "geomcollection",
)  # fmt: skip
_LARGEST_PRECISION = 38
_CAST = {"date": "DATE", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMP"}
CALENDAR = tuple(_CAST)
"""Types whose texts may be no date: 0000-00-00, 2013-00-15, 2013-02-31."""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as the source has it.

    :param data_type: the bare name of its type. :param source_type: with length, sign and values.
    :param collation: of texts, else None.
    :param judged_as: the live table's Iceberg type, where it is another and each value is asked if it is one of it.
    """

    name: str
    data_type: str
    source_type: str
    required: bool = False
    collation: str | None = None
    judged_as: str | None = None

    @property
    def type(self) -> str:
        """The Iceberg type."""
        if self.data_type in _INTEGERS:
            unsigned = "unsigned" in self.source_type or "zerofill" in self.source_type
            return _UNSIGNED.get(self.data_type, "int") if unsigned else _INTEGERS[self.data_type]
        if self.data_type == "decimal":
            precision, scale = _numbers(self.source_type)
            return f"decimal({precision},{scale})" if precision <= _LARGEST_PRECISION else "string"
        if self.data_type == "bit":
            [width] = _numbers(self.source_type)
            return "boolean" if width == 1 else "long" if width < 64 else "decimal(20,0)"
        if self.data_type in (*_BYTES, *_SHAPES):
            return "binary"
        return _PLAIN.get(self.data_type, "string")

    @property
    def ignores_case(self) -> bool:
        """Whether the source takes texts for equal that are not (``_ci``), so that a key may change without moving."""
        return self.collation is not None and not self.collation.endswith(("_bin", "_cs"))

    @property
    def is_text(self) -> bool:
        """Whether its values have a character set."""
        return self.data_type in _TEXTS

    def as_text(self) -> str:
        """The value as a text, in whatever character set it has."""
        name = mysql_sql.column(self.name)
        return name if self.is_text else f"CAST({name} AS CHAR)"

    @property
    def is_exact_number(self) -> bool:
        """Whether its values are whole numbers or decimals, of any length."""
        return self.data_type in (*_INTEGERS, "decimal", "bit")

    def column(self) -> Column:
        return Column(name=self.name, type=self.type, required=self.required, source_type=self.source_type)

    def expression(self) -> str:
        """The value as it is read, in the source's SQL."""
        if self.judged_as is not None:
            return f"CAST({self._shown()} AS CHAR)"
        name = mysql_sql.column(self.name)
        if self.data_type == "bit":
            return self._shown()
        if self.data_type in _SHAPES:
            return f"HEX({name})"
        # the reader takes a text that is compared by its bytes for bytes
        text_as_it_is = self.is_text and not (self.collation or "").endswith("bin")
        if text_as_it_is or self.data_type in (*_INTEGERS, "float", "double", *_BYTES):
            return name
        return f"CAST({name} AS CHAR)"

    def _shown(self) -> str:
        """What the source makes a text of that says all there is of the value."""
        name = mysql_sql.column(self.name)
        return f"{name} + 0" if self.data_type == "bit" else f"{name} + 0e0" if self.data_type == "float" else name

    def value(self, arrived: str) -> str:
        """DuckDB's SQL of the value of a row that is fit."""
        if self.judged_as is not None:
            return text_values.typed(arrived, self.judged_as)
        if self.type in CALENDAR:
            # the session's time zone is UTC, on both sides
            return f"{moment(arrived)}::TIMESTAMPTZ" if self.type == "timestamptz" else moment(arrived)
        return f"unhex({arrived})" if self.data_type in _SHAPES else arrived

    def value_or_null(self, arrived: str) -> str:
        """The same, and NULL for a text that is no value of the type."""
        untypable = self.is_untypable(arrived)
        return f"CASE WHEN NOT {untypable} THEN {self.value(arrived)} END" if untypable else self.value(arrived)

    def text(self, arrived: str) -> str:
        """DuckDB's SQL of the value as a text, for quarantine."""
        return f"hex({arrived})" if self.data_type in _BYTES and self.judged_as is None else f"{arrived}::VARCHAR"

    def is_untypable(self, arrived: str) -> str | None:
        """DuckDB's condition, never NULL, for a text that is no value of the type; None where all are."""
        if self.judged_as is not None:
            return None if self.judged_as == "string" else text_values.is_untypable(arrived, self.judged_as)
        if self.type not in CALENDAR:
            return None
        day = moment(arrived)
        outside = f"NOT ({day} >= '0001-01-01' AND {day} < '10000-01-01')"
        return f"({arrived} IS NOT NULL AND coalesce({outside}, true))"

    def parsed(self, arrived: str) -> str | None:
        """DuckDB's SQL of what is parsed once per row, to be judged and written; None where nothing is."""
        return f"TRY_CAST({arrived} AS {_CAST[self.type]}) AS {moment(arrived)}" if self.type in CALENDAR else None


def moment(arrived: str) -> str:
    """The name under which the text that arrived is there as a date or time; NULL where it is none."""
    return f"moment_{arrived}"


def _numbers(source_type: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", source_type.partition(")")[0]))

"""Iceberg types as text, both ways: ``long``, ``decimal(10,2)``, ``list<int>``, ``map<string, long>``,
``struct<a: int, b: list<string>>``.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from headwater.domain.errors import SchemaDriftError
from headwater.domain.schema import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType

PRIMITIVES = (
    "boolean", "int", "long", "float", "double", "date", "timestamp", "timestamptz", "string", "binary", "uuid",
)  # fmt: skip
_DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")
_NESTED = re.compile(r"(list|map|struct)<(.*)>", re.DOTALL)


def parse_type(text: str, next_id: Callable[[], int]) -> IcebergType:
    """The Iceberg type of that text; nested fields get placeholder ids, which the table replaces.

    :raises SchemaDriftError: for a type no table of ours may have (rule 30: no ``time``, no nanoseconds).
    """
    from pyiceberg.types import DecimalType, PrimitiveType

    text = text.strip()
    if text in PRIMITIVES:
        return PrimitiveType.model_validate(text)
    if match := _DECIMAL.fullmatch(text):
        return DecimalType(int(match[1]), int(match[2]))
    if match := _NESTED.fullmatch(text):
        return _nested(match[1], _split(match[2]), next_id)
    raise SchemaDriftError(
        "a column has a type no table can hold",
        got=text[:200],
        allowed=", ".join((*PRIMITIVES, "decimal(p,s)", "list<…>", "map<…, …>", "struct<name: …>")),
        remedy="declare another type for the column in the YAML (columns.<name>.type)",
    )


def _nested(kind: str, parts: list[str], next_id: Callable[[], int]) -> IcebergType:
    from pyiceberg.types import ListType, MapType, NestedField, StructType

    if kind == "list" and len(parts) == 1:
        return ListType(element_id=next_id(), element_type=parse_type(parts[0], next_id), element_required=False)
    if kind == "map" and len(parts) == 2:
        key, value = (parse_type(part, next_id) for part in parts)
        return MapType(key_id=next_id(), key_type=key, value_id=next_id(), value_type=value, value_required=False)
    fields = [part.partition(":") for part in parts]
    if kind == "struct" and all(colon for _, colon, _ in fields):
        return StructType(
            *(NestedField(next_id(), name.strip(), parse_type(type_, next_id), False) for name, _, type_ in fields)
        )
    raise SchemaDriftError(
        "a nested type is written wrongly",
        got=f"{kind}<{', '.join(parts)}>"[:200],
        allowed="list<type>, map<key type, value type>, struct<name: type, …>",
        remedy="declare another type for the column in the YAML (columns.<name>.type)",
    )


def _split(text: str) -> list[str]:
    """Split at commas outside brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def format_type(type_: IcebergType) -> str:
    """The text ``parse_type`` reads back."""
    from pyiceberg.types import DecimalType, ListType, MapType, StructType

    if isinstance(type_, DecimalType):
        return f"decimal({type_.precision},{type_.scale})"
    if isinstance(type_, ListType):
        return f"list<{format_type(type_.element_type)}>"
    if isinstance(type_, MapType):
        return f"map<{format_type(type_.key_type)}, {format_type(type_.value_type)}>"
    if isinstance(type_, StructType):
        return "struct<" + ", ".join(f"{field.name}: {format_type(field.field_type)}" for field in type_.fields) + ">"
    return str(type_)


def iceberg_schema(schema: TableSchema) -> Schema:
    """Every column nullable: a contract judges NULLs, a file that cannot be written judges nothing."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    ids = count(1)
    fields = [(next(ids), column) for column in schema.columns]
    return Schema(
        *(
            NestedField(id_, column.name, parse_type(column.type, lambda: next(ids)), False, column.doc)
            for id_, column in fields
        )
    )


def table_schema(schema: Schema) -> TableSchema:
    """A live Iceberg schema as the domain has it, with field ids."""
    return TableSchema(
        columns=tuple(
            Column(
                name=field.name,
                type=format_type(field.field_type),
                required=field.required,
                field_id=field.field_id,
                doc=field.doc,
            )
            for field in schema.fields
        )
    )

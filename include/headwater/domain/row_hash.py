"""The row hash of rule 36: the same digest in Python and in Spark, so that equal content is recognised anywhere.

sha256 over ``hw1`` and, for every field that is not NULL, in order of names: name, logical type family and canonical
value, each with its length in bytes before it. Leaving NULL out means that a new nullable column changes no hash;
families (``int`` for int and long, ``float`` for float and double) mean that widening changes none either.
A field is known by its name: renaming is a rebuild into a new table (rule 14), so names are as lasting as ids (ADR 8).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

HASH_VERSION = "hw1"
_FAMILIES = {
    **dict.fromkeys(("tinyint", "smallint", "int", "integer", "bigint", "long"), "int"),
    **dict.fromkeys(("float", "double"), "float"),
    **dict.fromkeys(("timestamp", "timestamptz"), "timestamptz"),
    **dict.fromkeys(("string", "uuid"), "string"),
    "timestamp_ntz": "timestamp",
    "boolean": "boolean",
    "date": "date",
    "binary": "binary",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def type_family(spark_type: str) -> str:
    """The logical family of a Spark type; structs, arrays, maps and variants are ``nested``."""
    return "decimal" if spark_type.startswith("decimal") else _FAMILIES.get(spark_type, "nested")


def piece_prefix(name: str, family: str) -> str:
    """What stands before a field's value: name and family, each with its length in bytes."""
    return f"{len(name.encode())}:{name}{len(family)}:{family}"


def row_hash(row: Mapping[str, object], types: Mapping[str, str]) -> str:
    """Hex digest of a row.

    :param types: column -> Spark type, for every column of the row; nested types are Spark's business only.
    :raises ValueError: for a nested type.
    """
    text = HASH_VERSION
    for name in sorted(row):
        value = row[name]
        if value is not None:
            family = type_family(types[name])
            canonical = canonical_value(value, family)
            text += f"{piece_prefix(name, family)}{len(canonical.encode())}:{canonical}"
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_value(value: object, family: str) -> str:
    """The one text of a value within its family. :raises ValueError: when the value is not of the family."""
    kinds, text = _CANONICAL.get(family, ((), str))
    if not isinstance(value, kinds) or (isinstance(value, bool) and family != "boolean"):
        raise ValueError(f"a {type(value).__name__} has no canonical text as {family}")
    return text(value)


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0x0.0p0"
    mantissa, exponent = value.hex().split("p")
    whole, _, digits = mantissa.partition(".")
    return f"{whole}.{digits.rstrip('0') or '0'}p{int(exponent)}"


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if value == 0 else text


def _micros_text(value: datetime) -> str:
    instant = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    delta = instant - _EPOCH
    return str((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)


_CANONICAL: dict[str, tuple[tuple[type, ...], Callable[[Any], str]]] = {
    "boolean": ((bool,), lambda value: "true" if value else "false"),
    "int": ((int,), str),
    "float": ((float, int), lambda value: _float_text(float(value))),
    "decimal": ((Decimal,), _decimal_text),
    "timestamp": ((datetime,), _micros_text),
    "timestamptz": ((datetime,), _micros_text),
    "date": ((date,), lambda value: str((value - _EPOCH.date()).days)),
    "string": ((str,), str),
    "binary": ((bytes,), bytes.hex),
}

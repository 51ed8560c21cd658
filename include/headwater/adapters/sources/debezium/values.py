"""Values of events as values of Iceberg types. What a type cannot hold is an error, never another value."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from headwater.adapters.sources.debezium.column_types import DECIMAL
from headwater.adapters.sources.debezium.envelope import Field
from headwater.adapters.sources.debezium.events import UnreadableEventError

PLACEHOLDER = "__debezium_unavailable_value"
_BINARY_PLACEHOLDER = base64.b64encode(PLACEHOLDER.encode()).decode()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {"Timestamp": 1000, "Time": 1000, "NanoTimestamp": 1 / 1000, "NanoTime": 1 / 1000}
_TIMES = ("Time", "MicroTime", "NanoTime")


def is_unavailable(value: object, kind: str) -> bool:
    """Whether the value is Debezium's word for "unchanged and not sent" (TOAST); binary columns have it in base64."""
    if isinstance(value, list):
        return value == [PLACEHOLDER]
    return value == (_BINARY_PLACEHOLDER if kind == "binary" else PLACEHOLDER)


def value_of(value: object, kind: str, name: str, field: Field | None) -> object:
    """The value of a column.

    :param kind: the column's Iceberg type in bronze.
    :param field: the event's own description; without one the value has the connector's default form.
    :raises UnreadableEventError: when the type cannot hold the value.
    """
    if value is None:
        return None
    try:
        return _convert(value, kind, field)
    except (ValueError, TypeError, OverflowError, InvalidOperation, binascii.Error) as error:
        shown = str(value)[:80]
        raise UnreadableEventError(f"type of {name}", f"column {name}: {shown!r} is no {kind}: {error}") from error


def _convert(value: Any, kind: str, field: Field | None) -> object:
    family = "decimal" if kind.startswith("decimal") else kind
    semantic = field.semantic if field else ""
    if family == "decimal":
        return _decimal(value, kind, field)
    if family == "string":
        return _text(value, field)
    if family == "timestamp":
        return _instant(value, semantic).replace(tzinfo=None)
    return _CONVERSIONS[family](value)


def _decimal(value: Any, kind: str, field: Field | None) -> Decimal:
    number = _scaled(value, field) if field and field.semantic == DECIMAL else Decimal(str(value))
    precision, scale = (int(part) for part in kind[8:-1].split(","))
    if not number.is_finite():
        raise ValueError("not a finite number")
    exact = number.quantize(Decimal(1).scaleb(-scale))
    if exact != number or len(exact.as_tuple().digits) > precision:
        raise ValueError("more digits than the type has")
    return exact


def _scaled(value: str, field: Field) -> Decimal:
    unscaled = int.from_bytes(base64.b64decode(value, validate=True), "big", signed=True)
    return Decimal(unscaled).scaleb(-int((field.parameters or {}).get("scale", 0)))


def _text(value: Any, field: Field | None) -> str:
    """Text as it is; what has no type of its own in its usual spelling, nested values as JSON."""
    semantic = field.semantic.rpartition(".")[2] if field else ""
    if semantic == "VariableScaleDecimal":
        unscaled = int.from_bytes(base64.b64decode(value["value"], validate=True), "big", signed=True)
        return format(Decimal(unscaled).scaleb(-value["scale"]), "f")
    if field and field.semantic == DECIMAL:
        return format(_scaled(value, field), "f")
    if semantic in _TIMES:
        micros = int(value * _MICROSECONDS.get(semantic, 1))
        return (datetime.combine(date.min, time()) + timedelta(microseconds=micros)).time().isoformat()
    if semantic == "Date":
        return _day(value).isoformat()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _instant(value: Any, semantic: str) -> datetime:
    if isinstance(value, str):
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    unit = _MICROSECONDS.get(semantic.rpartition(".")[2], 1)
    if unit < 1 and value % 1000:
        raise ValueError("nanoseconds")
    return _EPOCH + timedelta(microseconds=int(value * unit) if unit >= 1 else value // 1000)


def _day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else _EPOCH.date() + timedelta(days=value)


def _whole(value: Any, bits: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a whole number")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise ValueError(f"more than {bits} bits")
    return value


def _floating(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("not a number")
    number = float(value)
    if isinstance(value, int) and math.isfinite(number) and int(number) != value:
        raise ValueError("not exact")
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


_CONVERSIONS: dict[str, Callable[[Any], object]] = {
    "boolean": _flag,
    "int": lambda value: _whole(value, 32),
    "long": lambda value: _whole(value, 64),
    "float": _floating,
    "double": _floating,
    "date": _day,
    "timestamptz": lambda value: _instant(value, ""),
    "binary": lambda value: base64.b64decode(value, validate=True),
    "uuid": str,
}

"""Which Iceberg type a column of an event has: by its schema, or by its value where the stream has no schemas."""

from __future__ import annotations

from headwater.adapters.sources.debezium.envelope import Field

_PLAIN = {
    "int8": "int",
    "int16": "int",
    "int32": "int",
    "int64": "long",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "bytes": "binary",
}
_SEMANTIC = {
    "io.debezium.time.Date": "date",
    "org.apache.kafka.connect.data.Date": "date",
    "io.debezium.time.Timestamp": "timestamp",
    "io.debezium.time.MicroTimestamp": "timestamp",
    "io.debezium.time.NanoTimestamp": "timestamp",
    "org.apache.kafka.connect.data.Timestamp": "timestamp",
    "io.debezium.time.ZonedTimestamp": "timestamptz",
    "io.debezium.time.Time": "string",
    "io.debezium.time.MicroTime": "string",
    "io.debezium.time.NanoTime": "string",
    "org.apache.kafka.connect.data.Time": "string",
    "io.debezium.data.VariableScaleDecimal": "string",
}
DECIMAL = "org.apache.kafka.connect.data.Decimal"
_LARGEST_PRECISION = 38


def type_of_field(field: Field) -> str:
    """The type of a column with a schema; nested ones travel as JSON text, times of day as text (rule 30)."""
    if field.semantic == DECIMAL:
        parameters = field.parameters or {}
        precision, scale = int(parameters.get("connect.decimal.precision", 0)), int(parameters.get("scale", 0))
        return (
            f"decimal({precision},{scale})" if 0 <= scale <= precision <= _LARGEST_PRECISION and precision else "string"
        )
    return _SEMANTIC.get(field.semantic) or _PLAIN.get(field.type, "string")


def type_of_value(value: object) -> str:
    """The type of a column without a schema that nobody declared; text where the value does not tell."""
    kinds: dict[type, str] = {bool: "boolean", int: "long", float: "double"}
    return kinds.get(type(value), "string")

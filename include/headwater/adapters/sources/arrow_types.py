"""Arrow's types for those of Iceberg that texts are typed to in Arrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")


def arrow_type(iceberg: str) -> pa.DataType | None:
    """None for the types that are left to DuckDB."""
    import pyarrow as pa

    decimal = _DECIMAL.fullmatch(iceberg)
    if decimal is not None:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    known = {
        "boolean": pa.bool_(),
        "int": pa.int32(),
        "long": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", "UTC"),
        "string": pa.string(),
    }
    return known.get(iceberg)

"""Names and values as Spark SQL text."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TYPES = {"long": "bigint", "timestamptz": "timestamp", "timestamp": "timestamp_ntz", "list": "array", "uuid": "string"}
_WORD = re.compile(r"[a-z]+")


def quoted(name: str) -> str:
    """A name in backticks, whatever it holds."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str | None) -> str:
    """A string literal, or NULL."""
    if text is None:
        return "NULL"
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def spark_type(iceberg_type: str) -> str:
    """Spark's word for an Iceberg type, nested types included."""
    return _WORD.sub(lambda word: _TYPES.get(word[0], word[0]), iceberg_type.strip())


def listed(names: Iterable[object], prefix: str = "") -> str:
    """Quoted names with commas between them."""
    return ", ".join(prefix + quoted(str(name)) for name in names)

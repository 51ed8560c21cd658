"""Types that SQL casts to: the parser knows those of every dialect, Spark its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_SPARK = frozenset(
    {
        *("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "TEXT", "VARCHAR", "CHAR"),
        *("BINARY", "VARBINARY", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "TIMESTAMPLTZ"),
        *("INTERVAL", "ARRAY", "MAP", "STRUCT", "VARIANT"),
    }
)
_LARGEST_PRECISION = 38


def cast_fault(tree: exp.Expr) -> str | None:
    """Why a cast in ``tree`` cannot be made by Spark; None when each may be."""
    from sqlglot import exp

    for cast in tree.find_all(exp.Cast):
        for kind in cast.to.find_all(exp.DataType):
            name = kind.this.value if isinstance(kind.this, exp.DType) else ""
            if name and name not in _SPARK:
                return f"Spark has no type {name.lower()}"
            if name == "DECIMAL" and not _is_decimal([part.name for part in kind.expressions]):
                return (
                    f"{kind.sql('spark').lower()} is no decimal: up to {_LARGEST_PRECISION} digits, of them the scale"
                )
    return None


def _is_decimal(parts: list[str]) -> bool:
    if not all(part.isdigit() for part in parts):
        return False
    precision, scale = (*map(int, parts), *(10, 0)[len(parts) :])
    return 1 <= precision <= _LARGEST_PRECISION and scale <= precision

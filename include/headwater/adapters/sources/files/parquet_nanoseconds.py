"""Parquet's times of nanoseconds that DuckDB reads as microseconds: whether that would cut anything off (rule 30)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1 << 16
_LAST_MICROSECOND = (2**63 - 1) // 1000 - 1
"""The last one since 1970 that a number of nanoseconds reaches: Arrow's are of no use beyond it."""


def column_that_would_be_cut(local: Path, types: Mapping[str, str]) -> str | None:
    """The first of these columns that holds a time DuckDB would cut, None where all are whole microseconds.

    DuckDB keeps the nanoseconds of times without a zone alone. It cuts those of time stamps in UTC, of INT96, and of
    times of a day.

    :param types: what DuckDB reads each column as.
    """
    import pyarrow.parquet as pq

    with (
        pq.ParquetFile(local) as opened,
        pq.ParquetFile(local, coerce_int96_timestamp_unit="us") as coerced,
    ):
        for field in opened.schema_arrow:
            if _times(field.type) > types.get(field.name, "TIMESTAMP_NS" * _times(field.type)).count("TIMESTAMP_NS"):
                batches = (file.iter_batches(_BATCH_ROWS, columns=[field.name]) for file in (opened, coerced))
                for exact, checked in zip(*batches, strict=True):
                    leaves = zip(_leaves(exact.column(0)), _leaves(checked.column(0)), strict=True)
                    if any(_has_rest(*pair) for pair in leaves):
                        return str(field.name)
    return None


def _times(kind: pa.DataType) -> int:
    """How many leaves of a type count nanoseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind):
        return int(kind.unit == "ns")
    return sum(_times(kind.field(place).type) for place in range(kind.num_fields))


def _leaves(values: pa.Array) -> Iterator[pa.Array]:
    import pyarrow as pa

    if pa.types.is_timestamp(values.type) or pa.types.is_time64(values.type):
        yield values
    elif pa.types.is_map(values.type):
        yield from _leaves(values.keys)
        yield from _leaves(values.items)
    elif pa.types.is_struct(values.type):
        for inner in values.flatten():
            yield from _leaves(inner)
    elif values.type.num_fields:
        yield from _leaves(values.flatten())


def _has_rest(exact: pa.Array, checked: pa.Array) -> bool:
    """:param checked: the same values, of INT96 in microseconds, which reach farther than nanoseconds do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if exact.type.unit != "ns":
        return False
    number = exact.view(pa.int64())
    if checked.type.unit == "us":
        micros = checked.view(pa.int64())
        number = number.filter(pc.less_equal(pc.abs(micros), _LAST_MICROSECOND))
    whole = pc.multiply(pc.divide(number, 1000), 1000)
    return bool(pc.any(pc.not_equal(number, whole)).as_py())

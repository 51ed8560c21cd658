"""``mask: hash`` as Spark SQL; ``headwater.domain.masking`` is the same in Python."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType

from headwater.domain.errors import SpecError
from headwater.domain.masking import MaskingKey
from headwater.domain.row_hash import type_family
from headwater.domain.spec import TableSpec
from headwater_spark.tables.sql_text import literal
from headwater_spark.transforms.row_hash import canonical

_INNER, _OUTER = "_hw_mask_inner", "_hw_mask_outer"


def with_masking_key(spec: TableSpec, rows: DataFrame, key: MaskingKey | None) -> DataFrame:
    """The rows, with the key beside each when a column is to be masked. As data: SQL text ends up in logs and errors.

    :raises SpecError: when a column is to be masked and no key is at hand.
    """
    masked = [name for name, rule in spec.columns.items() if rule.mask is not None]
    if not masked:
        return rows
    if key is None:
        raise SpecError(
            f"column {masked[0]} of {spec.name} is to be masked, and no masking key is configured",
            allowed="a connection with the key as its password (profile: masking_connection)",
            remedy="Create the connection, or remove `mask` from the column.",
            facts={"table": spec.name, "column": masked[0]},
        )
    schema = f"{_INNER} binary, {_OUTER} binary"
    return rows.crossJoin(rows.sparkSession.createDataFrame([tuple(key.pads)], schema=schema))


def masked(value: str, kind: DataType, key: MaskingKey) -> str:
    """SQL of the masked value of an expression of that type; NULL stays NULL."""
    text = f"CAST({canonical(value, type_family(kind.simpleString()))} AS BINARY)"
    inner = f"unhex(sha2(concat({_INNER}, {text}), 256))"
    return f"concat({literal(key.version + ':')}, sha2(concat({_OUTER}, {inner}), 256))"

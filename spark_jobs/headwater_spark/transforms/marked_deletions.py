"""``extract.deleted_column``: a row of an incremental extract that its source marks as gone is a deletion (rule 31)."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, DataType, DecimalType, IntegralType

from headwater.domain.errors import SchemaDriftError
from headwater.domain.spec import SqlExtract, TableSpec
from headwater_spark.tables.sql_text import quoted
from headwater_spark.transforms.columns import UNREADABLE


def deleted_column(spec: TableSpec) -> str | None:
    """The column of bronze that marks deleted rows."""
    return spec.extract.deleted_column if isinstance(spec.extract, SqlExtract) else None


def with_marked_deletions(spec: TableSpec, bronze: DataFrame) -> DataFrame:
    """Bronze rows, those that are marked with the ``_hw_op`` of a deletion; NULL marks nothing.

    :raises SchemaDriftError: when bronze lacks the column, or it can be neither true nor false.
    """
    name = deleted_column(spec)
    if name is None:
        return bronze
    if name not in bronze.columns:
        raise _unusable(spec, name, "no such column")
    kind = bronze.schema[name].dataType
    if not _is_flag(kind):
        raise _unusable(spec, name, kind.simpleString())
    marked = f"IF(coalesce(CAST({quoted(name)} AS BOOLEAN), false), 'd', _hw_op) AS _hw_op"
    return bronze.selectExpr(*(marked if column == "_hw_op" else quoted(column) for column in bronze.columns))


def with_readable_deletions(spec: TableSpec, shaped: DataFrame) -> DataFrame:
    """A row that is gone is not set aside for a value that no reader will see; its key is judged all the same."""
    if deleted_column(spec) is None:
        return shaped
    names = f"IF(_hw_op = 'd', CAST(array() AS array<string>), {UNREADABLE}) AS {UNREADABLE}"
    return shaped.selectExpr(f"* EXCEPT ({UNREADABLE})", names)


def _is_flag(kind: DataType) -> bool:
    whole = isinstance(kind, DecimalType) and kind.scale == 0  # as some databases write 0 and 1
    return whole or isinstance(kind, BooleanType | IntegralType)


def _unusable(spec: TableSpec, name: str, got: str) -> SchemaDriftError:
    return SchemaDriftError(
        f"column {name} of {spec.name} is to mark deleted rows and cannot",
        got=got,
        allowed="a boolean column, or one of whole numbers, 0 for a row that is there",
        remedy=f"Correct `extract: {{deleted_column: {name}}}` in the YAML, or restore the column at the source.",
        facts={"table": spec.name, "column": name},
    )

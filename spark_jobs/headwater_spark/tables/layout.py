"""A table's declared layout in Spark's words: partitions, order, properties."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import SparkSession

from headwater.domain.errors import TransformError
from headwater.domain.names import TableName
from headwater.domain.table_layout import LAYOUT_PROPERTY, PartitionField, SortField, TableLayout
from headwater_spark.tables.sql_text import literal, quoted


def partition_clause(layout: TableLayout) -> str:
    """``PARTITIONED BY (…)``, or nothing."""
    fields = ", ".join(_partition(field) for field in layout.partitions)
    return f"PARTITIONED BY ({fields})" if fields else ""


def layout_properties(layout: TableLayout) -> dict[str, str]:
    """The declared properties, and what was declared, so that a later change is noticed."""
    return {**layout.properties, LAYOUT_PROPERTY: layout.model_dump_json()}


def order_files(spark: SparkSession, table: TableName, layout: TableLayout) -> None:
    """Have later writes sort their files as declared."""
    order = ", ".join(_sort(field) for field in layout.sorts)
    spark.sql(f"ALTER TABLE {table.iceberg} WRITE {f'ORDERED BY {order}' if order else 'UNORDERED'}").collect()


def change_layout(spark: SparkSession, table: TableName, old: TableLayout, new: TableLayout) -> None:
    """Have later writes follow another layout. Files there are stay readable as they are; readers notice nothing."""
    for field in old.partitions:
        if field not in new.partitions:
            spark.sql(f"ALTER TABLE {table.iceberg} DROP PARTITION FIELD {_partition(field)}").collect()
    for field in new.partitions:
        if field not in old.partitions:
            spark.sql(f"ALTER TABLE {table.iceberg} ADD PARTITION FIELD {_partition(field)}").collect()
    if old.sorts != new.sorts:
        order_files(spark, table, new)
    gone = ", ".join(literal(name) for name in old.properties if name not in new.properties)
    if gone:
        spark.sql(f"ALTER TABLE {table.iceberg} UNSET TBLPROPERTIES ({gone})").collect()
    pairs = ", ".join(f"{literal(name)} = {literal(value)}" for name, value in layout_properties(new).items())
    spark.sql(f"ALTER TABLE {table.iceberg} SET TBLPROPERTIES ({pairs})").collect()


def check_columns(table: TableName, layout: TableLayout, columns: Iterable[str]) -> None:
    """:raises TransformError: when the layout names a column that the table does not get."""
    known = list(columns)
    for key, fields in (("partition_by", layout.partitions), ("sort_by", layout.sorts)):
        for field in fields:
            if field.column.lower() not in {name.lower() for name in known}:
                raise TransformError(
                    f"{key} of {table} names the column {field.column}, which the table does not have",
                    got=field.column,
                    allowed=", ".join(name for name in known if not name.startswith("_hw_")),
                    remedy=f"Correct {key} in the YAML; no table was created.",
                    facts={"table": table.dotted, "column": field.column},
                )


def _partition(field: PartitionField) -> str:
    name = quoted(field.column)
    if field.transform is None:
        return name
    return f"{field.transform}({field.size}, {name})" if field.size is not None else f"{field.transform}s({name})"


def _sort(field: SortField) -> str:
    way, nulls = "DESC" if field.descending else "ASC", "FIRST" if field.nulls_first else "LAST"
    return f"{quoted(field.column)} {way} NULLS {nulls}"

"""Before an attempt writes: its table is there and fits, and its branch is cut (rules 10, 13, 14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from headwater.domain.errors import StaleBaseError
from headwater.domain.names import CATALOG, TableName
from headwater.domain.staging import branch_of
from headwater.domain.table_layout import TableLayout
from headwater_spark.tables.evolving import evolve_columns
from headwater_spark.tables.layout import (
    change_layout,
    check_columns,
    layout_properties,
    order_files,
    partition_clause,
)
from headwater_spark.tables.snapshots import held_by, snapshot_of
from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.tables.staging import Staging, append_nothing

_PROPERTIES = {
    "format-version": "2",
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "commit.retry.num-retries": "20",
    "write.parquet.compression-codec": "zstd",
}
_PLAIN = TableLayout()


def prepare(
    spark: SparkSession,
    table: TableName,
    columns: Mapping[str, str],
    base: int | None,
    attempt: str,
    *,
    pin: bool = True,
    layout: TableLayout = _PLAIN,
    relayout_from: TableLayout | None = None,
) -> Staging:
    """Make the table fit ``columns`` (name -> Spark type) and cut the attempt's branch at ``base``.

    :param base: ``main`` as planned; None while the table had none.
    :param layout: given to the table when it is created here.
    :param relayout_from: the layout it was created with, where all of it is written anew by another one now.
    :param pin: False takes ``main`` as it is now (the quarantine, which no plan knows).
    :raises StaleBaseError: when the plan knew no ``main`` and there is one with rows now.
    :raises SchemaDriftError: when the columns do not fit (rule 14).
    """
    onto = _main(spark, table, columns, layout) if base is None else base
    rows, files = held_by(spark, table, onto)
    if base is None and pin and rows > 0:
        raise _unplanned_rows(table, onto)
    evolve_columns(spark, table, columns)
    if relayout_from is not None:
        check_columns(table, layout, columns)
        change_layout(spark, table, relayout_from, layout)
    staging = Staging(spark, table, attempt, onto, base_rows=rows, base_files=files)
    spark.sql(f"ALTER TABLE {table.iceberg} CREATE BRANCH {staging.branch} AS OF VERSION {onto}")
    return staging


def prepare_apart(
    spark: SparkSession,
    table: TableName,
    columns: Mapping[str, str],
    base: int | None,
    attempt: str,
    layout: TableLayout,
) -> Staging:
    """A physical table of its own, to replace ``table`` at publish: its columns need not fit those that are there.

    :param base: ``main`` of ``table`` as planned.
    """
    staging = prepare(spark, table.at(branch_of(attempt)), columns, None, attempt, pin=False, layout=layout)
    return replace(staging, replaces=base)


def _main(spark: SparkSession, table: TableName, columns: Mapping[str, str], layout: TableLayout) -> int:
    """``main`` of a table that no plan knew: the table and an empty snapshot are made where they lack (rule 13)."""
    if not spark.catalog.tableExists(table.iceberg):
        _create(spark, table, columns, layout)
    main = snapshot_of(spark, table, "main")
    if main is None:
        append_nothing(spark, table.iceberg)
        main = snapshot_of(spark, table, "main")
    if main is None:
        raise ValueError(f"{table} has no snapshot after one was committed to it")
    return main


def _create(spark: SparkSession, table: TableName, columns: Mapping[str, str], layout: TableLayout) -> None:
    check_columns(table, layout, columns)
    ddl = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    given = {**_PROPERTIES, **layout_properties(layout)}
    properties = ", ".join(f"{literal(name)} = {literal(value)}" for name, value in given.items())
    _ensure_namespace(spark, f"{CATALOG}.{table.layer.value}")
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS {table.iceberg} ({ddl}) USING iceberg {partition_clause(layout)} "
        f"TBLPROPERTIES ({properties})"
    )
    if layout.sort_by:
        order_files(spark, table, layout)


def _ensure_namespace(spark: SparkSession, namespace: str) -> None:
    """The first tables of an empty lake arrive together; the JDBC catalog's IF NOT EXISTS fails for all but one."""
    try:
        spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {namespace}")
    except PySparkException:
        if not spark.catalog.databaseExists(namespace):
            raise


def _unplanned_rows(table: TableName, main: int) -> StaleBaseError:
    return StaleBaseError(
        f"{table} was published after this run was planned",
        got=f"main is {main}",
        remedy="Let the next run catch up.",
        facts={"table": table.dotted},
    )

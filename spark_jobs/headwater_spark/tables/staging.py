"""One table's staging: create or evolve the table, cut the attempt's branch, commit once, say what was staged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from headwater.domain.errors import StaleBaseError, TransformError
from headwater.domain.names import CATALOG, PhysicalName, TableName
from headwater.domain.staging import StagedTable, TableState, branch_of
from headwater.domain.table_layout import TableLayout
from headwater_spark.tables.evolving import evolve_columns
from headwater_spark.tables.layout import (
    change_layout,
    check_columns,
    layout_properties,
    order_files,
    partition_clause,
)
from headwater_spark.tables.snapshots import snapshot_of
from headwater_spark.tables.sql_text import literal, quoted

RUN_KEY = "headwater.run-key"
ATTEMPT = "headwater.attempt"
_PROPERTIES = {
    "format-version": "2",
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "commit.retry.num-retries": "20",
    "write.parquet.compression-codec": "zstd",
}
_PLAIN = TableLayout()


@dataclass(frozen=True, slots=True)
class Staging:
    """A table with its attempt's branch cut at ``base``. ``target`` is what writes and reads of the branch name."""

    spark: SparkSession
    table: TableName
    attempt: str
    base: int
    onto: int | None = None
    """A snapshot of this attempt that the one commit is made on; None means the base."""
    replaces: int | None = None
    """``main`` of the table that this physical table is to replace at publish (rule 14)."""

    @property
    def branch(self) -> str:
        return branch_of(self.attempt)

    @property
    def target(self) -> str:
        return f"{self.table.iceberg}.branch_{self.branch}"

    def onto_head(self) -> Staging:
        """The same staging, its one commit still to come, on top of what the branch has now."""
        head = snapshot_of(self.spark, self.table, self.branch)
        if head is None:
            raise ValueError(f"{self.table} has no branch {self.branch}, which this attempt cut itself")
        return replace(self, onto=head)

    def commit_nothing(self) -> None:
        """Commit a snapshot that changes no row, so that publish can move the table's state."""
        _append_nothing(self.spark, self.target)

    def staged(self, state: TableState, quarantined: int = 0) -> StagedTable:
        """What the one commit made.

        :raises TransformError: when the branch is not exactly one commit of this attempt ahead of its base.
        """
        head = self.spark.sql(
            f"SELECT r.snapshot_id, s.parent_id, s.summary['{ATTEMPT}'] AS attempt, "  # noqa: S608 - made of quoted names and literals
            f"CAST(s.summary['total-records'] AS BIGINT) "
            f"- CAST(s.summary['total-position-deletes'] AS BIGINT) AS n "
            f"FROM {self.table.iceberg}.refs r JOIN {self.table.iceberg}.snapshots s ON s.snapshot_id = r.snapshot_id "
            f"WHERE r.name = '{self.branch}'"
        ).collect()
        below = self.base if self.onto is None else self.onto
        if len(head) != 1 or head[0].parent_id != below or head[0].attempt != self.attempt:
            raise TransformError(
                f"the staging of {self.table} is not one commit of this attempt on its base",
                got=str([row.asDict() for row in head])[:300],
                allowed=f"one snapshot after {below} on branch {self.branch}",
                remedy="Run the stage again; a new attempt starts from the base.",
            )
        apart = self.table if isinstance(self.table, PhysicalName) else None
        return StagedTable(
            table=self.table if apart is None else apart.name,
            attempt=self.attempt,
            branch=self.branch,
            base=self.base if apart is None else self.replaces,
            physical=apart and apart.mark,
            staged=head[0].snapshot_id,
            state=state,
            rows=head[0].n,
            quarantined=quarantined,
        )


def mark_commits(spark: SparkSession, run_key: str, attempt: str) -> None:
    """Have every commit of this session carry the run key and the attempt."""
    for name, value in ((RUN_KEY, run_key), (ATTEMPT, attempt)):
        spark.conf.set(f"spark.sql.iceberg.snapshot-property.{name}", value)


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
    exists = spark.catalog.tableExists(table.iceberg)
    main = snapshot_of(spark, table, "main") if exists else _create(spark, table, columns, layout)
    if main is None:
        _append_nothing(spark, table.iceberg)
        main = snapshot_of(spark, table, "main")
    if base is None and pin:
        _refuse_unplanned_rows(spark, table, main)
    evolve_columns(spark, table, columns)
    if relayout_from is not None:
        check_columns(table, layout, columns)
        change_layout(spark, table, relayout_from, layout)
    staging = Staging(spark, table, attempt, main if base is None else base)  # type: ignore[arg-type]
    spark.sql(f"ALTER TABLE {table.iceberg} CREATE BRANCH {staging.branch} AS OF VERSION {staging.base}").collect()
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


def _create(spark: SparkSession, table: TableName, columns: Mapping[str, str], layout: TableLayout) -> int | None:
    check_columns(table, layout, columns)
    ddl = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    given = {**_PROPERTIES, **layout_properties(layout)}
    properties = ", ".join(f"{literal(name)} = {literal(value)}" for name, value in given.items())
    _ensure_namespace(spark, f"{CATALOG}.{table.layer.value}")
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS {table.iceberg} ({ddl}) USING iceberg {partition_clause(layout)} "
        f"TBLPROPERTIES ({properties})"
    ).collect()
    if layout.sort_by:
        order_files(spark, table, layout)
    return snapshot_of(spark, table, "main")


def _ensure_namespace(spark: SparkSession, namespace: str) -> None:
    """The first tables of an empty lake arrive together; the JDBC catalog's IF NOT EXISTS fails for all but one."""
    try:
        spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {namespace}").collect()
    except PySparkException:
        if not spark.catalog.databaseExists(namespace):
            raise


def _append_nothing(spark: SparkSession, target: str) -> None:
    spark.sql(f"INSERT INTO {target} SELECT * FROM {target} WHERE false").collect()  # noqa: S608 - names are checked


def _refuse_unplanned_rows(spark: SparkSession, table: TableName, main: int | None) -> None:
    rows = spark.sql(
        f"SELECT summary['total-records'] AS n FROM {table.iceberg}.snapshots WHERE snapshot_id = {main}"  # noqa: S608 - made of quoted names and literals
    ).collect()
    if rows and int(rows[0].n or 0) > 0:
        raise StaleBaseError(
            f"{table} was published after this run was planned",
            got=f"main is {main}",
            remedy="Let the next run catch up.",
            facts={"table": table.dotted},
        )

"""One table's staging: the attempt's branch, its one commit, and what was staged by it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyspark.sql import Row, SparkSession

from headwater.domain.errors import TransformError
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.staging import StagedTable, TableState, branch_of
from headwater_spark.tables.snapshots import snapshot_of
from headwater_spark.tables.views import query

RUN_KEY = "headwater.run-key"
ATTEMPT = "headwater.attempt"


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
    base_rows: int = 0
    """Rows of the base, deleted ones included."""
    base_files: int = 0
    """Data files of the base."""

    @property
    def branch(self) -> str:
        return branch_of(self.attempt)

    @property
    def target(self) -> str:
        return f"{self.table.iceberg}.branch_{self.branch}"

    @property
    def head(self) -> int:
        """The snapshot the one commit is made on."""
        return self.base if self.onto is None else self.onto

    def onto_head(self) -> Staging:
        """The same staging, its one commit still to come, on top of what the branch has now."""
        head = snapshot_of(self.spark, self.table, self.branch)
        if head is None:
            raise ValueError(f"{self.table} has no branch {self.branch}, which this attempt cut itself")
        return replace(self, onto=head)

    def commit_nothing(self) -> None:
        """Commit a snapshot that changes no row, so that publish can move the table's state."""
        append_nothing(self.spark, self.target)

    def staged(self, state: TableState, quarantined: int = 0) -> StagedTable:
        """What the one commit made.

        :raises TransformError: when the branch is not exactly one commit of this attempt ahead of its base.
        """
        found = self._commits()
        made = [row for row in found if row.parent_id == self.head and row.attempt == self.attempt]
        if len(made) != 1 or [row.snapshot_id for row in found if row.attempt is None] != [made[0].snapshot_id]:
            raise TransformError(
                f"the staging of {self.table} is not one commit of this attempt on its base",
                got=str([row.asDict() for row in found])[:300],
                allowed=f"one snapshot after {self.head} on branch {self.branch}",
                remedy="Run the stage again; a new attempt starts from the base.",
            )
        apart = self.table if isinstance(self.table, PhysicalName) else None
        return StagedTable(
            table=self.table if apart is None else apart.name,
            attempt=self.attempt,
            branch=self.branch,
            base=self.base if apart is None else self.replaces,
            physical=apart and apart.mark,
            staged=made[0].snapshot_id,
            state=state,
            rows=made[0].n,
            quarantined=quarantined,
        )

    def _commits(self) -> list[Row]:
        """Where the branch points (without an attempt), and every commit of this attempt: one scan each, no join."""
        name = self.table.iceberg
        return query(
            self.spark,
            f"SELECT snapshot_id, NULL AS parent_id, NULL AS attempt, NULL AS n FROM {name}.refs "  # noqa: S608 - made of quoted names and literals
            f"WHERE name = '{self.branch}' UNION ALL "
            f"SELECT snapshot_id, parent_id, summary['{ATTEMPT}'], CAST(summary['total-records'] AS BIGINT) "
            f"- CAST(summary['total-position-deletes'] AS BIGINT) FROM {name}.snapshots "
            f"WHERE summary['{ATTEMPT}'] = '{self.attempt}'",
        ).collect()


def mark_commits(spark: SparkSession, run_key: str, attempt: str) -> None:
    """Have every commit of this session carry the run key and the attempt."""
    for name, value in ((RUN_KEY, run_key), (ATTEMPT, attempt)):
        spark.conf.set(f"spark.sql.iceberg.snapshot-property.{name}", value)


def append_nothing(spark: SparkSession, target: str) -> None:
    """Commit a snapshot that changes no row."""
    spark.sql(f"INSERT INTO {target} SELECT * FROM {target} WHERE false")  # noqa: S608 - names are checked

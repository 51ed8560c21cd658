"""``merge`` and ``append`` of gold: as if made anew, by making only what changed inputs can have changed (rule 38)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from headwater.domain.increment import Follow, changed_table
from headwater.domain.job import BuildTable
from headwater.domain.run import InputRef
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.sql_text import listed, quoted
from headwater_spark.tables.views import as_view, settled
from headwater_spark.transforms.changed_rows import (
    ChangedRows,
    NotFollowedError,
    changed_rows,
    readable,
)
from headwater_spark.transforms.pinned_sql import pin_tables

FOUND = "hw_found"


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in which inputs; those that did not change are left out."""

    spark: SparkSession
    table: BuildTable
    follow: Follow
    rows: Mapping[str, ChangedRows]

    @classmethod
    def of(cls, spark: SparkSession, table: BuildTable, follow: Follow) -> Changes:
        """Find them. :raises NotFollowedError: when an input's snapshots cannot be compared."""
        rows = {
            dotted: changed_rows(spark, table.home(dotted), table.inputs[dotted], followed)
            for dotted, followed in follow.inputs.items()
            if followed.previous.snapshot_id != table.inputs[dotted].snapshot_id
        }
        return cls(spark, table, follow, rows)

    def groups(self) -> DataFrame | None:
        """The grain of every group whose content can differ; None when no input changed."""
        now = {dotted: self._view(dotted, ref) for dotted, ref in self.table.inputs.items()}
        then = {dotted: self._view(dotted, item.previous) for dotted, item in self.follow.inputs.items()}
        found: DataFrame | None = None
        for dotted, changed in self.rows.items():
            for rows, views in ((changed.gained, now), (changed.lost, then)):
                known = {**views, changed_table(dotted): as_view(rows, "changed")}
                for query in self.follow.queries[dotted]:
                    named = self.spark.sql(pin_tables(query, known))
                    found = named if found is None else found.unionByName(named)
        return None if found is None else settled(found.distinct())

    def _view(self, dotted: str, source: InputRef) -> str:
        return as_view(readable(rows_at(self.spark, self.table.home(dotted), source.snapshot_id)), "input")


def made_again(made: DataFrame, groups: DataFrame, grain: Sequence[str]) -> DataFrame:
    """The rows of these groups, of a table that would be made as ``made``."""
    joined = " AND ".join(f"m.{quoted(name)} <=> g.{quoted(name)}" for name in grain)
    return settled(
        made.sparkSession.sql(
            f"SELECT m.* FROM {as_view(made, 'made')} m LEFT SEMI JOIN {as_view(groups, 'groups')} g ON {joined}"  # noqa: S608 - made of quoted names and literals
        )
    )


def count_groups(target: str, rows: DataFrame, groups: DataFrame, grain: Sequence[str]) -> int:
    """How many groups there are to make again.

    :raises NotFollowedError: when rows share their grain, among those made or in the table: they cannot be merged;
        made anew, they reach the gate, which names them.
    """
    joined = " AND ".join(f"t.{quoted(name)} <=> g.{quoted(name)}" for name in grain)
    named = as_view(groups, "groups")
    surplus = "SELECT count(*) - count(DISTINCT struct({0})) FROM {1}"
    counted = rows.sparkSession.sql(
        f"SELECT (SELECT count(*) FROM {named}) AS n, "  # noqa: S608 - made of quoted names and literals
        f"({surplus.format(listed(grain), as_view(rows, 'rows'))}) AS made, "
        f"({surplus.format(listed(grain, 't.'), f'{target} t LEFT SEMI JOIN {named} g ON {joined}')}) AS there"
    ).collect()[0]
    if counted.made or counted.there:
        raise NotFollowedError("several rows have one grain")
    return int(counted.n)


def merge_statement(target: str, rows: DataFrame, groups: DataFrame, grain: Sequence[str]) -> str:
    """One MERGE that gives these groups these rows: changed ones updated, new ones inserted, vanished ones deleted."""
    same = " AND ".join(f"r.{quoted(name)} <=> g.{quoted(name)}" for name in grain)
    others = [name for name in rows.columns if name not in grain]
    picked = ", ".join(
        [*(f"g.{quoted(name)}" for name in grain), *(f"r.{quoted(name)}" for name in others), f"r.{FOUND}"]
    )
    found = as_view(rows.selectExpr("*", f"true AS {FOUND}"), "rows")
    source = f"SELECT {picked} FROM {as_view(groups, 'groups')} g LEFT JOIN {found} r ON {same}"  # noqa: S608 - made of quoted names and literals
    joined = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in grain)
    return (
        f"MERGE INTO {target} t USING ({source}) s ON {joined} "  # noqa: S608 - made of quoted names and literals
        f"WHEN MATCHED AND s.{FOUND} IS NULL THEN DELETE "
        f"{_update(rows, others)}"
        f"WHEN NOT MATCHED AND s.{FOUND} THEN INSERT ({listed(rows.columns)}) VALUES ({listed(rows.columns, 's.')})"
    )


def _update(rows: DataFrame, others: Sequence[str]) -> str:
    """Rows that come out as they were are not written again; maps cannot be compared, so they always are."""
    if not others:
        return ""
    comparable = not any("map<" in rows.schema[name].dataType.simpleString() for name in others)
    differs = " OR ".join(f"NOT (t.{quoted(name)} <=> s.{quoted(name)})" for name in others)
    sets = ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in others)
    return f"WHEN MATCHED {f'AND ({differs}) ' if comparable else ''}THEN UPDATE SET {sets} "

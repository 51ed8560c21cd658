"""What a silver table of changes holds of each key, and what in-order events make of it (rule 33)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame

from headwater.domain.names import Layer, TableName
from headwater_spark.refining.refining import Refining
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.changes import KEPT, OLD_KEY_TEXT, UNSURE, Truncation
from headwater_spark.transforms.columns import UNREADABLE, business_columns
from headwater_spark.transforms.completion import completed


@dataclass(frozen=True)
class StoredRows:
    """The current rows of the table as planned, tombstones included."""

    refining: Refining

    @cached_property
    def rows(self) -> DataFrame | None:
        """None while the table holds nothing, and when it is derived again."""
        table = self.refining.table
        if table.base is None or table.anew is not None:
            return None
        rows = rows_at(self.refining.spark, table.silver, table.base)
        return rows.where("batch_out IS NULL AND valid_to IS NULL") if self._is_history else rows

    @property
    def _is_history(self) -> bool:
        return self.refining.table.spec.silver.form == "scd2"

    def compared(self, shaped: DataFrame, last_cut: str) -> DataFrame:
        """Events with ``hw_known`` (the stored row's own event again) and ``hw_late``: its key needs all its events.

        :param last_cut: position of the last truncation.
        """
        late = f"{UNSURE} OR s._hw_position < {literal(last_cut)}"
        late += f" OR ({OLD_KEY_TEXT} IS NOT NULL AND size(_hw_unavailable) > 0)"
        view = as_view(shaped, "changes")
        if self.rows is None:
            return shaped.sparkSession.sql(f"SELECT *, false AS hw_known, {late} AS hw_late FROM {view} s")  # noqa: S608 - made of quoted names and literals
        key = self.refining.key
        facts = ["_hw_position AS hw_position", *(["_hw_event_at AS hw_event_at"] if self._is_history else [])]
        stored = as_view(self.rows.selectExpr(*(quoted(name) for name in key), *facts), "stored")
        joined = " AND ".join(f"s.{quoted(name)} = k.{quoted(name)}" for name in key)
        text = ", ".join(f"{literal(name)}, s.{quoted(name)}" for name in key)
        late += " OR s._hw_position < k.hw_position"
        late += " OR s._hw_event_at <= k.hw_event_at" if self._is_history else ""
        return shaped.sparkSession.sql(
            f"SELECT s.*, coalesce(s._hw_position = k.hw_position, false) AS hw_known, "  # noqa: S608 - made of quoted names and literals
            f"coalesce(s._hw_position <> k.hw_position, true) AND coalesce({late}, false) OR q.hw_key IS NOT NULL "
            f"AS hw_late FROM {view} s LEFT JOIN {stored} k ON {joined} "
            f"LEFT JOIN {self._set_aside_keys()} q ON q.hw_key = to_json(named_struct({text}))"
        )

    def _set_aside_keys(self) -> str:
        """A view of the keys with rows in quarantine: silver does not hold their last state."""
        silver = self.refining.table.silver
        quarantine = TableName(layer=Layer.QUARANTINE, source=silver.source, table=silver.table)
        if not self.refining.spark.catalog.tableExists(quarantine.iceberg):
            return as_view(self.refining.spark.sql("SELECT '' AS hw_key WHERE false"), "set_aside")
        rows = self.refining.spark.table(quarantine.iceberg).where(f"_hw_table = {literal(silver.dotted)}")
        return as_view(rows.selectExpr("_hw_key AS hw_key").where("hw_key IS NOT NULL").distinct(), "set_aside")

    def reach_beyond(self, cut: Truncation) -> bool:
        """Whether rows hold events after the truncation, or at its very time, so that all keys have to be looked at."""
        if self.rows is None:
            return False
        beyond = f"_hw_position > {literal(cut.position)}"
        beyond += f" OR _hw_event_at >= CAST({literal(cut.event_at)} AS TIMESTAMP)" if self._is_history else ""
        return not self.rows.where(beyond).isEmpty()

    def deletions(self, like: DataFrame, cut: Truncation, key: Sequence[str]) -> DataFrame:
        """A deletion of every row at the truncation, with the columns of ``like``."""
        if self.rows is None:
            return like.where("false")
        given = {
            "_hw_op": "'d'",
            "_hw_position": literal(cut.position),
            "_hw_batch": str(cut.batch),
            "_hw_event_at": literal(cut.event_at),
            "_hw_extracted_at": literal(cut.event_at),
            "_hw_origin": "'truncated'",
            **dict.fromkeys(("_hw_carried", "_hw_unavailable", KEPT, UNREADABLE), "array()"),
            **{name: quoted(name) for name in key},
        }
        columns = [
            f"CAST({given.get(name, 'NULL')} AS {like.schema[name].dataType.simpleString()}) AS {quoted(name)}"
            for name in like.columns
        ]
        return self.rows.where(f"NOT _hw_deleted AND _hw_position < {literal(cut.position)}").selectExpr(*columns)

    def complete(self, in_order: DataFrame, left_out: Sequence[str]) -> DataFrame:
        """In-order events with what they leave out, from the events before them or the stored row of their key."""
        if self.rows is None or not left_out:
            return completed(in_order, self.refining.key, KEPT, left_out)
        partial = in_order.where(f"size({KEPT}) > 0")
        key = list(self.refining.key)
        names = [name for name in business_columns(in_order) if name in self.rows.columns]
        known = self.rows.join(partial.select(*map(quoted, key)).distinct(), key, "left_semi").selectExpr(
            *(quoted(name) for name in names),
            "_hw_position",
            "IF(_hw_deleted, 'd', 'r') AS _hw_op",
            f"CAST(array() AS array<string>) AS {KEPT}",
            "true AS hw_stored",
        )
        rows = in_order.selectExpr("*", "false AS hw_stored").unionByName(known, allowMissingColumns=True)
        return completed(rows, key, KEPT, left_out).where("NOT hw_stored").drop("hw_stored")

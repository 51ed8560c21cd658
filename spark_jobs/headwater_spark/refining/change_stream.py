"""The events of a stream of changes as whole rows: keys in order from the stored row on, others from all their events.

A key is derived again from all its bronze events when one of them is not newer than its stored row, when rows of it
are in quarantine, or when a value it leaves out cannot be taken from the stored row (rule 33).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame

from headwater_spark.refining.refining import WHOLE, Refining
from headwater_spark.refining.stored_rows import StoredRows
from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.tables.touched_rows import sent
from headwater_spark.tables.views import settled
from headwater_spark.transforms import changes
from headwater_spark.transforms.changes import KEPT, KEY_TEXT, OLD_KEY_TEXT, UNSURE, Truncation
from headwater_spark.transforms.columns import UNREADABLE, shape_columns
from headwater_spark.transforms.completion import completed_over_key_changes
from headwater_spark.transforms.filtered_rows import with_filtered_as_deleted
from headwater_spark.transforms.silver_function import apply_silver_code


@dataclass(frozen=True)
class ChangeStream:
    """One table's changes in the batches to refine."""

    refining: Refining

    @cached_property
    def source_key(self) -> tuple[str, ...]:
        return self.refining.table.spec.key

    @cached_property
    def cuts(self) -> list[Truncation]:
        return changes.truncations(self.refining.bronze(0))

    @cached_property
    def stored(self) -> StoredRows:
        return StoredRows(self.refining)

    def _declared(self, lowest_batch: int) -> DataFrame:
        bronze = changes.under_new_names(self.refining.table.spec, self.refining.bronze(lowest_batch))
        return bronze.where("_hw_op <> 't'")

    def _shaped(self, rows: DataFrame) -> DataFrame:
        """Silver columns; the key texts travel with the row."""
        spec = self.refining.table.spec
        marked = changes.with_kept_columns(spec, self._columns(rows))
        if not spec.is_shaped_by_code:
            return marked
        made = apply_silver_code(spec, self.refining.table.bronze, marked, self.refining.job.planned_at)
        return with_filtered_as_deleted(made, marked, self.refining.key) if self.source_key else made

    def _columns(self, rows: DataFrame) -> DataFrame:
        refining = self.refining
        return shape_columns(refining.table.spec, rows, (KEY_TEXT, OLD_KEY_TEXT), masking=refining.masking)

    def rows(self) -> DataFrame:
        """Every event to act on as a whole row in silver's columns, with ``_hw_whole``."""
        if not self.source_key:
            return self._without_key()
        events = changes.with_key_texts(self._declared(self.refining.table.from_batch + 1), self.source_key)
        last_cut = self.cuts[-1].position if self.cuts else ""
        marked = settled(self.stored.compared(self._shaped(events), last_cut))
        if any(self.stored.reach_beyond(cut) for cut in self._new_cuts()[:1]):
            return self._finished(self._whole(None), whole=True)
        left_out, is_late = self._facts(marked)
        in_order = marked.where("NOT hw_known").drop("hw_late", "hw_known")
        for cut in self._new_cuts()[:1]:
            in_order = in_order.unionByName(self.stored.deletions(in_order, cut, self.refining.key))
        if not is_late:
            return self._finished(self.stored.complete(in_order, left_out), whole=False)
        late = marked.where("hw_late").select(KEY_TEXT).distinct()
        every = self._finished(self._whole(self._linked(settled(late))), whole=True)
        key = self.refining.key
        rest = in_order.join(every.select(*map(quoted, key)).distinct(), list(key), "left_anti")
        return self._finished(self.stored.complete(rest, left_out), whole=False).unionByName(every)

    def _facts(self, marked: DataFrame) -> tuple[list[str], bool]:
        """Silver columns that events leave out, and whether any event is late."""
        names = f"array_sort(array_distinct(flatten(collect_set({KEPT})))) AS names"
        found = marked.selectExpr(names, "coalesce(bool_or(hw_late), false) AS late").collect()[0]
        return [name for name in found.names or () if name in marked.columns], bool(found.late)

    def _finished(self, rows: DataFrame, *, whole: bool) -> DataFrame:
        named = changes.with_unknown_values(rows)
        system = (KEY_TEXT, OLD_KEY_TEXT, KEPT, UNSURE, "_hw_carried", "_hw_unavailable", "_hw_old_key")
        return named.drop(*system).selectExpr("*", f"{str(whole).lower()} AS {WHOLE}")

    def _new_cuts(self) -> list[Truncation]:
        return [cut for cut in self.cuts if cut.batch > self.refining.table.from_batch]

    def _whole(self, keys: DataFrame | None) -> DataFrame:
        """All events of these keys, or of all, completed and shaped."""
        rows = changes.with_key_texts(self._declared(0), self.source_key)
        if keys is not None:
            rows = settled(rows.join(sent(keys, keys.count()), [KEY_TEXT], "left_semi"))
        rows = changes.with_truncations(rows, self.source_key, self.cuts)
        return self._shaped(completed_over_key_changes(rows, self.source_key))

    def _linked(self, keys: DataFrame) -> DataFrame:
        """The keys, and all that share a value with them over changes of the key."""
        rows = self._declared(0).where("_hw_old_key IS NOT NULL AND size(_hw_unavailable) > 0")
        links = settled(changes.with_key_texts(rows, self.source_key).select(KEY_TEXT, OLD_KEY_TEXT).distinct())
        if links.isEmpty():
            return keys
        both = links.unionByName(links.selectExpr(f"{OLD_KEY_TEXT} AS {KEY_TEXT}", f"{KEY_TEXT} AS {OLD_KEY_TEXT}"))
        while True:
            found = both.join(keys, [KEY_TEXT], "left_semi").selectExpr(f"{OLD_KEY_TEXT} AS {KEY_TEXT}").distinct()
            more = settled(found.join(keys, [KEY_TEXT], "left_anti"))
            if more.isEmpty():
                return keys
            keys = settled(keys.unionByName(more))

    def _without_key(self) -> DataFrame:
        """Of a table without key every event is a row of its own, named by its position; a truncation ends them all."""
        shaped = self._shaped(
            self._declared(self.refining.table.from_batch + 1).selectExpr(
                "*", f"CAST(NULL AS STRING) AS {KEY_TEXT}", f"CAST(NULL AS STRING) AS {OLD_KEY_TEXT}"
            )
        )
        if self.cuts:
            shaped = shaped.where(f"_hw_position > {literal(self.cuts[-1].position)}")
        nameless = "IF(_hw_op IN ('u', 'd'), array('names no row of a table without key'), array())"
        shaped = shaped.selectExpr(f"* EXCEPT ({UNREADABLE})", f"concat({UNREADABLE}, {nameless}) AS {UNREADABLE}")
        rows = self._finished(shaped, whole=False)
        for cut in self._new_cuts()[-1:]:
            ended = self.stored.deletions(shaped, cut, ("_hw_position",))  # a row's position stays: it is its key
            rows = rows.unionByName(self._finished(ended, whole=True))
        return rows

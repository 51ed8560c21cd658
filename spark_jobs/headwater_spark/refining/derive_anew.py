"""A silver table derived again from bronze, on the attempt's branch: as the first refine would have made it.

Tables of current rows are cleared on the branch first, by a snapshot of its own below the one that is judged. History
is never rewritten (rule 35): beliefs that no longer come out are ended by this run, and those that do are left alone.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, functions

from headwater_spark.refining.judged_rows import judged_rows
from headwater_spark.refining.refining import WHOLE, Refining
from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.staging import Staging
from headwater_spark.tables.views import as_view, settled
from headwater_spark.transforms.scd2_belief import HistoryRow, ended


def judged_anew(refining: Refining) -> DataFrame:
    """Judged rows of everything that is to be derived again, each key with all its events."""
    if refining.table.spec.silver.form == "append":
        return judged_rows(refining, _after_batch(refining))
    rows = judged_rows(refining, 0)
    if refining.table.anew is not None and refining.table.anew.is_bounded:
        rows, identity = settled(rows), list(refining.identity)
        concerned = rows.where(f"_hw_batch > {_after_batch(refining)}").select(*identity).distinct()
        rows = rows.join(settled(concerned), identity, "left_semi")
    return rows.withColumn(WHOLE, functions.lit(True))


def cleared(refining: Refining, judged: DataFrame, staging: Staging) -> Staging:
    """The staging of a table of current rows, without what ``judged`` is about to give again."""
    spark, target = refining.spark, staging.target
    anew = refining.table.anew
    if anew is None or not anew.is_bounded:
        spark.table(target).where("false").writeTo(target).overwrite(functions.lit(True))
    elif refining.table.spec.silver.form == "append":
        spark.sql(f"DELETE FROM {target} WHERE _hw_batch > {_after_batch(refining)}").collect()  # noqa: S608 - made of quoted names and literals
    else:
        keys = as_view(judged.select(*refining.identity).distinct(), "keys")
        joined = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in refining.identity)
        spark.sql(f"MERGE INTO {target} t USING {keys} s ON {joined} WHEN MATCHED THEN DELETE").collect()
    return staging.onto_head()


def lacks_history(staging: Staging) -> bool:
    """Whether the table holds current rows, as another mode kept them, in which nothing was ever believed."""
    return not staging.spark.table(staging.target).where("batch_in IS NULL").isEmpty()


def with_forgotten(
    refining: Refining, actions: DataFrame, versions: DataFrame, judged: DataFrame, staging: Staging, row: HistoryRow
) -> DataFrame:
    """The actions, and the end of every belief about a key that has no version at all any more."""
    history, keys = row.history, listed(row.history.key)
    anew = refining.table.anew
    scope = ""
    if anew is not None and anew.is_bounded:
        scope = f"LEFT SEMI JOIN {as_view(judged.select(*history.key), 'keys')} USING ({keys}) "
    gone = refining.spark.sql(
        f"{ended(f'(SELECT * FROM {staging.target} WHERE batch_out IS NULL)', row)} {scope}"  # noqa: S608 - made of quoted names and literals
        f"LEFT ANTI JOIN {as_view(versions, 'versions')} USING ({keys})"
    )
    return actions.unionByName(gone)


def _after_batch(refining: Refining) -> int:
    """The last batch that is left alone; an instant means: what was read before it."""
    anew = refining.table.anew
    if anew is None or anew.since is None:
        return 0 if anew is None else anew.after_batch
    before = f"_hw_extracted_at < TIMESTAMP {literal(anew.since.isoformat())}"
    found = refining.bronze(0).where(before).agg(functions.max("_hw_batch").alias("batch")).collect()[0].batch
    return int(found or 0)

"""Keys that a late event came for, each with all its bronze events (rule 33)."""

from __future__ import annotations

from pyspark.sql import DataFrame

from headwater_spark.refining.judged_rows import judged_rows
from headwater_spark.refining.refining import Refining
from headwater_spark.tables.sql_text import quoted
from headwater_spark.tables.touched_rows import sent
from headwater_spark.transforms import scd2


def with_whole_keys(refining: Refining, events: DataFrame, history: scd2.History) -> tuple[DataFrame, bool]:
    """Events of keys in order, and all bronze events of keys that a late one came for, if there are any.

    :param events: settled, with ``hw_late``.
    """
    key = list(history.key)
    found = events.where("hw_late").select(*map(quoted, key))
    count = found.count()
    if not count:
        return events.drop("hw_late"), False
    late = sent(found, count)
    in_order = events.drop("hw_late").join(late, key, "left_anti")
    # joined before they are hashed: Spark would hash every row of bronze first and choose then
    every = refining.events(judged_rows(refining, 0).join(late, key, "left_semi"))
    whole = scd2.as_events(every, history).selectExpr("* EXCEPT (hw_whole)", "true AS hw_whole")
    return in_order.unionByName(whole), True

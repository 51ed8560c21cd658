"""Full extracts that lost too much are not believed (rule 32), unless the next one has brought it back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pyspark.sql import DataFrame

from headwater.domain.extract_errors import ExtractShrunkError
from headwater_spark.refining.refining import Refining
from headwater_spark.tables.sql_text import listed
from headwater_spark.tables.views import as_view, query

SMALLEST_REFUSED_DELETE = 10
"""This many deletions are always believed."""


def refuse_shrunk_extract(refining: Refining, judged: DataFrame, sizes: Mapping[int, tuple[int, int]]) -> None:
    """Stop at an empty extract, or one that deletes too much of its predecessor, unless the YAML allows it.

    What a later pending extract brings back counts as kept, or a source that was mended could never go on.

    :param judged: the rows to refine. :param sizes: pending batch -> (rows present, deletions found in it).
    :raises ExtractShrunkError: naming the batch, the count and the share.
    """
    silver, batches = refining.table.spec.silver, refining.batches
    if silver.allow_empty:
        return
    pending = range(batches.after + 1, batches.last + 1)
    lost = {batch: sizes.get(batch, (0, 0))[1] for batch in pending}
    if len(pending) > 1:
        lost = _lasting_deletions(refining, judged)
    before = refining.bronze(batches.after).where(f"_hw_batch = {batches.after}").count() if batches.after else 0
    present = {batches.after: before, **{batch: sizes.get(batch, (0, 0))[0] for batch in pending}}
    for batch in pending:
        rows_before, deleted = present[batch - 1], lost.get(batch, 0)
        share = deleted / rows_before if rows_before else 0.0
        is_empty = not any(present[later] for later in range(batch, batches.last + 1))
        if is_empty or (deleted > SMALLEST_REFUSED_DELETE and share > silver.max_delete_share):
            raise _shrunk(refining, batch, rows_before, present[batch], deleted)


def _lasting_deletions(refining: Refining, judged: DataFrame) -> dict[int, int]:
    """Batch -> keys deleted in it that no later batch has again."""
    keys = listed(refining.key)
    found = query(
        refining.spark,
        "SELECT _hw_batch, count(*) AS keys FROM (SELECT _hw_batch, _hw_op, "  # noqa: S608 - made of quoted names
        f"max(_hw_batch) OVER (PARTITION BY {keys}) AS hw_last FROM {as_view(judged, 'judged')}) "
        "WHERE _hw_op = 'd' AND _hw_batch = hw_last GROUP BY _hw_batch",
    )
    return {int(row["_hw_batch"]): int(row["keys"]) for row in found.collect()}


def _shrunk(refining: Refining, batch: int, before: int, present: int, deleted: int) -> ExtractShrunkError:
    spec, share = refining.table.spec, deleted / before if before else 0.0
    what = f"deletes {deleted} of {before} rows ({share:.0%})" if present else "is empty"
    facts = {
        "table_name": spec.name,
        "batch": str(batch),
        "count": str(deleted),
        "rows_before": str(before),
        "rows_after": str(present),
        "share": f"{share:.0%}",
        "setting": f"max_delete_share: {math.ceil(share * 100) / 100}" if present else "allow_empty: true",
    }
    if before:
        facts["missing_sql"] = _missing(refining, batch)
    return ExtractShrunkError(
        f"the full extract of {spec.name} in batch {batch} {what}",
        got=f"{present} rows, {deleted} deletions",
        allowed=f"up to {spec.silver.max_delete_share:.0%} deletions, or {SMALLEST_REFUSED_DELETE} rows",
        remedy="Bring the rows back at the source and run again. If it really lost them, set "
        f"`silver: {{{facts['setting']}}}` for this run.",
        facts=facts,
    )


def _missing(refining: Refining, batch: int) -> str:
    """For ``headwater query``: keys that the extract before had and this one has not."""
    keys = ", ".join('"' + name.replace('"', '""') + '"' for name in refining.table.spec.key)
    of_batch = f"SELECT {keys} FROM {refining.table.bronze.dotted} WHERE _hw_batch ="  # noqa: S608 - quoted names
    return f"{of_batch} {batch - 1} EXCEPT {of_batch} {batch}"

"""Full extracts become events: each complete batch is compared with its predecessor, in order (rules 31, 32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater.domain.errors import ContractBrokenError
from headwater.domain.spec import TableSpec
from headwater_spark.tables.sql_text import listed, literal
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.rules import key_missing

SMALLEST_REFUSED_DELETE = 10
"""This many deletions are always believed."""


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches to refine, (``after``, ``last``]; ``planned_at`` is the instant of what an empty batch deletes."""

    after: int
    last: int
    planned_at: str


def with_deletions(shaped: DataFrame, key: Sequence[str], batches: Batches) -> DataFrame:
    """Rows of the pending batches, and a deletion for every key that a batch lacks and its predecessor had.

    ``shaped`` holds complete batches from ``after`` on. A row without a whole key could be any of the missing ones,
    so its batch deletes nothing.
    """
    session = shaped.sparkSession
    view = as_view(shaped, "shaped")
    names, keys = listed(shaped.columns), listed(key)
    replaced = {
        "_hw_op": "'d'",
        "_hw_batch": "CAST(d._hw_batch + 1 AS BIGINT)",
        "_hw_position": "concat(substr(coalesce(b.position, d._hw_position), 1, 22), '999999999999')",
        "_hw_extracted_at": f"coalesce(b.extracted_at, TIMESTAMP {literal(batches.planned_at)})",
        "_hw_unreadable": "CAST(array() AS array<string>)",
    }
    deletion = ", ".join(f"{replaced.get(name, 'd.' + listed([name]))} AS {listed([name])}" for name in shaped.columns)
    return session.sql(
        f"WITH seen AS (SELECT *, min(_hw_batch) OVER (PARTITION BY {keys} ORDER BY _hw_batch "  # noqa: S608
        f"RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS hw_next, "
        f"row_number() OVER (PARTITION BY {keys}, _hw_batch ORDER BY _hw_position DESC) AS hw_copy FROM {view}), "
        f"facts AS (SELECT _hw_batch, max(_hw_position) AS position, max(_hw_extracted_at) AS extracted_at, "
        f"bool_or({key_missing(key)}) AS unsure FROM {view} GROUP BY _hw_batch) "
        f"SELECT {names} FROM {view} WHERE _hw_batch > {batches.after} UNION ALL "
        f"SELECT {deletion} FROM (SELECT * FROM seen WHERE hw_copy = 1 AND NOT ({key_missing(key)}) "
        f"AND _hw_batch < {batches.last} AND (hw_next IS NULL OR hw_next > _hw_batch + 1)) d "
        f"LEFT JOIN facts b ON b._hw_batch = d._hw_batch + 1 WHERE NOT coalesce(b.unsure, false)"
    )


def refuse_mass_deletion(spec: TableSpec, sizes: dict[int, tuple[int, int]], batches: Batches) -> None:
    """Stop at an empty extract, or one that deletes too much of its predecessor, unless the YAML allows it.

    :param sizes: batch -> (rows present, deletions found in it), the predecessor included.
    :raises ContractBrokenError: naming the batch, the count and the share.
    """
    for batch in range(batches.after + 1, batches.last + 1):
        present, deleted = sizes.get(batch, (0, 0))
        before = sizes.get(batch - 1, (0, 0))[0]
        share = deleted / before if before else 0.0
        too_many = deleted > SMALLEST_REFUSED_DELETE and share > spec.silver.max_delete_share
        if (present == 0 or too_many) and not spec.silver.allow_empty:
            what = "is empty" if present == 0 else f"deletes {deleted} of {before} rows ({share:.0%})"
            raise ContractBrokenError(
                f"the full extract of {spec.name} in batch {batch} {what}",
                got=f"{present} rows, {deleted} deletions",
                allowed=f"up to {spec.silver.max_delete_share:.0%} deletions, or {SMALLEST_REFUSED_DELETE} rows",
                remedy="If the source really lost these rows, set `silver: {allow_empty: true}` or a higher "
                "`max_delete_share` for this run; otherwise repair the source.",
                facts={
                    "table": spec.name,
                    "batch": str(batch),
                    "count": str(deleted),
                    "rows_before": str(before),
                    "rows_after": str(present),
                    "share": f"{share:.4f}",
                },
            )

"""How much of a table's rows may be diverted before that is a failure of its own."""

from __future__ import annotations

from headwater.domain.errors import ContractBrokenError
from headwater.domain.job import BuildTable, RefineTable, TableResult

ALWAYS_TOLERATED_ROWS = 10


def too_much_quarantined(item: RefineTable | BuildTable, result: TableResult) -> ContractBrokenError | None:
    """The error of a refined table that lost more than ``max_quarantined_share`` of its rows, and more than ten.

    Rows that a person discarded are no accident: a refine that sets rows aside is not judged by its share.
    """
    if isinstance(item, BuildTable) or result.staged is None or item.set_aside:
        return None
    diverted, rows, allowed = result.staged.quarantined, result.rows_read, item.spec.max_quarantined_share
    if diverted <= ALWAYS_TOLERATED_ROWS or diverted <= allowed * rows:
        return None
    share = diverted / max(rows, 1)
    return ContractBrokenError(
        f"{item.silver}: {diverted:,} of {rows:,} rows broke a row rule",
        got=f"{share:.1%} quarantined",
        allowed=f"{allowed:.1%} (`max_quarantined_share`), or {ALWAYS_TOLERATED_ROWS} rows",
        remedy="Look at the rows in the quarantine table. Correct them at the source, or the rule in the contract, or "
        "raise `max_quarantined_share` of the table; then clear the run.",
        facts={
            "table": item.silver.dotted,
            "check": "max_quarantined_share",
            "count": str(diverted),
            "rows": str(rows),
            "measured": f"{share:.1%}",
            "threshold": f"{allowed:.1%}",
        },
    )

"""How many rows a source may lose to quarantine before that is a failure of its own."""

from __future__ import annotations

from headwater.domain.errors import SourceDataError
from headwater.domain.quarantine_share import ALWAYS_TOLERATED_ROWS, is_too_much


def check_share(rejected: int, rows: int, allowed_share: float, reasons: str, facts: dict[str, str]) -> None:
    """Refuse a batch of which too much had to be set aside.

    :param rows: all rows the rejected ones are a share of.
    :raises SourceDataError: above ``allowed_share`` and more than ten rows.
    """
    if not is_too_much(rejected, rows, allowed_share):
        return
    raise SourceDataError(
        f"{rejected:,} of {rows:,} rows of {facts['relation']} cannot be taken: {reasons}",
        got=f"{rejected / max(rows, 1):.1%} set aside",
        allowed=f"{allowed_share:.1%} (`max_quarantined_share`), or {ALWAYS_TOLERATED_ROWS} rows",
        remedy="Correct the rows at the source, or raise `max_quarantined_share` in the extract of this table.",
        facts={**facts, "count": str(rejected)},
    )

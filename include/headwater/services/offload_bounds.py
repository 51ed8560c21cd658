"""Up to where the history of a table may leave its source."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.domain.errors import RequestError
from headwater.ports.offloading import RangedSource
from headwater.ports.reconciling import Comparison

_TIMES = frozenset({"date", "timestamp", "timestamptz"})


def checked_bound(source: RangedSource, compared: Comparison, before: str) -> str:
    """The bound as the source reads it.

    :raises RequestError: when it is no value of the cursor, or lies above what runs are done with.
    """
    facts = {"table": compared.table.name, "column": compared.cursor.source if compared.cursor else ""}
    is_time = compared.cursor is not None and compared.cursor.type in _TIMES
    try:
        bound = _instant(before) if is_time else str(int(before))
    except ValueError:
        raise RequestError(
            f"{before!r} is no bound of the cursor of {compared.table.name!r}",
            got=before,
            allowed="a date or an instant such as 2020-01-01 (UTC)" if is_time else "a whole number",
            facts=facts,
        ) from None
    settled = source.bounds(compared).zone
    if settled is not None and source.ordinal_of(compared, bound) > settled + 1:
        latest = str(settled) if not is_time else datetime.fromtimestamp(settled // 1_000_000, UTC).isoformat()
        raise RequestError(
            f"rows of {compared.table.name!r} before {before} are not all behind the runs yet",
            got=before,
            allowed=f"at most {latest}: the watermark less the lag",
            remedy="Choose an earlier bound, or let a run read further first.",
            facts=facts,
        )
    return bound


def _instant(text: str) -> str:
    moment = datetime.fromisoformat(text)
    aware = moment.astimezone(UTC) if moment.tzinfo else moment
    return aware.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")

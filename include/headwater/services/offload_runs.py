"""The run that reads what readers lack of a table's history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from headwater.domain.errors import RequestError
from headwater.domain.offload import OffloadReport


def run_to_read(pipeline: str, table: str, before: str, report: OffloadReport | None) -> dict[str, Any]:
    """Parameters of a backfill from the first range that is not verified: gates judge it as any run's rows.

    :param report: what was compared so far; None where nothing of the table was released.
    :raises RequestError: when the cursor is a number, which a window of time says nothing about.
    """
    try:
        until = datetime.fromisoformat(before)
    except ValueError as error:
        raise RequestError(
            f"rows of {table!r} are lacking in the lake, and its cursor is no time that a run can be asked for",
            got=before,
            remedy=f"`headwater run {pipeline} --table {table} --full-refresh --wait`, then offload with --no-read.",
        ) from error
    conf: dict[str, Any] = {"tables": [table], "window_to": _in_utc(until), "reason": f"offload before {before}"}
    low = next((item.low for item in report.ranges if not item.verified), None) if report else None
    return conf if low is None else conf | {"window_from": _in_utc(datetime.fromisoformat(low))}


def _in_utc(moment: datetime) -> str:
    return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()

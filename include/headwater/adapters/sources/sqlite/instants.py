"""Times as SQLite stores them: texts of several forms, compared by what they mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORM = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{0,6})0*)?)?(?: ?(Z|[+-]\d{2}(?::?\d{2})?))?)?"
)


def instant(value: object) -> str | None:
    """A date or time as ``2013-01-01 00:00:00.000000`` in UTC; None for what is none. Without a zone it is UTC."""
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    day, minutes, seconds, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z") else zone if len(zone) > 3 else f"{zone}:00"
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    text = f"{day} {minutes or '00:00'}:{seconds or '00'}.{(fraction or '').ljust(6, '0')}{zone}"
    try:
        return shown(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def shown(moment: datetime) -> str:
    """The form instants are compared in."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")

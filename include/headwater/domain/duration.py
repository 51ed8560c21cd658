"""Durations as people write them: ``90s``, ``45m``, ``6h``, ``1d``, ``2w``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST = 5200 * _UNITS["w"]
_FORM = re.compile(r"(\d{1,9})([smhdw])")


def parse_duration(value: object) -> timedelta:
    """Read ``45m`` and its like, or pass a timedelta through.

    :raises ValueError: for any other form, a bare number too, which has no unit; and for more than a century, which
        would leave the years that Python and Airflow count.
    """
    if isinstance(value, timedelta):
        return value
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a whole number and one unit of s, m, h, d, w, such as 45m or 1d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST:
        raise ValueError("this duration is too long; at most 5200w, a century")
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """The shortest form ``parse_duration`` reads back; durations are whole seconds."""
    seconds = int(value.total_seconds())
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]

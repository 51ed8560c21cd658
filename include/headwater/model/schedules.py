"""Schedules a DAG can really have: exactly one form, a cron expression that parses, a time zone that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headwater.domain.names import TableName
from headwater.domain.spec import Schedule

_FORMS = ("every", "cron", "assets", "manual")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_PART = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?")

Finding = tuple[tuple[str | int, ...], str, str | None, str | None]
"""Path of the key, message, got, allowed."""


def schedule_findings(schedule: Schedule) -> Iterator[Finding]:
    """What is wrong with a schedule."""
    given = [form for form in _FORMS if getattr(schedule, form) not in (None, (), False)]
    if len(given) != 1:
        got = ", ".join(given) or "none"
        yield ("schedule",), "a schedule has exactly one form", got, "one of " + ", ".join(_FORMS)
    if schedule.every is not None and schedule.every.total_seconds() < 60:
        yield ("schedule", "every"), "a source runs at most once a minute", f"{schedule.every}", "1m or more"
    if schedule.cron is not None:
        yield from _cron(schedule.cron)
    try:
        ZoneInfo(schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield ("schedule", "timezone"), "no such time zone", repr(schedule.timezone), "an IANA name: Europe/Berlin"
    if "timezone" in schedule.model_fields_set and schedule.cron is None:
        message = "a time zone belongs to cron: every counts from run to run"
        yield ("schedule", "timezone"), message, repr(schedule.timezone), "cron, or no timezone"
    for index, asset in enumerate(schedule.assets):
        try:
            TableName.parse(asset)
        except ValueError as error:
            yield ("schedule", "assets", index), str(error), repr(asset), "a table: silver.flights.flights"


def _cron(text: str) -> Iterator[Finding]:
    path = ("schedule", "cron")
    fields = text.split()
    if len(fields) != len(_FIELDS):
        yield path, "a cron expression has five fields", repr(text), "minute hour day-of-month month day-of-week"
        return
    wrong = False
    for field, (name, low, high) in zip(fields, _FIELDS, strict=True):
        if not all(_cron_part(part, low, high, name) for part in field.split(",")):
            wrong = True
            yield path, f"the {name} of the cron expression is wrong", repr(field), f"*, */n, a-b, lists; {low}-{high}"
    if not wrong and fields[4] == "*":
        # Airflow cannot say when such a DAG is next, and then loads none of the file's DAGs
        days, months = (set(_cron_values(field, *of)) for field, of in zip(fields[2:4], _FIELDS[2:4], strict=True))
        if min(days) > max(_LONGEST[month - 1] for month in months):
            yield path, "the cron expression names no day of any year", repr(text), "a day that its month has"


def _cron_part(part: str, low: int, high: int, name: str) -> bool:
    match = _PART.fullmatch(part)
    if match is None or match[2] == "0":
        return False
    if match[1] == "*":
        return True
    bounds = [_cron_value(value, name) for value in match[1].split("-")]
    numbers = [value for value in bounds if value is not None and low <= value <= high]
    return len(numbers) == len(bounds) and numbers == sorted(numbers)


def _cron_values(field: str, name: str, low: int, high: int) -> Iterator[int]:
    """Every number that a right field stands for."""
    for part in field.split(","):
        body, _, step = part.partition("/")
        bounds = [_cron_value(value, name) or low for value in body.split("-")] if body != "*" else [low, high]
        last = bounds[-1] if len(bounds) > 1 or not step else high
        yield from range(bounds[0], last + 1, int(step or 1))


def _cron_value(text: str, name: str) -> int | None:
    words = {"month": _MONTHS, "day of week": _DAYS}.get(name, [])
    if text.lower() in words:
        return words.index(text.lower()) + (1 if name == "month" else 0)
    return int(text) if text.isdigit() and len(text) < 3 else None

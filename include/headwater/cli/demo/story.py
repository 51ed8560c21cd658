"""What happens in the demo, as data: how far the source is, what changes next, and what breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime

from headwater.domain.base import Value

FIRST_CLOCK = datetime(2013, 2, 1, 12, tzinfo=UTC)
"""Noon after the first month: its last flight was written at ten."""
LAST_MONTH = 12


class Chapter(Value):
    """How far the demo is. ``clock`` is the data clock; ``broken`` counts batches fed by demo-break."""

    month: int = 1
    clock: AwareDatetime = FIRST_CLOCK
    broken: int = 0

    @property
    def next(self) -> Chapter:
        """A month later. :raises ValueError: after December, where the data ends."""
        if self.month == LAST_MONTH:
            raise ValueError("the data ends with December 2013; `make demo-reset` begins again")
        month = self.month + 1
        year, following = (2014, 1) if month == LAST_MONTH else (2013, month + 1)
        return self.model_copy(update={"month": month, "clock": datetime(year, following, 1, 12, tzinfo=UTC)})

    @property
    def next_day(self) -> Chapter:
        """A day later, with one more broken batch."""
        return self.model_copy(update={"clock": self.clock + timedelta(days=1), "broken": self.broken + 1})


def read_chapter(home: Path) -> Chapter:
    """Where this home's demo is."""
    path = home / "demo.json"
    return Chapter.model_validate_json(path.read_text()) if path.exists() else Chapter()


def write_chapter(home: Path, chapter: Chapter) -> None:
    """Remember where the demo is, and set the data clock."""
    for path, text in ((home / "demo.json", chapter.model_dump_json()), (home / "clock", chapter.clock.isoformat())):
        draft = path.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(path)


def late_changes(chapter: Chapter) -> dict[str, str]:
    """What else a month brings: corrections written late, a plane re-registered, an airport withdrawn."""
    written = (chapter.clock - timedelta(hours=1)).isoformat()
    before = chapter.month - 1
    return {
        "flights corrected late": f"""
            UPDATE flights SET dep_delay = dep_delay + 5, updated_at = '{written}'
            WHERE (origin, time_hour, carrier, flight) IN (
              SELECT origin, time_hour, carrier, flight FROM flights
              WHERE month = {before} AND carrier = 'UA' AND dep_delay > 60
              ORDER BY time_hour, flight LIMIT 40)""",  # noqa: S608 - numbers and a time of our own
        "planes re-registered": f"""
            UPDATE planes SET engine = 'Turbo-jet', seats = seats + 1
            WHERE tailnum = (SELECT tailnum FROM planes ORDER BY tailnum OFFSET {before} LIMIT 1)""",  # noqa: S608 - made of quoted names and literals
        "airports withdrawn": """
            DELETE FROM airports WHERE faa = (
              SELECT a.faa FROM airports a WHERE NOT EXISTS (SELECT FROM flights f WHERE f.dest = a.faa)
              ORDER BY a.faa LIMIT 1)""",
    }


def broken_batch(chapter: Chapter) -> dict[str, str]:
    """Flights a faulty importer writes: their distance is negative, which the silver contract forbids."""
    written = (chapter.clock - timedelta(hours=1)).isoformat()
    number = 9000 + 10 * chapter.broken
    return {
        "flights with a negative distance": f"""
            INSERT INTO flights
            SELECT year, month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay,
                   carrier, {number} + flight % 10, tailnum, origin, dest, air_time, -distance, hour, minute,
                   time_hour, '{written}'
            FROM (SELECT DISTINCT ON (origin, time_hour, carrier, flight % 10) * FROM flights
                  WHERE month = {chapter.month} AND day = 28 AND carrier = 'UA' AND flight < 9000
                  ORDER BY origin, time_hour, carrier, flight % 10, flight LIMIT 25) AS wrong""",  # noqa: S608 - made of quoted names and literals
    }

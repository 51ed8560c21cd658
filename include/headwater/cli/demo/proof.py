"""Whether what readers see is what SQL over the source says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.domain.base import Value

if TYPE_CHECKING:
    import psycopg

    from headwater.adapters.platform import LocalPlatform

_SOURCE_DAYS = """
SELECT make_date(year, month, day), origin, carrier, count(*), count(*) FILTER (WHERE dep_time IS NULL),
       count(*) FILTER (WHERE dep_delay > 15), round(avg(dep_delay)::numeric, 6)::float8, sum(distance)
FROM flights GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_GOLD_DAYS = """
SELECT departure_date, origin, carrier, flights, cancelled, delayed, round(mean_delay_minutes, 6), distance_miles
FROM gold.flights.daily_departures ORDER BY 1, 2, 3
"""
_SOURCE_HOURS = (
    "SELECT count(*), sum(n)::bigint FROM (SELECT count(*) AS n FROM flights GROUP BY origin, time_hour) AS h"
)
_GOLD_HOURS = "SELECT count(*), sum(flights)::BIGINT FROM gold.flight_delays_by_weather.hourly_delays"


class Proof(Value):
    """One comparison."""

    what: str
    at_source: str
    released: str

    @property
    def holds(self) -> bool:
        return self.at_source == self.released


def prove(platform: LocalPlatform, source: psycopg.Connection, landing: Path) -> tuple[Proof, ...]:
    """Compare gold, row by row, and the counts of silver with the source and the landing folder."""
    from headwater.adapters.duckdb.query import query

    def released(sql: str) -> Sequence[tuple[object, ...]]:
        return query(sql, list(platform.runs.current()), platform.settings.catalog.warehouse).rows

    def counted(table: str, where: str = "true") -> str:
        return str(released(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - names of our own

    def at_source(sql: str) -> Sequence[tuple[object, ...]]:
        return source.execute(sql.encode()).fetchall()

    days, gold = at_source(_SOURCE_DAYS), released(_GOLD_DAYS)
    different = sum(1 for one, other in zip(days, gold, strict=False) if tuple(one) != tuple(other))
    proofs = [
        Proof(what="flights in silver", at_source=str(at_source("SELECT count(*) FROM flights")[0][0]),
              released=counted("silver.flights.flights")),
        Proof(what="days of gold", at_source=f"{len(days)} rows", released=f"{len(gold)} rows"),
        Proof(what="days of gold that differ", at_source="0", released=str(different)),
        Proof(what="hours and flights of the product", at_source=str(at_source(_SOURCE_HOURS)[0]),
              released=str(released(_GOLD_HOURS)[0])),
        Proof(what="weather observations", at_source=str(_observations(landing)),
              released=counted("silver.weather.observations")),
    ]  # fmt: skip
    for name in ("airlines", "airports", "planes"):
        there = str(at_source(f"SELECT count(*) FROM {name}")[0][0])  # noqa: S608 - names of our own
        now = counted(f"silver.flights.{name}", "is_current")
        proofs.append(Proof(what=f"current {name}", at_source=there, released=now))
    return tuple(proofs)


def _observations(landing: Path) -> int:
    return sum(len(path.read_text().splitlines()) - 1 for path in landing.glob("*.csv"))

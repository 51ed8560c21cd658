"""Rows that are set aside: full extracts that deliver them again, and more of them than a batch may lose."""

from __future__ import annotations

from typing import Any

import pytest
from tests.chain.installation import Installation

from headwater.adapters.duckdb.query import query
from headwater.cli.incident_view import print_rows
from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.services.accepting import accept
from headwater.services.held import discard

pytestmark = pytest.mark.timeout(900)

FLIGHTS = TableName.parse("silver.flights.flights")


def values(installation: Installation, sql: str) -> list[Any]:
    platform = installation.fresh()
    found = query(sql, platform.runs.current(), installation.settings.catalog.warehouse).rows
    return [row[0] for row in found]


def seats(installation: Installation) -> list[int]:
    """What readers see of the plane, version after version."""
    sql = "SELECT seats FROM silver.flights.planes WHERE tailnum = 'N10156' ORDER BY valid_from"
    return values(installation, sql)


def aside(installation: Installation, table: str) -> int:
    return int(values(installation, f"SELECT count(DISTINCT _hw_id) FROM quarantine.flights.{table}")[0])


def is_green(installation: Installation, run_id: str) -> bool:
    return set(installation.run("flights", run_id).values()) == {"success"}


def held(installation: Installation, run_id: str, table: str) -> Incident:
    """A red run with one open incident more, about the table."""
    assert installation.run("flights", run_id)["close_run"] == "run_not_green"
    incident = installation.fresh().incidents.list(status="open")[0]
    assert incident.table == table
    assert isinstance(incident, Incident)
    return incident


def settle(installation: Installation, incident: Incident) -> None:
    installation.fresh().incidents.close(incident.id, "settled", installation.platform.clock.now())


def test_a_full_extract_that_brings_a_discarded_row_again_does_not_publish_it(released: Installation) -> None:
    """Rules 21, 28, 31, 40: a discard is about the batches that were held; the next full extract is another one."""
    [good] = seats(released)
    released.source("UPDATE planes SET seats = -5 WHERE tailnum = 'N10156'")
    incident = held(released, "r2", "silver.flights.planes")
    discard(released.fresh(), incident, "ana", "the registry was wrong")
    settle(released, incident)
    assert is_green(released, "r3")
    assert is_green(released, "r4")  # the same content is no new extract
    assert (seats(released), aside(released, "planes")) == ([good], 1)

    released.source("UPDATE planes SET seats = seats + 1 WHERE tailnum = 'N102UW'")
    settle(released, held(released, "r5", "silver.flights.planes"))
    assert (seats(released), aside(released, "planes")) == ([good], 1)

    released.source("UPDATE planes SET seats = 60 WHERE tailnum = 'N10156'")
    assert is_green(released, "r6")
    assert seats(released) == [good, 60]
    assert released.fresh().runs.held() == ()


def test_a_batch_that_lost_too_many_rows_is_accepted_or_discarded_without_them(
    released: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rules 21, 40: source = published + quarantined + held by key, at every step."""
    published = "SELECT count(*) FROM silver.flights.flights"
    whole = values(released, published)[0]
    late = """
        INSERT INTO flights SELECT year, month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time,
          arr_delay, carrier, flight + {offset}, tailnum, origin, dest, -1, distance, hour, minute, time_hour,
          '2013-01-0{day}T12:00Z' FROM flights WHERE flight < 9000 ORDER BY origin, time_hour, flight LIMIT 20
    """
    released.source(late.format(offset=10000, day=4))
    released.source("UPDATE flights SET air_time = 90 WHERE flight = (SELECT max(flight) FROM flights)")
    good = released.source("SELECT count(*) FROM flights WHERE flight >= 10000 AND air_time = 90")[0][0]
    incident = held(released, "r2", FLIGHTS.dotted)
    assert incident.facts["rule"] == "max_quarantined_share"
    assert incident.facts["count"] == str(20 - good)
    assert (values(released, published)[0], aside(released, "flights")) == (whole, 20 - good)

    capsys.readouterr()
    print_rows(released.fresh(), incident)  # what `headwater incidents <number> --rows` shows
    assert capsys.readouterr().out.count("air time is positive") == 20 - good

    accept(released.fresh(), incident, "ana", "a known importer")
    settle(released, incident)
    assert is_green(released, "r2")
    assert (values(released, published)[0], aside(released, "flights")) == (whole + good, 20 - good)
    assert values(released, "SELECT sum(flights) FROM gold.flights.daily_departures") == [whole + good]

    released.source(late.format(offset=20000, day=5))
    incident = held(released, "r3", FLIGHTS.dotted)
    discard(released.fresh(), incident, "ana", "a known importer")
    settle(released, incident)
    assert is_green(released, "r4")
    keys = released.source("SELECT count(*) FROM flights")[0][0]
    assert values(released, published)[0] == whole + good
    assert keys == whole + good + aside(released, "flights")

"""A closed gate: what stays visible, who is told, and every way out (rules 20, 21, 40)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.adapters.duckdb_query import query
from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.services.accepting import accept
from headwater.services.held import discard

pytestmark = pytest.mark.timeout(900)

Installation = Any
"""``conftest.Installation``; a conftest cannot be imported."""
SILVER, BRONZE = TableName.parse("silver.flights.flights"), TableName.parse("bronze.flights.flights")
WRONG = """
INSERT INTO flights SELECT year, month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay,
  carrier, 9000 + {number}, tailnum, origin, dest, air_time, -distance, hour, minute, time_hour, '2013-01-0{day}T12:00Z'
FROM flights WHERE carrier = 'UA' AND flight < 9000 ORDER BY origin, time_hour, flight LIMIT 1
"""


def value(installation: Installation, sql: str) -> Any:
    platform = installation.fresh()
    found = query(sql, platform.runs.current(), installation.settings.catalog.warehouse).rows
    return found[0][0]


def flights(installation: Installation) -> int:
    return int(value(installation, "SELECT count(*) FROM silver.flights.flights"))


def in_gold(installation: Installation) -> int:
    return int(value(installation, "SELECT sum(flights) FROM gold.flights.daily_departures"))


def open_incident(installation: Installation) -> Incident:
    """The one open incident."""
    found = installation.fresh().incidents.list(status="open")
    assert [incident.table for incident in found] == ["silver.flights.flights"]
    assert isinstance(found[0], Incident)
    return found[0]


def break_contract(installation: Installation, run_id: str, number: int, day: int) -> Incident:
    """A faulty row arrives, and its run ends red with one incident."""
    installation.source(WRONG.format(number=number, day=day))
    states = installation.run("flights", run_id)
    assert states["close_run"] == "run_not_green", states
    return open_incident(installation)


def test_every_way_out_of_a_closed_gate_ends_green_and_loses_nothing(installation: Installation) -> None:
    """source = published + quarantined + held, at every step."""
    installation.source("DELETE FROM flights WHERE time_hour >= '2013-01-02'")
    assert set(installation.run("flights", "r1").values()) == {"success"}
    whole = flights(installation)
    assert whole == in_gold(installation) == installation.source("SELECT count(*) FROM flights")[0][0]

    # the gate closes: old data stays, a neighbour goes on, the alert has the numbers
    installation.source("UPDATE planes SET seats = seats + 1 WHERE tailnum = 'N10156'")
    incident = break_contract(installation, "r2", 1, 4)
    assert incident.cause == "contract_broken"
    assert incident.facts["column"] == "distance"
    assert incident.facts["count"] == "1"
    assert "silver.flights.flights" in incident.title
    assert "gold.flights.daily_departures" in " ".join(incident.matters_to)
    assert incident.still_visible
    assert flights(installation) == in_gold(installation) == whole
    versions = value(installation, "SELECT count(*) FROM silver.flights.planes WHERE tailnum = 'N10156'")
    assert versions == 2

    # B discard: the offending row goes to quarantine, the rest goes on
    made = discard(installation.fresh(), incident, "ana", "the importer was wrong")
    assert [item.rule for item in made] == ["distance is positive"]
    assert set(installation.run("flights", "r3").values()) == {"success"}
    assert flights(installation) == in_gold(installation) == whole
    aside = "SELECT count(DISTINCT _hw_id) FROM quarantine.flights.flights"
    assert value(installation, aside) == 1
    installation.fresh().incidents.close(incident.id, "healed", installation.platform.clock.now())

    # C accept: exactly what was judged, in the name of a person; the run goes on, and gold comes with it
    accepted = break_contract(installation, "r4", 2, 5)
    snapshot = installation.platform.runs.held(SILVER)[0].staged.staged
    done = accept(installation.fresh(), accepted, "ana", "ferry flight")
    assert (done.run_id, done.gate) == ("r4", "validate_silver")
    assert flights(installation) == in_gold(installation) == whole
    assert set(installation.run("flights", "r4").values()) == {"success"}
    assert flights(installation) == in_gold(installation) == whole + 1
    released = installation.fresh().runs.releases("flights", limit=1)[0]
    moved = {item.table.dotted: item.snapshot_id for item in released.tables if item.moved}
    assert moved.keys() >= {"silver.flights.flights", "gold.flights.daily_departures"}
    assert moved["silver.flights.flights"] == snapshot
    installation.source(
        "UPDATE flights SET distance = abs(distance), updated_at = '2013-01-05T13:00Z' WHERE flight = 9002"
    )

    # A correct at the source: the next run reads the corrected row
    broken = break_contract(installation, "r6", 3, 6)
    installation.source(
        "UPDATE flights SET distance = abs(distance), updated_at = '2013-01-06T13:00Z' WHERE flight = 9003"
    )
    assert set(installation.run("flights", "r7").values()) == {"success"}
    assert flights(installation) == in_gold(installation) == whole + 2
    assert value(installation, aside) == 1
    assert installation.fresh().runs.held() == ()

    # A mend the contract and clear: the run is judged by the file as it is now, and reads nothing again
    mended = break_contract(installation, "r8", 4, 7)
    contract = installation.repository / "include/contracts/silver/flights/flights.yml"
    before = installation.fresh().catalog.head(BRONZE).main
    contract.write_text(contract.read_text().replace("distance is positive, valid_min: 1", "flown, valid_min: -9999"))
    assert set(installation.run("flights", "r8").values()) == {"success"}
    assert flights(installation) == in_gold(installation) == whole + 3
    assert installation.fresh().catalog.head(BRONZE).main == before

    keys = installation.source("SELECT count(*) FROM flights")[0][0]
    assert keys == whole + 4 == flights(installation) + 1
    assert mended.id > broken.id > accepted.id > incident.id

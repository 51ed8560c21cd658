"""A closed gate: what stays visible, who is told, and every way out (rules 20, 21, 40)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.chain.installation import Installation

from headwater.adapters.duckdb.query import query
from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.services.accepting import accept
from headwater.services.held import discard

pytestmark = pytest.mark.timeout(900)

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


def read(installation: Installation) -> int | None:
    """What bronze has read, as its snapshot."""
    head = installation.fresh().catalog.head(BRONZE)
    assert head is not None
    return head.main


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


def test_every_way_out_of_a_closed_gate_ends_green_and_loses_nothing(released: Installation) -> None:
    """source = published + quarantined + held, at every step."""
    whole = flights(released)
    assert whole == in_gold(released) == released.source("SELECT count(*) FROM flights")[0][0]

    # the gate closes: old data stays, a neighbour goes on, the alert has the numbers
    released.source("UPDATE planes SET seats = seats + 1 WHERE tailnum = 'N10156'")
    incident = break_contract(released, "r2", 1, 4)
    assert incident.cause == "contract_broken"
    assert incident.facts["column"] == "distance"
    assert incident.facts["count"] == "1"
    assert "silver.flights.flights" in incident.title
    assert "gold.flights.daily_departures" in " ".join(incident.matters_to)
    assert incident.still_visible
    assert flights(released) == in_gold(released) == whole
    versions = value(released, "SELECT count(*) FROM silver.flights.planes WHERE tailnum = 'N10156'")
    assert versions == 2

    # B discard: the offending row goes to quarantine, the rest goes on
    made = discard(released.fresh(), incident, "ana", "the importer was wrong")
    assert [item.rule for item in made] == ["distance is positive"]
    assert set(released.run("flights", "r3").values()) == {"success"}
    assert flights(released) == in_gold(released) == whole
    aside = "SELECT count(DISTINCT _hw_id) FROM quarantine.flights.flights"
    assert value(released, aside) == 1
    released.fresh().incidents.close(incident.id, "healed", released.platform.clock.now())

    # C accept: exactly what was judged, in the name of a person; the run goes on, and gold comes with it
    accepted = break_contract(released, "r4", 2, 5)
    snapshot = released.platform.runs.held(SILVER)[0].staged.staged
    done = accept(released.fresh(), accepted, "ana", "ferry flight")
    assert (done.run_id, done.gate) == ("r4", "validate_silver")
    assert flights(released) == in_gold(released) == whole
    assert set(released.run("flights", "r4").values()) == {"success"}
    assert flights(released) == in_gold(released) == whole + 1
    release = released.fresh().runs.releases("flights", limit=1)[0]
    moved = {item.table.dotted: item.snapshot_id for item in release.tables if item.moved}
    assert moved.keys() >= {"silver.flights.flights", "gold.flights.daily_departures"}
    assert moved["silver.flights.flights"] == snapshot
    released.source("UPDATE flights SET distance = abs(distance), updated_at = '2013-01-05T13:00Z' WHERE flight = 9002")

    # A correct at the source: the next run reads the corrected row
    broken = break_contract(released, "r6", 3, 6)
    released.source("UPDATE flights SET distance = abs(distance), updated_at = '2013-01-06T13:00Z' WHERE flight = 9003")
    assert set(released.run("flights", "r7").values()) == {"success"}
    assert flights(released) == in_gold(released) == whole + 2
    assert value(released, aside) == 1
    assert released.fresh().runs.held() == ()

    # A mend the contract and clear: the run is judged by the file as it is now, and reads nothing again
    mended = break_contract(released, "r8", 4, 7)
    contract = released.repository / "include/contracts/silver/flights/flights.yml"
    before = read(released)
    contract.write_text(contract.read_text().replace("distance is positive, valid_min: 1", "flown, valid_min: -9999"))
    assert set(released.run("flights", "r8").values()) == {"success"}
    assert flights(released) == in_gold(released) == whole + 3
    assert read(released) == before

    keys = released.source("SELECT count(*) FROM flights")[0][0]
    assert keys == whole + 4 == flights(released) + 1
    assert mended.id > broken.id > accepted.id > incident.id

"""A rebuild over the real chain: killed and run again, seen whole or not at all; merged gold equals gold made anew."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.adapters.duckdb_query import query
from headwater.cli.demo.landing import land_months

Installation = Any

pytestmark = pytest.mark.timeout(900)

FLIGHTS, DELAYS = "silver.flights.flights", "gold.flight_delays_by_weather.hourly_delays"
YAML, PRODUCT = "dags/sources/flights.yaml", "dags/products/flight_delays_by_weather.yaml"


def rows(installation: Installation, sql: str) -> list[dict[str, Any]]:
    platform = installation.fresh()
    return query(sql, platform.runs.current(), installation.settings.catalog.warehouse).objects()


def edit(installation: Installation, file: str, old: str, new: str) -> None:
    path = installation.repository / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def assert_green(states: dict[str, str]) -> None:
    assert set(states.values()) == {"success"}, states


def test_a_rebuild_killed_twice_gives_what_the_new_rules_give(installation: Installation) -> None:
    """Readers see the old rows until the publish, then the new ones, with the gold made of them."""
    installation.source("DELETE FROM flights WHERE time_hour >= '2013-01-03'")
    assert_green(installation.run("flights", "one"))
    old = rows(installation, f"SELECT * FROM {FLIGHTS} ORDER BY ALL")
    gold = rows(installation, "SELECT * FROM gold.flights.daily_departures ORDER BY ALL")
    edit(installation, YAML, "upper(trim(tailnum))", "lower(trim(tailnum))")
    installation.source("UPDATE flights SET dep_delay = 0")  # the source is not read, so nobody sees this
    edit(installation, "tests/sources/flights/flights.yml", "N14228", "n14228")
    for failpoint in ("refine.after_write", "publish.before_commit"):
        killed = installation.process("flights", "two", failpoint=failpoint, rebuild=[FLIGHTS])
        assert killed.returncode != 0
        assert rows(installation, f"SELECT * FROM {FLIGHTS} ORDER BY ALL") == old, failpoint
    assert_green(installation.run("flights", "two", rebuild=[FLIGHTS]))
    expected = [{**row, "tailnum": row["tailnum"] and row["tailnum"].lower()} for row in old]
    assert rows(installation, f"SELECT * FROM {FLIGHTS} ORDER BY ALL") == expected
    assert rows(installation, "SELECT * FROM gold.flights.daily_departures ORDER BY ALL") == gold
    moved = [release for release in installation.fresh().runs.releases("flights") if "two" in release.run_key]
    assert [len(release.moves) for release in moved if release.status == "published"] == [2]
    head = installation.fresh().catalog.head(moved[0].moves[0].table)
    assert head is not None
    assert head.branches == {}


def test_merged_gold_of_two_sources_equals_gold_made_anew(installation: Installation) -> None:
    """Rule 38, over releases of other pipelines: new hours, corrected flights, weather that comes a month later."""
    edit(installation, PRODUCT, "mode: rebuild", "mode: merge")
    installation.source("DELETE FROM flights WHERE time_hour >= '2013-01-06'")
    for run_id in ("one", "two"):
        assert_green(installation.run("flights", run_id))
        assert_green(installation.run("weather", run_id))
        assert_green(installation.run("flight_delays_by_weather", run_id))
        installation.source(
            "UPDATE flights SET dep_delay = 999, origin = 'JFK', updated_at = '2014-01-01' "
            "WHERE origin = 'LGA' AND time_hour < '2013-01-02' AND flight % 2 = 0"
        )
        land_months(installation.landing, range(2, 3))
    merged = rows(installation, f"SELECT * FROM {DELAYS} ORDER BY ALL")
    assert any(row["mean_delay_minutes"] > 100 for row in merged if row["mean_delay_minutes"] is not None)
    assert_green(installation.run("flight_delays_by_weather", "three", rebuild=[DELAYS]))
    assert rows(installation, f"SELECT * FROM {DELAYS} ORDER BY ALL") == merged

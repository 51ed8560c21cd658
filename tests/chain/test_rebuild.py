"""A rebuild over the real chain: killed and run again, seen whole or not at all; merged gold equals gold made anew."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.adapters.duckdb.query import query
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


def test_a_rebuild_killed_twice_gives_what_the_new_rules_give(released: Installation) -> None:
    """Readers see the old rows until the publish, then the new ones, with the gold made of them."""
    old = rows(released, f"SELECT * FROM {FLIGHTS} ORDER BY ALL")
    gold = rows(released, "SELECT * FROM gold.flights.daily_departures ORDER BY ALL")
    edit(released, YAML, "upper(trim(tailnum))", "lower(trim(tailnum))")
    released.source("UPDATE flights SET dep_delay = 0")  # the source is not read, so nobody sees this
    edit(released, "tests/sources/flights/flights.yml", "N14228", "n14228")
    for failpoint in ("refine.after_write", "publish.before_commit"):
        killed = released.process("flights", "two", failpoint=failpoint, rebuild=[FLIGHTS])
        assert killed.returncode != 0
        assert rows(released, f"SELECT * FROM {FLIGHTS} ORDER BY ALL") == old, failpoint
    assert_green(released.run("flights", "two", rebuild=[FLIGHTS]))
    expected = [{**row, "tailnum": row["tailnum"] and row["tailnum"].lower()} for row in old]
    assert rows(released, f"SELECT * FROM {FLIGHTS} ORDER BY ALL") == expected
    assert rows(released, "SELECT * FROM gold.flights.daily_departures ORDER BY ALL") == gold
    moved = [release for release in released.fresh().runs.releases("flights") if "two" in release.run_key]
    assert [len(release.moves) for release in moved if release.status == "published"] == [2]
    head = released.fresh().catalog.head(moved[0].moves[0].table)
    assert head is not None
    assert head.branches == {}


def test_merged_gold_of_two_sources_equals_gold_made_anew(released: Installation) -> None:
    """Rule 38, over releases of other pipelines: new hours, corrected flights, weather that comes a month later."""
    edit(released, PRODUCT, "mode: rebuild", "mode: merge")
    for run_id in ("r1", "r2"):
        assert_green(released.run("flights", run_id))
        assert_green(released.run("weather", run_id))
        assert_green(released.run("flight_delays_by_weather", run_id))
        released.source(
            "UPDATE flights SET dep_delay = 999, origin = 'JFK', updated_at = '2014-01-01' "
            "WHERE origin = 'LGA' AND time_hour < '2013-01-02' AND flight % 2 = 0"
        )
        land_months(released.landing, range(2, 3))
    merged = rows(released, f"SELECT * FROM {DELAYS} ORDER BY ALL")
    assert any(row["mean_delay_minutes"] > 100 for row in merged if row["mean_delay_minutes"] is not None)
    assert_green(released.run("flight_delays_by_weather", "r3", rebuild=[DELAYS]))
    assert rows(released, f"SELECT * FROM {DELAYS} ORDER BY ALL") == merged

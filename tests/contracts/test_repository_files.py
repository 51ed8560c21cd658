"""The files this repository ships: they load without a finding, and say what their authors mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.domain.names import TableName
from headwater.model.contracts.contract import declared_checks
from headwater.model.contracts.lint import lint_contract
from headwater.model.deep import gated_tables
from headwater.model.groups import publish_groups
from headwater.model.layout import Layout
from headwater.model.repository import Repository, load_repository
from headwater.model.sql.file import column_lineage

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted((ROOT / "include" / "contracts").rglob("*.yml"))


@pytest.fixture(scope="module")
def repository() -> Repository:
    return load_repository(ROOT)


def test_every_file_loads(repository: Repository) -> None:
    assert [str(error) for error in repository.errors] == []
    assert {"flights", "weather", "flight_delays_by_weather"} <= {pipeline.name for pipeline in repository.pipelines}


def test_every_contract_is_of_a_table_and_every_table_has_one(repository: Repository) -> None:
    layout = Layout(ROOT)
    gated = {layout.contract(table) for pipeline in repository.pipelines for table in gated_tables(pipeline)}
    assert gated == set(CONTRACTS)


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: f"{file.parts[-3]}.{file.parts[-2]}.{file.stem}")
def test_every_contract_judges_something(file: Path) -> None:
    table = TableName.parse(f"{file.parts[-3]}.{file.parts[-2]}.{file.stem}")
    assert lint_contract(file.read_text(), str(file), table) == ()
    assert declared_checks(file.read_text())


def test_airlines_and_flights_are_released_with_the_gold_that_joins_them(repository: Repository) -> None:
    flights = repository.pipeline("flights")
    assert flights is not None
    groups = {frozenset(table.dotted for table in group) for group in publish_groups(flights)}
    assert groups == {
        frozenset({"silver.flights.flights", "silver.flights.airlines", "gold.flights.daily_departures"}),
        frozenset({"silver.flights.airports"}),
        frozenset({"silver.flights.planes"}),
    }


F, A, W = "silver.flights.flights", "silver.flights.airlines", "silver.weather.observations"
DAY = {(F, "year"), (F, "month"), (F, "day")}
LINEAGE = {
    "gold.flights.daily_departures": {
        "departure_date": DAY,
        "origin": {(F, "origin")},
        "carrier": {(F, "carrier")},
        "carrier_name": {(A, "name")},
        "flights": set(),
        "cancelled": {(F, "dep_time")},
        "delayed": {(F, "dep_delay")},
        "mean_delay_minutes": {(F, "dep_delay")},
        "distance_miles": {(F, "distance")},
        "rank_at_origin": DAY | {(F, "origin")},
    },
    "gold.flight_delays_by_weather.hourly_delays": {
        "origin": {(F, "origin")},
        "time_hour": {(F, "time_hour")},
        "flights": set(),
        "cancelled": {(F, "dep_time")},
        "mean_delay_minutes": {(F, "dep_delay")},
        "temp_c": {(W, "temp_c")},
        "wind_speed_mph": {(W, "wind_speed")},
        "precip_inches": {(W, "precip")},
        "visibility_miles": {(W, "visibility_miles")},
        "conditions": {(W, "origin"), (W, "visibility_miles"), (W, "precip"), (W, "wind_speed")},
    },
}


@pytest.mark.parametrize("table", LINEAGE)
def test_column_lineage_of_gold_equals_the_table_written_by_hand(repository: Repository, table: str) -> None:
    name = TableName.parse(table)
    pipeline = repository.pipeline(name.source)
    assert pipeline is not None
    gold = next(gold for gold in pipeline.gold if gold.name == name.table)
    assert {column.column: set(column.inputs) for column in column_lineage(gold.sql)} == LINEAGE[table]

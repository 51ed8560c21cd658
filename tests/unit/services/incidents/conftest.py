"""A desk over a real outbox (SQLite) and run store, with the repository's own runbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.incident_store_under_test import incident_store

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.memory.run_store import MemoryRunStore
from headwater.adapters.redaction import Redactor
from headwater.adapters.runbook_folder import load_runbooks
from headwater.domain.lineage import SourcePlace
from headwater.domain.names import TableName
from headwater.domain.settings import AirflowSettings, AlertSettings, CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import (
    ColumnRule,
    Freshness,
    GoldSpec,
    Owner,
    PipelineSpec,
    ProductSpec,
    Schedule,
    Silver,
    SourceSpec,
    SqlExtract,
    TableSpec,
)
from headwater.services.incidents.desk import IncidentDesk

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUNBOOKS = Path(__file__).parents[4] / "include" / "runbooks"


class SteppedClock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.instant = NOON
        self.data_instant: datetime | None = None

    def now(self) -> datetime:
        return self.instant

    def data_now(self) -> datetime:
        return self.data_instant or self.instant

    def pass_by(self, **span: float) -> None:
        self.instant += timedelta(**span)


def _specs() -> dict[str, PipelineSpec]:
    aviation = Owner(team="aviation", email=("aviation@example.com",), slack="#aviation")
    tables = (
        TableSpec(
            name="flights",
            key=("origin", "flight"),
            extract=SqlExtract(mode="incremental", cursor="updated_at"),
            silver=Silver(mode="upsert"),
            columns={"dep_delay": ColumnRule(rename="departure_delay"), "dist": ColumnRule(expression="dist * 1.6")},
        ),
        TableSpec(
            name="planes",
            owner=Owner(team="fleet", email=("fleet@example.com",)),
            extract=SqlExtract(relation="reg.planes"),
            silver=Silver(mode="scd2"),
        ),
    )
    daily = GoldSpec(name="daily", grain=("day",), sql="SELECT 1", inputs=(TableName.parse("silver.flights.flights"),))
    joined = GoldSpec(
        name="delays",
        owner=Owner(team="analytics"),
        grain=("day",),
        sql="SELECT 1",
        inputs=(TableName.parse("gold.flights.daily"),),
    )
    flights = SourceSpec(
        name="flights",
        file="dags/sources/flights.yaml",
        description="d",
        owner=aviation,
        schedule=Schedule(manual=True),
        connection="flights_db",
        freshness=Freshness(bronze=timedelta(hours=6), gold=timedelta(days=1)),
        tables=tables,
        gold=(daily,),
    )
    product = ProductSpec(
        name="delay_report",
        file="dags/products/delay_report.yaml",
        description="d",
        owner=Owner(team="products"),
        schedule=Schedule(manual=True),
        gold=(joined,),
    )
    return {"flights": flights, "delay_report": product}


@pytest.fixture
def specs() -> dict[str, PipelineSpec]:
    return _specs()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def runs() -> MemoryRunStore:
    return MemoryRunStore()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlIncidentStore]:
    with incident_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def settings() -> Settings:
    return Settings(
        home="home",
        repository=".",
        run_store="unused",
        catalog=CatalogSettings(uri="unused", jdbc_uri="unused", warehouse="unused"),
        spark=SparkSettings(jars="jars"),
        alerts=AlertSettings(channels=("console", "email", "slack")),
        airflow=AirflowSettings(base_url="http://airflow.example:8080"),
    )


@pytest.fixture
def make_desk(
    store: SqlIncidentStore,
    runs: MemoryRunStore,
    settings: Settings,
    clock: SteppedClock,
    specs: dict[str, PipelineSpec],
) -> Callable[..., IncidentDesk]:
    def make(*secrets: str) -> IncidentDesk:
        return IncidentDesk(
            store=store,
            runs=runs,
            specs=specs,
            runbooks=load_runbooks(RUNBOOKS),
            settings=settings,
            redact=Redactor(secrets),
            clock=clock,
            places={"flights_db": SourcePlace(platform="postgres", schema_name="public")},
        )

    return make


@pytest.fixture
def desk(make_desk: Callable[..., IncidentDesk]) -> IncidentDesk:
    return make_desk()

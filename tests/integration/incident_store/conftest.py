"""The incident store on a real, migrated database of either kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.run_store.engine import migrate
from headwater.domain.incident import Failure, Incident
from headwater.domain.spec import Owner

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(params=["postgresql", "sqlite"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/store.db"
    else:
        create: Callable[..., str] = request.getfixturevalue("postgres_database")
        url = create()
    migrate(url)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[SqlIncidentStore]:
    opened = SqlIncidentStore(store_url)
    yield opened
    opened.close_database()


@pytest.fixture
def failure_of() -> Callable[..., Failure]:
    def make(run_id: str = "run1", **changes: object) -> Failure:
        base = Failure(
            pipeline="flights",
            run_id=run_id,
            task_id="validate_silver",
            cause="contract_broken",
            table="silver.flights.flights",
            message="too many rows break the rule",
            seen_at=NOON,
        )
        return base.model_copy(update=changes)

    return make


@pytest.fixture
def draft_of() -> Callable[[Failure], Incident]:
    def make(failure: Failure) -> Incident:
        return Incident(
            id=0,
            kind=failure.kind,
            cause=failure.cause,
            pipeline=failure.pipeline,
            table=failure.table,
            title="incident {incident}",
            error_line=failure.message,
            likely_cause="",
            steps=(),
            owner=Owner(team="aviation", email=("a@example.com",)),
            first_seen=failure.seen_at,
            last_seen=failure.seen_at,
        )

    return make

"""A read of MariaDB that is kept waiting or broken off leaves a failure that says whether a retry helps."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.integration.sources.mariadb_refused import MANY, be_slow, passing_on, refused
from tests.integration.sources.mariadb_under_test import MariaDb, MariaTable

from headwater.domain.errors import (
    SourceDataError,
    SourceUnreachableError,
)


@pytest.fixture
def flights(mariadb: MariaDb, tmp_path: Path) -> MariaTable:
    return MariaTable(mariadb, tmp_path)


def test_a_relation_locked_by_somebody_is_worth_a_retry(flights: MariaTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("session", "scanning"):
        monkeypatch.setattr(f"headwater.adapters.sources.mysql.{module}.LOCK_WAIT_SECONDS", 1)
    flights.add([1])
    window, schema = flights.plan(), flights.schema()
    with flights.server.session(flights.database) as holder, holder.cursor() as cursor:
        cursor.execute("lock tables flights write")
        error = refused(flights, SourceUnreachableError, lambda: flights.extract(window, schema))
        assert "locked" in str(error.remedy)
        assert error.retry_helps
    assert flights.extract(window, schema).rows == 1


def test_a_statement_that_takes_too_long_is_ended_by_the_server(flights: MariaTable) -> None:
    be_slow(flights, 200, 0.05)
    flights.connection = flights.connection.model_copy(update={"extra": {"statement_timeout": 1}})
    error = refused(flights, SourceUnreachableError, flights.run)
    assert "statement time-out" in error.message
    assert "statement_timeout" in str(error.remedy)


def test_a_value_the_source_cannot_compute_is_its_own_failure(flights: MariaTable) -> None:
    flights.add([1])
    flights.sql("rename table flights to t",
                "create view flights as select id, note, 9223372036854775807 + id as fare from t")  # fmt: skip
    error = refused(flights, SourceDataError, flights.run)
    assert "out of range" in str(error.got)


def test_a_server_that_goes_away_while_it_is_read_leaves_a_retry(flights: MariaTable) -> None:
    """A stream that ends early is never taken for all rows."""
    flights.sql(MANY)
    window, schema = flights.plan(), flights.schema()
    with passing_on(flights.server.port, 2_000_000) as port:
        direct, flights.connection = flights.connection, flights.connection.model_copy(
            update={"port": port, "extra": {"ssl_mode": "disabled"}}
        )  # fmt: skip
        error = refused(flights, SourceUnreachableError, lambda: flights.extract(window, schema))
        assert error.retry_helps
    flights.connection = direct
    assert flights.extract(window, schema).rows == 60_000


def test_a_session_killed_at_the_server_leaves_a_retry(flights: MariaTable) -> None:
    be_slow(flights, 400, 0.01)
    window, schema = flights.plan(), flights.schema()
    stop = threading.Event()

    def kill() -> None:
        with flights.server.session() as session, session.cursor() as cursor:
            while not stop.wait(0.2):
                cursor.execute("select id from information_schema.processlist where state = 'User sleep'")
                for (number,) in cursor.fetchall():
                    cursor.execute(f"kill {number}")
                    return

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert refused(flights, SourceUnreachableError, lambda: flights.extract(window, schema)).retry_helps
    finally:
        stop.set()
        killer.join()

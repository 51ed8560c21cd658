"""From an exception to a cause and facts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.domain.errors import CredentialsError, Location, SourceDataError, SpecError
from headwater.services.incidents.failure import FailureContext, failure_from_exception

CONTEXT = FailureContext(
    pipeline="flights",
    run_id="manual__1",
    task_id="extract_to_bronze",
    map_index=2,
    try_number=3,
    seen_at=datetime(2026, 11, 21, tzinfo=UTC),
)


class AirflowTaskTerminated(BaseException):
    """Stands for Airflow's own, which this package must not import."""


def test_an_explained_error_gives_its_code_and_facts() -> None:
    error = CredentialsError("refused", got="password wrong", facts={"connection": "flights_db"})
    failure = failure_from_exception(error, CONTEXT)
    assert (failure.cause, failure.message) == ("credentials_refused", "refused")
    assert failure.facts == {"connection": "flights_db", "got": "password wrong"}
    assert (failure.map_index, failure.try_number, failure.kind) == (2, 3, "failed")


def test_the_place_in_a_file_becomes_facts() -> None:
    error = SpecError("unknown key", where=Location("dags/sources/flights.yaml", 7, "tables.flights.keyy"))
    failure = failure_from_exception(error, CONTEXT)
    assert failure.facts["file"] == "dags/sources/flights.yaml"
    assert failure.facts["line"] == "7"
    assert failure.message == "dags/sources/flights.yaml:7: tables.flights.keyy: unknown key"


def test_an_explained_error_is_found_behind_a_foreign_one() -> None:
    surface = RuntimeError("task failed")
    surface.__context__ = CredentialsError("refused")
    assert failure_from_exception(surface, CONTEXT).cause == "credentials_refused"
    surface.__cause__ = CredentialsError("refused")
    assert failure_from_exception(surface, CONTEXT).cause == "credentials_refused"


def test_a_cause_that_was_cut_off_is_not_looked_at() -> None:
    surface = RuntimeError("something else")
    surface.__context__ = CredentialsError("refused")
    surface.__suppress_context__ = True
    assert failure_from_exception(surface, CONTEXT).cause == "unknown"


def test_a_foreign_error_is_unknown_with_class_and_first_line() -> None:
    failure = failure_from_exception(ZeroDivisionError("division by zero\nsecond line"), CONTEXT)
    assert (failure.cause, failure.message) == ("unknown", "ZeroDivisionError: division by zero")
    assert failure.facts == {"exception": "ZeroDivisionError"}


@pytest.mark.parametrize("killed", [None, AirflowTaskTerminated(), KeyboardInterrupt()], ids=repr)
def test_a_killed_process_is_not_called_unknown(killed: BaseException | None) -> None:
    assert failure_from_exception(killed, CONTEXT).cause == "task_killed"


def test_an_extractors_bare_table_is_its_bronze_table() -> None:
    failure = failure_from_exception(SourceDataError("bad", facts={"table": "flights"}), CONTEXT)
    assert failure.table == failure.facts["table"] == "bronze.flights.flights"

"""Only errors that a retry can mend are retried; the explanation stays the cause."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException

from headwater.domain.errors import ContractBrokenError, SourceUnreachableError
from headwater.services.incidents.failure import FailureContext, failure_from_exception
from headwater_airflow.callbacks import failure_context, report_failure
from headwater_airflow.operators.failing import airflow_errors


def test_an_error_that_passes_is_left_to_airflows_retries() -> None:
    with pytest.raises(SourceUnreachableError), airflow_errors():
        raise SourceUnreachableError("no answer")


def test_an_error_that_stays_ends_the_task_and_keeps_its_explanation() -> None:
    from datetime import UTC, datetime

    broken = ContractBrokenError("12 rows", facts={"table": "silver.flights.flights"})
    with pytest.raises(AirflowFailException) as failed, airflow_errors():
        raise broken
    assert failed.value.__cause__ is broken
    context = FailureContext(pipeline="flights", run_id="r", task_id="t", seen_at=datetime.now(UTC))
    failure = failure_from_exception(failed.value, context)
    assert (failure.cause, failure.table) == ("contract_broken", "silver.flights.flights")


def test_a_bug_is_not_dressed_up_as_an_explained_failure() -> None:
    with pytest.raises(ZeroDivisionError), airflow_errors():
        raise ZeroDivisionError


class _Instance:
    dag_id, run_id, task_id = "flights", "manual__2026 01", "extract_to_bronze"
    map_index, try_number, log_url = None, 0, "http://airflow.test/log"


def test_where_a_failure_was_seen_is_told_in_the_words_of_an_incident() -> None:
    context = failure_context({"ti": _Instance()})  # type: ignore[typeddict-item]
    assert (context.pipeline, context.task_id, context.map_index, context.try_number) == (
        "flights",
        "extract_to_bronze",
        -1,
        1,
    )
    assert context.run_url is not None
    assert context.run_url.endswith("/dags/flights/runs/manual__2026%2001")


def test_a_failure_beside_the_chain_names_its_own_dag() -> None:
    """`headwater clear` has to find its run."""
    instance = _Instance()
    instance.dag_id = "flights__reconcile"
    context = failure_context({"ti": instance})  # type: ignore[typeddict-item]
    told = failure_from_exception(ContractBrokenError("m"), context)
    assert (told.pipeline, told.facts["dag_id"]) == ("flights", "flights__reconcile")


def test_the_callback_never_raises_even_with_nothing_to_go_by() -> None:
    report_failure({})


def test_what_has_its_incident_already_opens_no_other() -> None:
    error = ContractBrokenError("held", reported=True)
    report_failure({"exception": error})

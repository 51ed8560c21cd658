"""The alert of a red fixture shows the values that differ and names the file to mend, if there is one."""

from __future__ import annotations

import pytest

from headwater.domain.differences import RowDifference
from headwater.domain.errors import PreflightError
from headwater.domain.incident import Incident
from headwater.domain.job import TableResult
from headwater.domain.names import TableName
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure_from_exception
from headwater.services.stages.preflight import _red


def _told(desk: IncidentDesk, table: str) -> Incident:
    difference = RowDifference(
        test="days add up", file="tests/sources/flights/x.yml", line=7, expected={"n": "3"}, made={"n": "4"}
    )
    result = TableResult(table=TableName.parse(table), status="red", differences=(difference.text,))
    error = _red("flights", [result])
    assert isinstance(error, PreflightError)
    context = FailureContext(pipeline="flights", run_id="r", task_id="preflight", seen_at=desk.clock.now())
    incident, _ = desk.report(failure_from_exception(error, context))
    return incident


@pytest.mark.parametrize(
    ("table", "file"), [("gold.flights.daily", "sql/gold/flights/daily.sql"), ("silver.flights.flights", None)]
)
def test_the_alert_shows_the_rows_and_the_file(desk: IncidentDesk, table: str, file: str | None) -> None:
    incident = _told(desk, table)
    assert incident.table == table
    assert "tests/sources/flights/x.yml:7: days add up: n is '4' instead of '3'" in incident.likely_cause
    steps = " ".join(step.text for step in incident.steps)
    assert (f"correct {file}" in steps) == (file is not None)
    assert ("its SQL or expressions" in steps) == (file is None)
    assert incident.steps[0].command == "uv run headwater test-source flights"

"""The form of maintenance is read back without trusting Airflow's own check."""

from __future__ import annotations

import pytest

from headwater.domain.errors import RequestError
from headwater_airflow.operators.maintaining import MaintainTablesOperator, maintenance_request


@pytest.mark.parametrize("params", [{}, {"tables": None, "steps": None}, {"tables": [], "steps": [], "dry_run": False}])
def test_an_empty_form_asks_for_all_that_is_due(params: dict[str, object]) -> None:
    assert maintenance_request(params) == {"tables": [], "steps": None, "dry_run": False}


def test_steps_come_in_their_own_order() -> None:
    asked = maintenance_request({"tables": ["gold.a.b"], "steps": ["orphans", "branches"], "dry_run": True})
    assert asked == {"tables": ["gold.a.b"], "steps": ("branches", "orphans"), "dry_run": True}


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"retention": "1s"}, "retention"),
        ({"steps": ["sweep"]}, "step"),
        ({"steps": [1]}, "steps"),
        ({"tables": {"a": 1}}, "tables"),
        ({"dry_run": "yes"}, "dry_run"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(params: dict[str, object], named: str) -> None:
    with pytest.raises(RequestError, match=named):
        maintenance_request(params)


def test_a_task_is_called_by_its_tables() -> None:
    assert MaintainTablesOperator(task_id="m", tables=["gold.a.b"]).shown == "gold.a.b"
    assert MaintainTablesOperator(task_id="m", tables=["gold.a.b", "gold.a.c"]).shown == "gold.a.b and 1 more"

"""The form of maintenance is read back without trusting Airflow's own check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

from headwater.domain.errors import RequestError
from headwater.domain.maintenance import MaintenanceSettings
from headwater.ports.leftovers import LeftBehind
from headwater_airflow.operators import maintaining
from headwater_airflow.operators.maintaining import (
    MaintainTablesOperator,
    SweepLeftoversOperator,
    maintenance_request,
)


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


@pytest.mark.parametrize(
    ("params", "done"), [({}, {"done": 1}), ({"dry_run": True}, {"would": 1}), ({"tables": ["gold.a.b"]}, {})]
)
def test_a_sweep_returns_what_became_of_what_was_left(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, object], done: dict[str, int]
) -> None:
    now = datetime.now(UTC)
    left = LeftBehind(place="shop-refine-000000000000", written_at=now - timedelta(days=3))
    platform = SimpleNamespace(
        leftovers=(SimpleNamespace(found=lambda: [left], remove=lambda _: True),),
        clock=SimpleNamespace(now=lambda: now), settings=SimpleNamespace(maintenance=MaintenanceSettings()),
        close=lambda: None,
    )  # fmt: skip
    monkeypatch.setattr(maintaining, "open_task_platform", lambda _: platform)
    with DAG("headwater__maintenance"):
        operator = SweepLeftoversOperator(task_id="sweep_leftovers")
    context: Any = {"params": params}
    assert operator.execute(context) == done

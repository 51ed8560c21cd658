"""Waiting for Airflow: a look that gets no answer is repeated for a while."""

from __future__ import annotations

import pytest

from headwater.cli.awaiting import patiently
from headwater.domain.errors import AirflowDownError


def test_a_busy_airflow_is_asked_again() -> None:
    busy = [AirflowDownError("busy")]

    def ask() -> str:
        if busy:
            raise busy.pop()
        return "here"

    assert patiently(ask) == "here"


def test_an_airflow_that_stays_away_is_told() -> None:
    def ask() -> str:
        raise AirflowDownError("gone")

    with pytest.raises(AirflowDownError):
        patiently(ask, patience_seconds=0.0)

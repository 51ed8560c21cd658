"""Every drift of every kind of source ends, under each policy, where the table says (rule 14; row 29 of the faults)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.drift.drifts import DRIFTS, TABLE, Drift


@pytest.mark.parametrize("policy", ["stop", "evolve", "quarantine"])
@pytest.mark.parametrize("drift", TABLE, ids=str)
def test_a_drift_ends_where_the_table_says(drifting: Any, drift: Drift, policy: str) -> None:
    assert drifting.after(drift, policy) == drift.outcome(policy)


def test_the_table_has_ten_drifts_of_every_kind() -> None:
    kinds = ("postgres", "mariadb", "sqlite", "csv", "jsonl", "parquet")
    assert [(row.kind, row.drift) for row in TABLE] == [(kind, drift) for kind in kinds for drift in DRIFTS]

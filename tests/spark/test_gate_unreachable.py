"""A gate that cannot read what it judges, as the store is away, gives no verdict: nothing is held for it."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.job import ValidateTable
from headwater.domain.names import TableName
from headwater.domain.storage_errors import WarehouseDownError
from headwater_spark.gate import validate
from headwater_spark.gate.soda import SodaSaid

TABLE = ValidateTable(
    table=TableName.parse("silver.flights.planes"),
    snapshot_id=1,
    contract="dataset: lake/silver/flights__planes\nchecks:\n  - row_count:\n",
    contract_hash="h",
    key=("tailnum",),
)
NO_SESSION: Any = None
"""What would ask it for rows is replaced in each test."""
AWAY = (
    "(software.amazon.awssdk.core.exception.SdkClientException) Unable to execute HTTP request: Connect to "
    "127.0.0.1:46295 [/127.0.0.1] failed: Connection refused"
)


def _raising(said: str) -> Any:
    def rows(*_: object) -> None:
        raise ValueError(said)

    return rows


def test_a_store_that_is_away_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "pinned_rows", _raising(AWAY))
    with pytest.raises(WarehouseDownError):
        validate.validate_table(NO_SESSION, TABLE)


def test_any_other_trouble_is_a_closed_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 15."""
    monkeypatch.setattr(validate, "pinned_rows", _raising("odd"))
    closed = validate.validate_table(NO_SESSION, TABLE)
    assert closed.verdict is not None
    assert (closed.error_code, closed.verdict.opens) == ("gate_unsure", False)


def test_what_soda_says_of_the_store_is_no_verdict_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gathers what its queries met, and raises nothing."""
    said = SodaSaid("ERROR", (f"Could not execute query: {AWAY}",), ())
    monkeypatch.setattr(validate, "pinned_rows", lambda *_: None)
    monkeypatch.setattr(validate, "contract_view", lambda *_: None)
    monkeypatch.setattr(validate, "verify", lambda *_: said)
    monkeypatch.setattr(validate, "_explained", lambda *_: ())
    monkeypatch.setattr(validate, "implicit_checks", lambda *_: ())
    with pytest.raises(WarehouseDownError):
        validate.validate_table(NO_SESSION, TABLE)

"""A ledger is believed only when it is the one that was published (rule 29)."""

from __future__ import annotations

import hashlib

import pytest

from headwater.adapters.memory import MemoryCatalog
from headwater.domain.errors import StagingError
from headwater.domain.names import TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState
from headwater.services.ledgers import named_ledger, read_ledger

TABLE = TableName.parse("bronze.weather.observations")


def test_a_ledger_that_changed_behind_its_state_is_refused() -> None:
    catalog = MemoryCatalog()
    catalog.create(TABLE, TableSchema(columns=(Column(name="a", type="int"),)))
    path = catalog.write_attachment(TABLE, "ledger-a.json", b"{}")
    state = TableState(run_key="k", spec_hash="h", ledger=path, ledger_sha256=hashlib.sha256(b"{}").hexdigest())
    assert read_ledger(catalog, state) == b"{}"
    catalog.write_attachment(TABLE, "ledger-a.json", b"{ }")
    with pytest.raises(StagingError, match="not the one that was published"):
        read_ledger(catalog, state)


def test_a_table_without_a_ledger_has_none() -> None:
    plain = TableState(run_key="k", spec_hash="h")
    assert read_ledger(MemoryCatalog(), None) is None
    assert read_ledger(MemoryCatalog(), plain) is None
    assert named_ledger(plain) == {}


def test_a_snapshot_names_its_ledger_and_hash() -> None:
    state = TableState(run_key="k", spec_hash="h", ledger="x/ledger-a.json", ledger_sha256="ab")
    assert named_ledger(state) == {"headwater.ledger": "x/ledger-a.json", "headwater.ledger-sha256": "ab"}

"""The ledger of chunks in the run store, and what has to be equal for a chunk to stand (rule 28)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.adapters.memory import MemoryRunStore
from headwater.domain.errors import SpecError, StagingError
from headwater.domain.names import Layer, TableName
from headwater.domain.run import TablePlan, Window
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.ports.chunks import Chunk, ChunkClaim
from headwater.services.chunking import RunChunks, chunked, forget_ledger, plan_hash

AT = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = TableSchema(columns=(Column(name="id", type="int", field_id=1),))


def ledger(runs: MemoryRunStore, attempt: str, plan: str = "p") -> RunChunks:
    return RunChunks(runs, ChunkClaim(run_key="k", table="bronze.shop.orders", plan=plan, attempt=attempt))


def chunk(number: int, attempt: str = "a") -> Chunk:
    return Chunk(number=number, attempt=attempt, next_ordinal=number)


def table(**extract: Any) -> TableSpec:
    values = {"mode": "incremental", "cursor": "id", "chunk_rows": 10} | extract
    return TableSpec(name="orders", key=("id",), extract=SqlExtract(**values), silver=Silver(mode="upsert"))


def plan(**window: Any) -> TablePlan:
    values = {"kind": "incremental", "high": "9"} | window
    return TablePlan(table="orders", base_snapshot=1, batch=2, window=Window(**values), spec_hash="s")


def test_a_later_attempt_goes_on_and_the_earlier_one_writes_no_more() -> None:
    runs = MemoryRunStore()
    first, second = ledger(runs, "a"), ledger(runs, "b")
    assert first.finished() == ()
    first.finish(chunk(0))
    assert second.finished() == (chunk(0),)
    with pytest.raises(StagingError, match="another attempt reads"):
        first.finish(chunk(1))
    with pytest.raises(StagingError):
        first.forget(0)
    second.finish(chunk(1, "b"))
    assert ledger(runs, "c").finished() == (chunk(0), chunk(1, "b"))


def test_chunks_of_another_plan_are_never_taken() -> None:
    runs = MemoryRunStore()
    first = ledger(runs, "a")
    first.finished()
    first.finish(chunk(0))
    assert ledger(runs, "b", plan="other").finished() == ()
    assert ledger(runs, "c").finished() == ()


def test_of_a_table_without_chunks_the_run_store_is_asked_nothing() -> None:
    runs, name = MemoryRunStore(), TableName(layer=Layer.BRONZE, source="shop", table="orders")
    ledger(runs, "a").finished()
    ledger(runs, "a").finish(chunk(0))
    forget_ledger(None, "k", table(chunk_rows=None), name)  # type: ignore[arg-type]
    forget_ledger(runs, "k", table(), name)
    assert ledger(runs, "b").finished() == ()


@pytest.mark.parametrize(
    "other",
    [
        plan_hash(table(), plan(high="10"), AT, SCHEMA),
        plan_hash(table(), plan(), AT + timedelta(microseconds=1), SCHEMA),
        plan_hash(table(chunk_rows=11), plan(), AT, SCHEMA),
        plan_hash(table(non_finite="null"), plan(), AT, SCHEMA),
        plan_hash(table(), plan().model_copy(update={"spec_hash": "t"}), AT, SCHEMA),
        plan_hash(table(), plan().model_copy(update={"batch": 3}), AT, SCHEMA),
        plan_hash(
            table(), plan(), AT, TableSchema(columns=(*SCHEMA.columns, Column(name="n", type="int", field_id=2)))
        ),
    ],
)
def test_whatever_decides_what_the_files_hold_makes_another_plan(other: str) -> None:
    """Window, clock, spec, batch, options and columns."""
    assert other != plan_hash(table(), plan(), AT, SCHEMA)
    assert plan_hash(table(), plan(), AT, SCHEMA) == plan_hash(table(), plan(), AT, SCHEMA)


def test_a_kind_of_source_that_cannot_is_refused_in_words() -> None:
    assert chunked(table(chunk_rows=None), object()) is None  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="not read in chunks") as caught:
        chunked(table(), object())  # type: ignore[arg-type]
    assert caught.value.allowed == "a table of PostgreSQL, MySQL or MariaDB, or no chunk_rows"

"""extract_to_bronze stages one window once (rules 7 to 9, 18, 21, 40)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.errors import HeadwaterError, StaleBaseError
from headwater.domain.names import Layer


def _status(report: Any) -> str:
    return str(report.outcomes[0].status)


def test_a_second_try_reads_nothing_again(world: Any) -> None:
    """Rule 8."""
    world.plan("one")
    assert _status(world.extract("one", "orders")) == "staged"
    read = list(world.source.read)
    assert _status(world.extract("one", "orders")) == "staged"
    assert world.source.read == read


def test_a_staging_whose_branch_is_gone_is_made_again(world: Any) -> None:
    """Rule 8: what is recorded counts only while it stands."""
    world.plan("one")
    world.extract("one", "orders")
    (record,) = world.runs.staged(world.context("one").key)
    world.catalog.drop_branches(record.staged.table, [record.staged.branch])
    world.extract("one", "orders")
    (again,) = world.runs.staged(world.context("one").key)
    assert again.staged.attempt != record.staged.attempt
    assert world.source.read.count("orders") == 2


def test_clearing_after_the_publish_changes_nothing(world: Any) -> None:
    """Rule 9."""
    world.bronze("one")
    world.source.rows["orders"] = 9
    before = world.mains()
    world.plan("one")
    assert _status(world.extract("one", "orders")) == "published"
    world.bronze("one")
    assert world.mains() == before
    assert world.source.read.count("orders") == 1


def test_a_quiet_table_is_not_read(world: Any) -> None:
    """Rule 8."""
    world.whole("one")
    world.plan("two")
    assert _status(world.extract("two", "orders")) == "quiet"
    assert world.source.read.count("orders") == 1


def test_a_moved_base_ends_the_attempt(world: Any) -> None:
    """Rule 18: never staged on what another run made."""
    world.plan("one")
    world.runs.release_leases(world.context("one").key)
    world.bronze("two")
    world.runs.release_leases(world.context("two").key)
    with pytest.raises(StaleBaseError):
        world.extract("one", "orders")
    assert world.source.read[-1] == "closed"


def test_a_held_window_that_a_later_run_covered_is_superseded(world: Any) -> None:
    """Rule 21: clearing the old run finds nothing left to do, and ends green."""
    world.engine.broken = {"bronze.shop.orders"}
    assert world.whole("one") is not None
    assert world.status("one", "bronze.shop.orders") == "held"
    world.engine.broken = set()
    assert world.whole("two") is None
    assert world.status("one", "bronze.shop.orders") == "superseded"
    world.plan("one")
    assert _status(world.extract("one", "orders")) == "superseded"
    world.close("one")


def test_a_backfill_reads_and_never_moves_the_watermark(world: Any) -> None:
    """Rule 7."""
    world.whole("one")
    world.source.rows["orders"] = 9
    world.bronze("two", window_from=datetime(2026, 1, 1, tzinfo=UTC))
    head = world.catalog.head(world.context("two").tables(Layer.BRONZE)[0])
    assert (head.state.watermark, head.state.batch) == ("1", 2)


def test_unreadable_rows_are_shown_though_the_gate_closes(world: Any) -> None:
    """Rule 40."""
    world.source.rejecting = {"orders"}
    world.engine.broken = {f"bronze.shop.{table}" for table in ("orders", "customers", "stock")}
    with pytest.raises(HeadwaterError):
        world.bronze("one")
    (release,) = world.runs.current()
    assert [table.table.dotted for table in release.tables] == ["quarantine.shop.orders"]
    assert world.batch("bronze.shop.orders") == 0

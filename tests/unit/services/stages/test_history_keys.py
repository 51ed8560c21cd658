"""A released history is read by the key that made it, whatever the files say by now (rules 4, 35)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.spec import Silver
from headwater.services.histories import history_keys

SQL = "SELECT * FROM silver.shop.orders_As_Known_At(TIMESTAMP '2026-03-31')"


def edit(world: Any, table: str, **changes: Any) -> None:
    spec = world.model.spec
    tables = tuple(t.model_copy(update=changes) if t.name == table else t for t in spec.tables)
    world.model.spec = spec.model_copy(update={"tables": tables})


def keys(world: Any, sql: str = SQL) -> dict[str, tuple[str, ...]]:
    return history_keys(world, world.runs.current(), sql)


@pytest.fixture
def released(world: Any) -> Any:
    edit(world, "orders", silver=Silver(mode="scd2"))
    assert world.whole("one") is None
    return world


def test_a_key_that_no_run_has_used_yet_is_not_the_tables(released: Any) -> None:
    edit(released, "orders", key=("id", "day"))
    assert keys(released) == {"silver.shop.orders": ("id",)}


def test_files_that_do_not_load_keep_nobody_from_what_was_released(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released.model, "pipelines", lambda: (), raising=False)
    assert keys(released) == {"silver.shop.orders": ("id",)}


def test_the_files_are_asked_where_the_store_lost_the_run(released: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released.model, "pipelines", lambda: (released.model.spec,), raising=False)
    monkeypatch.setattr(released.runs, "spec_document", lambda run_key: None)
    assert keys(released) == {"silver.shop.orders": ("id",)}


def test_nothing_is_read_for_a_query_that_asks_no_history(released: Any) -> None:
    assert keys(released, "SELECT 1") == {}

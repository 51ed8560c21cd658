"""A real source against a real lake: what was injected is found, exactly, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from tests.integration.reconciling.conftest import ORDERS
from tests.integration.reconciling.lake_under_test import Lake
from tests.integration.reconciling.shops_under_test import EMULATED, ROWS, SHOPS, Shop
from tests.integration.sources.sources_under_test import Source

from headwater.domain.reconciliation import DifferenceKind, Reconciliation


@pytest.fixture(params=SHOPS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return (SHOPS | EMULATED)[request.param](request, tmp_path)


@pytest.fixture
def source(shop: Shop) -> Source:
    return shop.source


@pytest.fixture
def lake(shop: Shop, lake_of: Callable[..., Lake]) -> Lake:
    shop.make()
    made = lake_of(ORDERS)
    made.run()
    return made


def named(found: Reconciliation) -> dict[str, list[int]]:
    kinds: dict[str, list[int]] = {}
    for item in found.differences:
        kinds.setdefault(item.kind.value, []).append(int(item.key["id"]))
    return {kind: sorted(ids) for kind, ids in kinds.items()}


def listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))


def test_equal_sides_are_equal_and_no_row_is_read(lake: Lake) -> None:
    found = lake.reconcile()
    assert (found.source_rows, found.lake_rows, found.rows_read) == (ROWS, ROWS, 0)
    assert found.is_equal
    assert found.differences == ()


@pytest.mark.parametrize("shop", [*SHOPS, *EMULATED], indirect=True)
def test_exactly_what_was_injected_is_named_with_its_class(lake: Lake, shop: Shop) -> None:
    lost, altered, stale = [3, 700, 1_000, 2_499, 3_750], [5, 6, 7, 3_086, 4_750], [11, 500]
    lake.damage(
        f"SELECT * REPLACE (if(id IN ({listed(altered)}), total + 1, total)::DECIMAL(12,2) AS total) "
        f"FROM silver WHERE id NOT IN ({listed(lost)})"
    )
    late = range(ROWS + 1, ROWS + 6)
    shop.source.sql(
        shop.adding(dict.fromkeys(late, ROWS - 10) | {90_001: 50}),
        f"UPDATE orders SET total = total + 1 WHERE id IN ({listed(stale)})",
        "DELETE FROM orders WHERE id = 2000",
    )
    found = lake.reconcile()
    assert named(found) == {
        "lag": list(late),
        "loss": [*lost, 90_001],
        "corruption": altered,
        "snapshot_trap": stale,
        "deleted": [2_000],
    }
    mended = {item.mended_by for item in found.differences if item.kind is DifferenceKind.LOSS}
    assert mended == {"rebuild", "read_again"}
    assert found.rows_read < 0.3 * (found.source_rows + found.lake_rows)
    assert not found.is_equal


@pytest.mark.parametrize("shop", [*SHOPS, *EMULATED], indirect=True)
def test_a_source_that_moves_is_no_difference(lake: Lake, shop: Shop) -> None:
    """New rows, changed rows and a row deleted and written again are above the watermark; no bucket differs."""
    shop.source.sql(
        f"UPDATE orders SET total = total + 1, updated_at = {shop.at(shop.now)} WHERE id % 100 = 0",
        shop.adding(dict.fromkeys(range(30_001, 30_501), shop.now)),
    )
    found = lake.reconcile()
    assert (found.unread_rows, found.buckets_differing, found.differences) == (ROWS // 100 + 500, 0, ())


def test_what_a_run_brings_between_the_looks_is_no_difference(lake: Lake, shop: Shop) -> None:
    shop.source.sql(shop.adding({90_001: ROWS - 10}))
    assert named(lake.reconcile()) == {"lag": [90_001]}
    found = lake.reconcile(between=lake.run)
    assert (found.buckets_differing, found.differences) == (1, ())


def test_a_row_that_changes_between_the_looks_is_no_difference(lake: Lake, shop: Shop) -> None:
    shop.source.sql("UPDATE orders SET total = 0 WHERE id = 4")
    moves = f"UPDATE orders SET updated_at = {shop.at(shop.now)} WHERE id = 4"
    found = lake.reconcile(between=lambda: shop.source.sql(moves))
    assert (found.buckets_differing, found.differences) == (1, ())


def test_a_held_batch_is_known(lake: Lake, shop: Shop) -> None:
    """Silver stands at batch 1, the source was read further: what waits in bronze is no loss."""
    shop.source.sql(shop.adding({90_001: ROWS - 10}))
    lake.run(refine=False)
    assert named(lake.reconcile()) == {"held": [90_001]}


def test_rows_the_source_marks_as_gone_are_no_loss(shop: Shop, lake_of: Callable[..., Lake]) -> None:
    """Silver hides them, and bronze has them: it is bronze that is compared."""
    shop.make()
    extract = ORDERS.extract.model_copy(update={"deleted_column": "paid"})
    lake = lake_of(ORDERS.model_copy(update={"extract": extract}))
    lake.run()
    lake.damage("SELECT * REPLACE (id % 2 = 0 AS _hw_deleted) FROM silver")
    assert lake.reconcile().is_equal

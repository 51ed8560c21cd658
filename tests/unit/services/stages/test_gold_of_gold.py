"""Gold that reads gold of the same pipeline is built from what this very run made of it (rules 15, 20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater.domain.names import TableName
from headwater.services.gold_inputs import waves

REVENUE, TOP = "gold.shop.revenue", "gold.shop.top"


@pytest.fixture
def tower(world: Any, world_of: Callable[[Any], Any]) -> Any:
    """The shop with ``top`` over ``revenue``; it stands first in the YAML."""
    spec = world.model.spec
    top = spec.gold[0].model_copy(update={"name": "top", "inputs": (TableName.parse(REVENUE),)})
    return world_of(spec.model_copy(update={"gold": (top, *spec.gold)}))


def builds(world: Any, since: int) -> list[Any]:
    return [job.build for job in world.engine.jobs[since:] if job.kind == "build_gold"]


def test_upper_tables_are_built_after_those_they_read(tower: Any) -> None:
    assert [[gold.name for gold in wave] for wave in waves(tower.model.spec)] == [["revenue"], ["top"]]
    assert tower.whole("one") is None
    (lower,), (upper,) = builds(tower, 0)
    assert (lower.gold.dotted, upper.gold.dotted) == (REVENUE, TOP)
    assert upper.inputs[REVENUE].snapshot_id == tower.main(REVENUE)


def test_every_run_reads_what_it_built_itself(tower: Any) -> None:
    tower.whole("one")
    first, since = tower.main(REVENUE), len(tower.engine.jobs)
    tower.source.rows["orders"] += 1
    assert tower.whole("two") is None
    _, (upper,) = builds(tower, since)
    assert upper.inputs[REVENUE].snapshot_id == tower.main(REVENUE) != first
    assert tower.whole("three") is None
    assert len(builds(tower, since)) == 2


def test_upper_tables_wait_when_a_lower_one_failed(tower: Any) -> None:
    tower.whole("one")
    before = tower.mains()
    tower.source.rows["orders"] += 1
    tower.engine.failing = {REVENUE}
    assert tower.whole("two") is not None
    assert [tower.mains()[dotted] for dotted in (REVENUE, TOP)] == [before[REVENUE], before[TOP]]
    assert tower.batch("bronze.shop.orders") == 2


def test_a_closed_gate_of_the_lower_one_keeps_both_back(tower: Any) -> None:
    tower.whole("one")
    before = tower.mains()
    tower.source.rows["orders"] += 1
    tower.engine.broken = {REVENUE}
    assert tower.whole("two") is not None
    assert [tower.mains()[dotted] for dotted in (REVENUE, TOP)] == [before[REVENUE], before[TOP]]

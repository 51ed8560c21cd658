"""Inputs are tagged for gold that follows them, and for no other; tags go with their consumer (rules 38, 41)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import NotFoundError, SpecError
from headwater.domain.increment import GroupQueries
from headwater.domain.names import TableName
from headwater.services.consumer_tags import consumer_tag

ORDERS, REVENUE = TableName.parse("silver.shop.orders"), TableName.parse("gold.shop.revenue")
REPORT = TableName.parse("gold.report.monthly")


@pytest.fixture
def merging(world: Any) -> Any:
    edit(world, mode="merge")
    world.model.group_queries = lambda gold: GroupQueries(why_not="a window")
    assert world.whole("one") is None
    assert tags(world) == {consumer_tag(REVENUE): world.main(ORDERS.dotted)}
    return world


def edit(world: Any, **changes: Any) -> None:
    spec = world.model.spec
    world.model.spec = spec.model_copy(update={"gold": (spec.gold[0].model_copy(update=changes),)})


def tags(world: Any) -> dict[str, int]:
    found: dict[str, int] = world.catalog.head(ORDERS).tags
    return found


def more(world: Any, run_id: str) -> None:
    world.source.rows["orders"] += 1
    assert world.whole(run_id) is None


def test_gold_that_is_always_made_anew_keeps_nothing(world: Any) -> None:
    assert world.whole("one") is None
    assert tags(world) == {}


def test_a_tag_goes_with_gold_that_left_the_yaml(merging: Any) -> None:
    merging.model.spec = merging.model.spec.model_copy(update={"gold": ()})
    more(merging, "two")
    assert tags(merging) == {}


def test_a_tag_goes_with_the_mode_that_needed_it(merging: Any) -> None:
    edit(merging, mode="rebuild")
    more(merging, "two")
    assert tags(merging) == {}


def test_a_tag_goes_with_the_input(merging: Any) -> None:
    edit(merging, inputs=(TableName.parse("silver.shop.customers"),))
    more(merging, "two")
    assert tags(merging) == {}


def test_marks_of_others_are_left_alone(merging: Any) -> None:
    foreign = {"audit_2026", "used_by_gold", "used_by_the_auditors"}
    for name in foreign:
        merging.catalog.tag(ORDERS, name, merging.main(ORDERS.dotted))
    more(merging, "two")
    assert set(tags(merging)) == {*foreign, consumer_tag(REVENUE)}


@pytest.mark.parametrize(
    ("found", "is_kept"),
    [
        (NotFoundError("there is no pipeline report"), False),
        (SpecError("its file is broken"), True),
        ("rebuild", False),
        ("merge", True),
    ],
)
def test_a_tag_of_another_pipeline_stays_as_long_as_that_may_follow(merging: Any, found: Any, is_kept: bool) -> None:
    merging.catalog.tag(ORDERS, consumer_tag(REPORT), merging.main(ORDERS.dotted))
    spec = merging.model.spec
    own = merging.model.load

    def load(pipeline: str) -> Any:
        if pipeline != "report":
            return own(pipeline)
        if isinstance(found, Exception):
            raise found
        gold = spec.gold[0].model_copy(update={"name": "monthly", "mode": found, "inputs": (ORDERS,)})
        return spec.model_copy(update={"name": "report", "gold": (gold,)})

    merging.model.load = load
    more(merging, "two")
    assert (consumer_tag(REPORT) in tags(merging)) is is_kept

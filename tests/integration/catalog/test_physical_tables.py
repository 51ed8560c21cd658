"""Rule 14: the name of a table is swapped to another physical table, on the fake and on Iceberg over PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from headwater.domain.errors import NotFoundError, StaleBaseError
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import Catalog, DataFile, TableHead

Stage = Callable[..., Move]
OTHER = TableSchema(
    columns=tuple(
        Column(name=name, type=kind) for name, kind in (("id", "int"), ("name", "string"), ("label", "string"))
    )
)


@pytest.fixture
def stage_apart(catalog: Catalog, stage: Stage, new_file: Callable[[list[int]], DataFile]) -> Stage:
    """A fresh attempt that staged ``ids`` in a physical table of its own, as the move that would swap it in."""

    def run(table: TableName, ids: list[int], run_key: str = "k") -> Move:
        branch = branch_of(new_attempt())
        base = head(catalog, table).main
        apart = table.at(branch)
        catalog.cut_branch(apart, branch, catalog.create(apart, OTHER).main)
        staged = catalog.stage_files(apart, branch, [new_file(ids)], {"headwater.run-key": run_key})
        state = TableState(run_key=run_key, spec_hash="t", generation=1)
        return Move(table=table, base=base, target=staged, branch=branch, state=state, physical=branch)

    return run


@pytest.fixture
def published(catalog: Catalog, table: TableName, stage: Stage) -> Move:
    move = stage(table, [1], "one")
    catalog.publish([move])
    return move


def head(catalog: Catalog, table: TableName) -> TableHead:
    found = catalog.head(table)
    assert found is not None
    return found


def names(found: TableHead) -> list[str]:
    return [column.name for column in found.schema_.columns]


def only(catalog: Catalog, table: TableName) -> PhysicalName:
    (name,) = catalog.physical_tables(table)
    return name


def test_staging_apart_changes_nothing_of_the_table(
    catalog: Catalog, table: TableName, published: Move, stage_apart: Stage
) -> None:
    move = stage_apart(table, [1, 2])
    found = head(catalog, table)
    assert (found.main, names(found)) == (published.target, ["id", "name"])
    assert found.branches == {move.branch: move.target}, "whoever looks for attempts finds those staged apart"
    assert only(catalog, table) == move.home
    assert [name for name in catalog.list_tables() if name.dotted == table.dotted] == [table]
    with pytest.raises(NotFoundError):
        catalog.summary(table, move.target)


def test_publish_swaps_the_name_with_every_other_move(
    catalog: Catalog, table: TableName, published: Move, stage: Stage, stage_apart: Stage
) -> None:
    """Rules 16, 17: pointer, state and branch of all tables at one instant."""
    before, other = head(catalog, table), table.model_copy(update={"table": "lines"})
    beside, move = stage(other, [7]), stage_apart(table, [1, 2])
    locations = catalog.publish([move, beside])
    after = head(catalog, table)
    assert (after.main, after.state, after.branches) == (move.target, move.state, {})
    assert (after.uuid != before.uuid, names(after)) == (True, ["id", "name", "label"])
    assert locations[table.dotted] == after.metadata_location
    assert head(catalog, other).main == beside.target


def test_what_was_replaced_keeps_its_snapshots_and_files(
    catalog: Catalog, table: TableName, published: Move, stage_apart: Stage
) -> None:
    """Rule 19: releases of before are read in it."""
    before = head(catalog, table)
    catalog.publish([stage_apart(table, [1, 2])])
    replaced = only(catalog, table)
    assert replaced.is_replaced
    assert catalog.summary(replaced, published.target)["headwater.run-key"] == "one"
    found = head(catalog, replaced)
    assert (found.metadata_location, found.main, found.uuid) == (before.metadata_location, before.main, before.uuid)
    with pytest.raises(NotFoundError):
        catalog.summary(table, published.target)


def test_the_swapped_table_is_staged_and_published_like_any_other(
    catalog: Catalog, table: TableName, published: Move, stage: Stage, stage_apart: Stage
) -> None:
    swapped = stage_apart(table, [1])
    catalog.publish([swapped])
    move = stage(table, [3], "three")
    assert move.base == swapped.target
    catalog.publish([move])
    assert head(catalog, table).main == move.target
    assert catalog.is_ancestor(table, swapped.target)


def test_a_swap_is_taken_back_by_a_swap(
    catalog: Catalog, table: TableName, published: Move, stage_apart: Stage
) -> None:
    """Rule 22."""
    swapped = stage_apart(table, [1])
    catalog.publish([swapped])
    back = only(catalog, table)
    catalog.cut_branch(back, "hw_back", published.target)
    undone = published.model_copy(update={"base": swapped.target, "branch": "hw_back", "physical": back.mark})
    catalog.publish([undone])
    found = head(catalog, table)
    assert (found.main, found.state, names(found)) == (published.target, published.state, ["id", "name"])
    assert catalog.summary(only(catalog, table), swapped.target)


@pytest.mark.parametrize("stale", [{"base": 5}, {"target": 5}, {"branch": "hw_gone"}, {"physical": "hw_gone"}])
def test_a_stale_swap_moves_nothing(
    catalog: Catalog,
    table: TableName,
    published: Move,
    stage: Stage,
    stage_apart: Stage,
    stale: Mapping[str, object],
) -> None:
    """Rule 17: guarded by ``main`` of the one and the staged snapshot of the other."""
    beside = stage(table.model_copy(update={"table": "lines"}), [7])
    move = stage_apart(table, [1])
    with pytest.raises(StaleBaseError):
        catalog.publish([beside, move.model_copy(update=stale)])
    assert head(catalog, table).main == published.target
    assert head(catalog, beside.table).main == beside.base
    assert only(catalog, table) == move.home


def test_dropping_the_branch_drops_what_was_staged_apart(
    catalog: Catalog, table: TableName, published: Move, stage_apart: Stage
) -> None:
    """Rule 23: a paused publisher that wakes up is refused."""
    dead, live = stage_apart(table, [1]), stage_apart(table, [2])
    catalog.drop_branches(table, [dead.branch or ""])
    catalog.drop_branches(table, [dead.branch or ""])
    assert catalog.physical_tables(table) == (live.home,)
    with pytest.raises(StaleBaseError):
        catalog.publish([dead])
    catalog.publish([live])


def test_a_name_is_never_dropped_by_a_mark_of_before(
    catalog: Catalog, table: TableName, published: Move, stage_apart: Stage
) -> None:
    """Rule 23: a take-over that listed the attempt just before it was published drops nothing of it."""
    move = stage_apart(table, [1])
    catalog.publish([move])
    assert isinstance(move.home, PhysicalName)
    catalog.drop_physical(move.home)
    catalog.drop_branches(table, [move.branch or ""])
    assert head(catalog, table).main == move.target

"""What every Catalog does; run on the fake and on Iceberg over PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headwater.domain.errors import NotFoundError, SchemaDriftError, StagingError, StaleBaseError
from headwater.domain.names import TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import Catalog, DataFile

Stage = Callable[..., Move]
NewFile = Callable[[list[int]], DataFile]


def _neighbour(table: TableName) -> TableName:
    return table.model_copy(update={"table": "lines"})


def _main(catalog: Catalog, table: TableName) -> int | None:
    head = catalog.head(table)
    assert head is not None
    return head.main


def test_a_table_that_does_not_exist_has_no_head(catalog: Catalog, table: TableName) -> None:
    assert catalog.head(table) is None
    assert table not in catalog.list_tables()


def test_creating_gives_main_and_is_idempotent(catalog: Catalog, table: TableName, schema: TableSchema) -> None:
    """Rule 13."""
    first = catalog.create(table, schema)
    again = catalog.create(table, schema)
    assert first.main is not None
    assert (again.main, again.uuid, again.metadata_location) == (first.main, first.uuid, first.metadata_location)
    assert table in catalog.list_tables()


def test_created_columns_are_nullable_and_numbered(catalog: Catalog, table: TableName, schema: TableSchema) -> None:
    columns = catalog.create(table, schema).schema_.columns
    assert [(column.name, column.type, column.required, column.field_id) for column in columns] == [
        ("id", "int", False, 1),
        ("name", "string", False, 2),
    ]


def test_adding_and_widening_twice_changes_once(catalog: Catalog, table: TableName, schema: TableSchema) -> None:
    """Rule 14."""
    catalog.create(table, schema)
    added = Column(name="note", type="string")
    first = catalog.evolve(table, [added], {"id": "long"})
    again = catalog.evolve(table, [added], {"id": "long"})
    assert first.schema_ == again.schema_
    assert [(column.name, column.type) for column in again.schema_.columns] == [
        ("id", "long"),
        ("name", "string"),
        ("note", "string"),
    ]


@pytest.mark.parametrize(
    ("add", "widen"),
    [
        ([Column(name="id", type="string")], {}),
        ([], {"name": "int"}),
        ([], {"absent": "long"}),
    ],
    ids=["exists with another type", "no widening", "no such column"],
)
def test_any_other_change_in_place_is_refused(
    catalog: Catalog, table: TableName, schema: TableSchema, add: list[Column], widen: dict[str, str]
) -> None:
    """Rule 14."""
    before = catalog.create(table, schema).schema_
    with pytest.raises(SchemaDriftError):
        catalog.evolve(table, add, widen)
    assert catalog.create(table, schema).schema_ == before


def test_staging_touches_its_branch_only(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """Rule 10."""
    move = stage(table, [1, 2])
    head = catalog.head(table)
    assert head is not None
    assert head.main == move.base
    assert head.branches == {move.branch: move.target}
    assert not catalog.is_ancestor(table, move.target)


def test_a_tag_moves_with_its_consumer_and_is_no_branch(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """Rules 38, 41."""
    for rows in ([1], [2]):
        move = stage(table, rows)
        catalog.publish([move])
        catalog.tag(table, "used_by_gold", move.target)
    head = catalog.head(table)
    assert head is not None
    assert head.branches == {}
    with pytest.raises(NotFoundError):
        catalog.tag(table, "used_by_gold", 7)


def test_tags_are_told_and_dropped_by_name(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """Rule 38: with their consumer. A branch of a run is none."""
    move = stage(table, [1])
    for name in ("used_by_a", "used_by_b"):
        catalog.tag(table, name, move.target)
    catalog.drop_tags(table, ["used_by_a", "used_by_gone"])
    head = catalog.head(table)
    assert head is not None
    assert (head.tags, head.branches) == ({"used_by_b": move.target}, {move.branch: move.target})


def test_cutting_a_branch_again_leaves_it_where_it_is(catalog: Catalog, table: TableName, stage: Stage) -> None:
    move = stage(table, [1])
    assert move.branch is not None
    catalog.cut_branch(table, move.branch, move.base)
    head = catalog.head(table)
    assert head is not None
    assert head.branches == {move.branch: move.target}


def test_staging_the_same_files_again_finds_the_first_commit(
    catalog: Catalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 11: the answer was lost, the attempt asks again."""
    branch = branch_of(new_attempt())
    catalog.cut_branch(table, branch, catalog.create(table, schema).main)
    file = new_file([1])
    first = catalog.stage_files(table, branch, [file], {"headwater.run-key": "k"})
    assert catalog.stage_files(table, branch, [file], {"headwater.run-key": "k"}) == first


def test_a_run_key_on_a_dead_attempts_branch_means_nothing(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """Rule 11: attempt 2 stages anew; otherwise its data would be lost with attempt 1."""
    dead = stage(table, [1], "same-run")
    alive = stage(table, [1], "same-run")
    assert alive.target != dead.target
    catalog.publish([alive])
    assert _main(catalog, table) == alive.target


def test_a_run_key_on_main_does_not_stop_a_later_attempt(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """The branch inherits main's history, and with it the run key of an earlier publish of the same run."""
    catalog.publish([stage(table, [1], "same-run")])
    second = stage(table, [2], "same-run")
    assert second.target != second.base


def test_a_path_is_never_staged_twice(
    catalog: Catalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 12: neither within a call, nor when the branch has it already."""
    branch = branch_of(new_attempt())
    catalog.cut_branch(table, branch, catalog.create(table, schema).main)
    file = new_file([1])
    with pytest.raises(StagingError):
        catalog.stage_files(table, branch, [file, file], {"headwater.run-key": "k"})
    catalog.stage_files(table, branch, [file], {"headwater.run-key": "k"})
    with pytest.raises(StagingError):
        catalog.stage_files(table, branch, [file], {"headwater.run-key": "another"})
    with pytest.raises(StagingError):
        catalog.stage_files(table, branch, [file, new_file([2])], {"headwater.run-key": "k"})


def test_a_path_that_main_has_is_refused_on_a_later_branch(
    catalog: Catalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 12: what the branch inherits counts, too."""
    file = new_file([1])
    base, branch = catalog.create(table, schema).main, branch_of(new_attempt())
    catalog.cut_branch(table, branch, base)
    staged = catalog.stage_files(table, branch, [file], {"headwater.run-key": "k"})
    state = TableState(run_key="k", spec_hash="s")
    catalog.publish([Move(table=table, base=base, target=staged, branch=branch, state=state)])
    catalog.cut_branch(table, "hw_later", staged)
    with pytest.raises(StagingError):
        catalog.stage_files(table, "hw_later", [file], {"headwater.run-key": "k2"})


def test_publish_moves_all_tables_with_their_state(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """Rules 16, 17: main, the branch and headwater.state change in one commit."""
    moves = [stage(table, [1]), stage(_neighbour(table), [2, 3])]
    locations = catalog.publish(moves)
    for move in moves:
        head = catalog.head(move.table)
        assert head is not None
        assert (head.main, head.state, head.branches) == (move.target, move.state, {})
        assert locations[move.table.dotted] == head.metadata_location
        assert catalog.is_ancestor(move.table, move.target)


def _stale_base(catalog: Catalog, move: Move, stage: Stage) -> Move:
    catalog.publish([stage(move.table, [9])])
    return move


def _branch_moved(catalog: Catalog, move: Move, stage: Stage) -> Move:
    return move.model_copy(update={"target": move.base})


def _branch_dropped(catalog: Catalog, move: Move, stage: Stage) -> Move:
    assert move.branch is not None
    catalog.drop_branches(move.table, [move.branch])
    return move


def _rolled_back_to_the_base(catalog: Catalog, move: Move, stage: Stage) -> Move:
    """ABA: main stands where the attempt began, but it has been elsewhere, and its branch was dropped for that."""
    assert move.base is not None
    catalog.publish([stage(move.table, [9])])
    back = Move(table=move.table, base=_main(catalog, move.table), target=move.base, branch=None, state=move.state)
    catalog.publish([back])
    return _branch_dropped(catalog, move, stage)


def _unknown_target(catalog: Catalog, move: Move, stage: Stage) -> Move:
    return move.model_copy(update={"target": 4711, "branch": None})


@pytest.mark.parametrize(
    "spoil", [_stale_base, _branch_moved, _branch_dropped, _rolled_back_to_the_base, _unknown_target]
)
def test_one_stale_move_refuses_all(
    catalog: Catalog, table: TableName, stage: Stage, spoil: Callable[[Catalog, Move, Stage], Move]
) -> None:
    """Rule 17."""
    good, bad = stage(_neighbour(table), [1]), spoil(catalog, stage(table, [1]), stage)
    before = _main(catalog, table)
    with pytest.raises(StaleBaseError) as refused:
        catalog.publish([good, bad])
    assert refused.value.facts["table"] == table.dotted
    assert (_main(catalog, good.table), _main(catalog, table)) == (good.base, before)


def test_what_other_branches_do_is_no_stale_base(catalog: Catalog, table: TableName, stage: Stage) -> None:
    """A neighbour's staging rewrites the metadata, not main: the move is looked at again and made."""
    move = stage(table, [1])
    stage(table, [2])
    catalog.evolve(table, [Column(name="note", type="string")], {})
    catalog.publish([move])
    assert _main(catalog, table) == move.target


def test_dropping_branches_that_are_gone_does_nothing(catalog: Catalog, table: TableName, stage: Stage) -> None:
    move = stage(table, [1])
    assert move.branch is not None
    catalog.drop_branches(table, [move.branch, "hw_never"])
    catalog.drop_branches(table, [move.branch])
    head = catalog.head(table)
    assert head is not None
    assert head.branches == {}


def test_the_summary_of_a_snapshot_names_its_run(catalog: Catalog, table: TableName, stage: Stage) -> None:
    move = stage(table, [1], "the-run")
    assert catalog.summary(table, move.target)["headwater.run-key"] == "the-run"
    with pytest.raises(NotFoundError):
        catalog.summary(table, 4711)


def test_attachments_live_beside_the_table(catalog: Catalog, table: TableName, schema: TableSchema) -> None:
    """Rule 29."""
    head = catalog.create(table, schema)
    path = catalog.write_attachment(table, "ledger-1.json", b"{}")
    assert path.startswith(head.location)
    assert catalog.read_attachment(path) == b"{}"
    with pytest.raises(NotFoundError):
        catalog.read_attachment(path + ".gone")


@pytest.mark.parametrize("act", ["cut", "stage", "evolve"])
def test_work_on_a_table_that_does_not_exist_says_so(
    catalog: Catalog, table: TableName, new_file: NewFile, act: str
) -> None:
    acts: dict[str, Callable[[], object]] = {
        "cut": lambda: catalog.cut_branch(table, "hw_x", 1),
        "stage": lambda: catalog.stage_files(table, "hw_x", [new_file([1])], {"headwater.run-key": "k"}),
        "evolve": lambda: catalog.evolve(table, [Column(name="x", type="int")], {}),
    }
    with pytest.raises(NotFoundError):
        acts[act]()

"""What only the real catalog can show: rows, files, lost answers, racing writers, the library calls we pin."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.table import StaticTable
from sqlalchemy import event

from headwater.adapters.iceberg import IcebergCatalog
from headwater.domain.errors import CatalogError, HeadwaterError, NotFoundError, StagingError, StaleBaseError
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move
from headwater.domain.run import InputRef
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import DataFile

NewFile = Callable[[list[int]], DataFile]


def _ids(metadata_location: str, snapshot_id: int | None = None) -> list[int]:
    found = StaticTable.from_metadata(metadata_location).scan(snapshot_id=snapshot_id).to_arrow()
    return sorted(found.column("id").to_pylist())


def _attempt(
    catalog: IcebergCatalog, table: TableName, schema: TableSchema, file: DataFile, run_key: str = "k"
) -> Move:
    base, branch = catalog.create(table, schema).main, branch_of(new_attempt())
    catalog.cut_branch(table, branch, base)
    staged = catalog.stage_files(table, branch, [file], {"headwater.run-key": run_key})
    state = TableState(run_key=run_key, spec_hash="s")
    return Move(table=table, base=base, target=staged, branch=branch, state=state)


@contextmanager
def lost_answers(catalog: IcebergCatalog, share: float) -> Iterator[list[int]]:
    """Commits that moved a table's pointer happen, yet their caller is told that the connection broke."""
    lost: list[int] = []
    dice = random.Random(7)
    dialect: Any = catalog._lake.engine.dialect
    moved = threading.local()

    def executed(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        moved.pointer = getattr(moved, "pointer", False) or statement.startswith("UPDATE iceberg_tables")

    def commit(connection: Any) -> None:
        connection.commit()
        if getattr(moved, "pointer", False):
            moved.pointer = False
            if dice.random() < share:
                lost.append(1)
                raise dialect.loaded_dbapi.OperationalError("answer lost")

    event.listen(catalog._lake.engine, "after_cursor_execute", executed)
    dialect.do_commit = commit
    try:
        yield lost
    finally:
        del dialect.do_commit
        event.remove(catalog._lake.engine, "after_cursor_execute", executed)


def test_staging_survives_lost_answers_without_doubling(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 11."""
    branch = branch_of(new_attempt())
    iceberg.cut_branch(table, branch, iceberg.create(table, schema).main)
    with lost_answers(iceberg, share=1.0) as lost:
        staged = iceberg.stage_files(table, branch, [new_file([1, 2])], {"headwater.run-key": "k"})
    head = iceberg.head(table)
    assert lost
    assert head is not None
    assert head.branches == {branch: staged}
    assert _ids(head.metadata_location, staged) == [1, 2]


def test_a_publish_whose_answer_is_lost_says_that_it_does_not_know(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    move = _attempt(iceberg, table, schema, new_file([1]))
    with lost_answers(iceberg, share=1.0), pytest.raises(CatalogError):
        iceberg.publish([move])
    head = iceberg.head(table)
    assert head is not None
    assert head.main == move.target


def test_four_publishers_with_lost_answers_neither_double_nor_lose(
    settings: CatalogSettings, iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Each works as a run does: attempt, publish; a stale base or an unknown outcome is looked at, then done again."""

    def publish_all(writer: int) -> None:
        for turn in range(3):
            _until_published(iceberg, table, schema, new_file, f"{writer}-{turn}", writer * 100 + turn)

    iceberg.create(table, schema)
    with lost_answers(iceberg, share=0.3) as lost, ThreadPoolExecutor(4) as pool:
        list(pool.map(publish_all, range(4)))
    head = iceberg.head(table)
    assert lost
    assert head is not None
    assert _ids(head.metadata_location) == sorted(writer * 100 + turn for writer in range(4) for turn in range(3))


def _until_published(
    catalog: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile, run_key: str, row: int
) -> None:
    while True:
        try:
            move = _attempt(catalog, table, schema, new_file([row]), run_key)
            catalog.publish([move])
            return
        except StaleBaseError:
            continue
        except CatalogError:
            head = catalog.head(table)
            assert head is not None
            published = any(
                catalog.is_ancestor(table, snapshot) for snapshot in _snapshots_of(head.metadata_location, run_key)
            )
            if published:
                return


def _snapshots_of(metadata_location: str, run_key: str) -> list[int]:
    snapshots = StaticTable.from_metadata(metadata_location).metadata.snapshots
    return [
        snapshot.snapshot_id
        for snapshot in snapshots
        if snapshot.summary and snapshot.summary.additional_properties.get("headwater.run-key") == run_key
    ]


def test_racing_creators_make_one_table_with_one_empty_snapshot(
    postgres_database: Callable[..., str], tmp_path: Path, table: TableName, schema: TableSchema
) -> None:
    """Rule 13, also for the catalog's own tables, which do not exist yet."""
    settings = CatalogSettings(uri=postgres_database(), jdbc_uri="", warehouse=f"file://{tmp_path}")

    def create(_: int) -> tuple[str, int | None]:
        catalog = IcebergCatalog(settings)
        head = catalog.create(table, schema)
        catalog.close()
        return head.uuid, head.main

    with ThreadPoolExecutor(3) as pool:
        made = set(pool.map(create, range(3)))
    assert len(made) == 1


def test_attempts_staging_on_one_table_at_once_all_land(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Sequence numbers are table-wide: neighbours make each other's snapshots too old, which is tried again."""
    iceberg.create(table, schema)
    with ThreadPoolExecutor(4) as pool:
        moves = list(pool.map(lambda i: _attempt(iceberg, table, schema, new_file([i])), range(8)))
    head = iceberg.head(table)
    assert head is not None
    assert head.branches == {move.branch: move.target for move in moves}
    assert [_ids(head.metadata_location, move.target) for move in moves] == [[i] for i in range(8)]


def test_a_released_metadata_file_stays_readable_after_later_publishes(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 19: a reader may hold a release for long; also after more commits than the metadata log remembers."""
    first = iceberg.publish([_attempt(iceberg, table, schema, new_file([1]))])[table.dotted]
    main = iceberg.create(table, schema).main
    for i in range(52):
        iceberg.cut_branch(table, f"hw_{i}", main)
    iceberg.publish([_attempt(iceberg, table, schema, new_file([2]))])
    assert _ids(first) == [1]


def test_a_widened_table_reads_old_and_new_files_on_a_branch(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 14: files are matched by field id, so an int file written before the widening still fits."""
    file = new_file([1])
    iceberg.create(table, schema)
    iceberg.evolve(table, [Column(name="note", type="string")], {"id": "long"})
    move = _attempt(iceberg, table, schema, file)
    assert _ids(iceberg.publish([move])[table.dotted]) == [1]


def test_new_rows_are_merged_by_key_and_files_consumed(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile
) -> None:
    """Rule 40: quarantine holds each row once, whoever diverts it again."""
    iceberg.publish([_attempt(iceberg, table, schema, new_file([1, 2]))])
    head = iceberg.head(table)
    assert head is not None
    branch = branch_of(new_attempt())
    iceberg.cut_branch(table, branch, head.main)
    files = [new_file([2, 3]), new_file([3, 4])]
    staged = iceberg.stage_new_rows(table, branch, files, "id", {"headwater.run-key": "k2"})
    assert staged is not None
    now = iceberg.head(table)
    assert now is not None
    assert _ids(now.metadata_location, staged) == [1, 2, 3, 4]
    assert not any(Path(file.path).exists() for file in files)
    iceberg.cut_branch(table, "hw_again", staged)
    assert iceberg.stage_new_rows(table, "hw_again", [new_file([4])], "id", {"headwater.run-key": "k3"}) is None


def test_a_missing_file_is_a_storage_failure_and_stages_nothing(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema
) -> None:
    gone = DataFile(path="/nowhere/gone.parquet", rows=1, size_bytes=1)
    with pytest.raises(CatalogError):
        _attempt(iceberg, table, schema, gone)
    head = iceberg.head(table)
    assert head is not None
    assert set(head.branches.values()) == {head.main}


def test_a_catalog_that_cannot_be_reached_is_explained_without_its_password(tmp_path: Path) -> None:
    settings = CatalogSettings(
        uri="postgresql+psycopg://u:hunter2@127.0.0.1:1/none", jdbc_uri="", warehouse=f"file://{tmp_path}"
    )
    with pytest.raises(CatalogError) as failed:
        IcebergCatalog(settings).list_tables()
    assert failed.value.retry_helps
    assert "hunter2" not in str(failed.value)


def test_only_our_names_are_listed(iceberg: IcebergCatalog, table: TableName, schema: TableSchema) -> None:
    iceberg.create(table, schema)
    foreign = f"somebody_{table.source}"
    iceberg._lake.create_table(f"bronze.{foreign}", iceberg._lake.load_table(table.identifier).schema())
    listed = iceberg.list_tables()
    assert table in listed
    assert not any(foreign in name.iceberg for name in listed)


def test_a_table_of_somebody_else_is_no_physical_table_of_ours(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema
) -> None:
    """Rule 14: whoever keeps a copy beside our table keeps it."""
    iceberg.create(table, schema)
    namespace, name = table.identifier
    for foreign in (f"{name}__copy", f"{name}__hw_", f"{name}2__hw_1"):
        iceberg._lake.create_table((namespace, foreign), schema=iceberg._lake.load_table(table.identifier).schema())
    assert iceberg.physical_tables(table) == ()
    head = iceberg.head(table)
    assert head is not None
    assert head.branches == {}


def test_moving_a_table_that_does_not_exist_is_refused(iceberg: IcebergCatalog) -> None:
    absent = TableName(layer=Layer.GOLD, source="a", table="b")
    move = Move(table=absent, base=None, target=1, branch=None, state=TableState(run_key="k", spec_hash="s"))
    with pytest.raises(NotFoundError):
        iceberg.publish([move])


@pytest.mark.parametrize("type_", ["time", "timestamp_ns", "struct<a>", "decimal(x,1)", "list<int, int>"])
def test_types_no_table_may_have_are_refused(iceberg: IcebergCatalog, table: TableName, type_: str) -> None:
    """Rule 30."""
    with pytest.raises(HeadwaterError):
        iceberg.create(table, TableSchema(columns=(Column(name="a", type=type_),)))
    assert iceberg.head(table) is None


@pytest.mark.parametrize("inputs", [20, 200])
def test_a_state_above_4_kib_lies_in_a_file_that_the_property_names(
    iceberg: IcebergCatalog, table: TableName, schema: TableSchema, new_file: NewFile, inputs: int
) -> None:
    """Rule 29; twenty inputs of gold fit into the property, two hundred do not."""
    refs = {f"silver.shop.table_{n:03d}": InputRef(snapshot_id=2**62 + n, batch=n) for n in range(inputs)}
    state = TableState(run_key="k", spec_hash="s", inputs=refs)
    iceberg.publish([_attempt(iceberg, table, schema, new_file([1])).model_copy(update={"state": state})])
    head = iceberg.head(table)
    assert head is not None
    assert head.state == state
    kept = StaticTable.from_metadata(head.metadata_location).metadata.properties["headwater.state"]
    files = list(Path(head.location.removeprefix("file://")).glob("metadata/state-*.json"))
    assert len(kept.encode()) <= 4096
    assert len(files) == (inputs == 200)
    for file in files:
        assert str(file) in kept
        file.write_bytes(file.read_bytes().replace(b"table_001", b"table_002"))
        with pytest.raises(StagingError, match="is not the one that was published"):
            iceberg.head(table)
        file.unlink()
        with pytest.raises(CatalogError):
            iceberg.head(table)

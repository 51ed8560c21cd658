"""A catalog lost and made again from the warehouse, compared with the living one row by row."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.adapters.duckdb.comparing import Snapshots, compare_releases
from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.iceberg.rebuilding import rebuild_catalog
from headwater.adapters.iceberg.upkeep import IcebergUpkeep
from headwater.domain.backup_errors import BackupError
from headwater.domain.names import Layer, PhysicalName, TableName
from headwater.domain.release import Move, Release, ReleasedTable
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import DataFile

SCHEMA = TableSchema(columns=(Column(name="id", type="int"),))
FIELDS = pa.schema([pa.field("id", pa.int32(), metadata={"PARQUET:field_id": "1"})])
TABLES = tuple(TableName(layer=Layer.SILVER, source="shop", table=name) for name in ("orders", "customers"))


@dataclass
class Lake:
    """A warehouse with two releases of two tables, newest first, and one attempt that is still staged."""

    settings: CatalogSettings
    empty: CatalogSettings
    releases: tuple[Release, ...]
    held: str


@pytest.fixture
def lake(postgres_database: Callable[..., str], tmp_path: Path) -> Lake:
    warehouse = tmp_path / "warehouse"
    settings = CatalogSettings(uri=postgres_database(), jdbc_uri="", warehouse=str(warehouse))
    with closing(IcebergCatalog(settings)) as catalog:
        releases = [_release(catalog, tmp_path, number) for number in (1, 2)]
        held = _stage(catalog, tmp_path, TABLES[0], 9)
    empty = CatalogSettings(uri=postgres_database(), jdbc_uri="", warehouse=str(warehouse))
    return Lake(settings, empty, tuple(reversed(releases)), held.branch or "")


def _stage(catalog: IcebergCatalog, folder: Path, table: TableName, number: int) -> Move:
    base = catalog.create(table, SCHEMA).main
    branch = branch_of(new_attempt())
    catalog.cut_branch(table, branch, base)
    path = folder / f"{uuid4().hex}.parquet"
    pq.write_table(pa.table([[number, number * 10]], schema=FIELDS), path)
    file = DataFile(path=str(path), rows=2, size_bytes=path.stat().st_size)
    staged = catalog.stage_files(table, branch, [file], {"headwater.run-key": str(number)})
    return Move(table=table, base=base, target=staged, branch=branch, state=TableState(run_key="k", spec_hash="s"))


def _release(catalog: IcebergCatalog, folder: Path, number: int) -> Release:
    moves = [_stage(catalog, folder, table, number) for table in TABLES]
    places = catalog.publish(moves)
    tables = tuple(
        ReleasedTable(table=m.table, snapshot_id=m.target, metadata_location=places[m.table.dotted]) for m in moves
    )
    return Release(
        id=f"r-{number}", run_key="k", pipeline="shop", kind="audited", status="published",
        created_at=datetime.now(UTC), published_at=datetime.now(UTC), tables=tables,
    )  # fmt: skip


def _die_before_commit(place: str, target: int) -> str:
    """What a publisher leaves that died between its metadata file and the catalog's row."""
    path = Path(place.removeprefix("file://"))
    content = json.loads(path.read_text())
    content["refs"]["main"]["snapshot-id"] = content["current-snapshot-id"] = target
    orphan = path.with_name(f"{99:05d}-{uuid4()}.metadata.json")
    orphan.write_text(json.dumps(content))
    return str(orphan)


def _heads(settings: CatalogSettings) -> dict[str, tuple[int | None, str]]:
    with closing(IcebergCatalog(settings)) as catalog:
        heads = [catalog.head(table) for table in catalog.list_tables()]
    return {head.table.dotted: (head.main, head.metadata_location) for head in heads if head is not None}


def test_the_rebuilt_catalog_is_the_lost_one(lake: Lake) -> None:
    rebuild_catalog(lake.empty, lake.releases)
    assert _heads(lake.empty) == _heads(lake.settings)
    found = compare_releases(lake.releases, Snapshots(lake.settings), lake.releases, Snapshots(lake.empty))
    assert (found.releases, found.tables, found.rows, found.differences) == (2, 4, 12, [])
    with closing(IcebergCatalog(lake.empty)) as catalog:
        head = catalog.head(TABLES[0])
        assert head is not None
        assert lake.held in head.branches


def test_a_publish_that_died_is_told_by_the_releases(lake: Lake) -> None:
    newest, older = lake.releases
    _die_before_commit(newest.tables[1].metadata_location, older.tables[1].snapshot_id)
    rebuild_catalog(lake.empty, lake.releases)
    assert _heads(lake.empty) == _heads(lake.settings)


def test_nothing_is_registered_when_a_table_is_gone_or_the_catalog_is_not_empty(lake: Lake) -> None:
    with pytest.raises(BackupError, match="not empty"):
        rebuild_catalog(lake.settings, lake.releases)
    folder = Path(lake.releases[0].tables[0].metadata_location.removeprefix("file://")).parent
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(BackupError, match="lacks 1 tables"):
        rebuild_catalog(lake.empty, lake.releases)
    assert _heads(lake.empty) == {}


def _kill_a_drop(catalog: IcebergCatalog, name: PhysicalName) -> None:
    """What is left of a drop whose purge was killed before the first file went."""
    head = catalog.head(name)
    assert head is not None
    folder = Path(head.location.removeprefix("file://"))
    shutil.copytree(folder, folder.with_name("kept"))
    catalog.drop_physical(name)
    shutil.copytree(folder.with_name("kept"), folder, dirs_exist_ok=True)
    shutil.rmtree(folder.with_name("kept"))


@pytest.mark.parametrize("is_run_store_lost", [False, True])
def test_what_drops_left_does_not_come_back(lake: Lake, is_run_store_lost: bool) -> None:
    """A table that another one replaced, and one that was staged apart, both dropped by maintenance (rule 14)."""
    table, apart = TABLES[1], PhysicalName.of(TABLES[1], branch_of(new_attempt()))
    with closing(IcebergCatalog(lake.settings)) as catalog:
        old = catalog.head(table)
        assert old is not None
        staged = catalog.create(apart, SCHEMA).main
        catalog.cut_branch(apart, apart.mark, staged)
        state = TableState(run_key="k", spec_hash="s")
        move = Move(table=table, base=old.main, target=staged, branch=apart.mark, state=state, physical=apart.mark)
        places = catalog.publish([move])
        released = ReleasedTable(table=table, snapshot_id=staged, metadata_location=places[table.dotted])
        (replaced,) = catalog.physical_tables(table)
        never = PhysicalName.of(table, branch_of(new_attempt()))
        catalog.create(never, SCHEMA)
        for name in (replaced, never):
            _kill_a_drop(catalog, name)
    swap = lake.releases[0].model_copy(update={"id": "r-3", "tables": (released,)})
    found = rebuild_catalog(lake.empty, () if is_run_store_lost else (swap, *lake.releases))
    assert _heads(lake.empty) == _heads(lake.settings)
    with closing(IcebergCatalog(lake.empty)) as catalog:
        assert catalog.physical_tables(table) == ()
    assert set(found.left_out) == {f"silver.{table.identifier[1]}", ".".join(never.identifier)}


def test_a_difference_of_one_row_is_told(lake: Lake) -> None:
    newest, older = lake.releases
    wrong = newest.tables[0].model_copy(update={"snapshot_id": older.tables[0].snapshot_id})
    altered = newest.model_copy(update={"tables": (wrong, *newest.tables[1:])})
    places = Snapshots(lake.settings)
    assert "says other things" in compare_releases([newest], places, [altered], places).differences[0]
    assert "is missing" in compare_releases([newest], places, [], places).differences[0]


def test_a_rewrite_is_found_by_the_release_it_stands_for(lake: Lake) -> None:
    """Maintenance moves ``main`` to a snapshot that no release names (ADR 18)."""
    newest, _ = lake.releases
    table, branch = TABLES[1], branch_of(new_attempt())
    with closing(IcebergCatalog(lake.settings)) as catalog, closing(IcebergUpkeep(lake.settings)) as upkeep:
        head = catalog.head(table)
        assert head is not None
        assert head.state is not None
        catalog.cut_branch(table, branch, head.main)
        merged = upkeep.merge_manifests(table, branch)
        assert merged is not None
        state = head.state.model_copy(update={"stands_for": head.main})
        catalog.publish([Move(table=table, base=head.main, target=merged, branch=branch, state=state)])
    rebuild_catalog(lake.empty, lake.releases)
    assert _heads(lake.empty) == _heads(lake.settings)
    assert _heads(lake.empty)[table.dotted][0] == merged
    expired = newest.model_copy(update={"tables": (newest.tables[0].model_copy(update={"snapshot_id": 1}),)})
    places = Snapshots(lake.settings)
    assert compare_releases([expired], places, [expired], places).expired == 1

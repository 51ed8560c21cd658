"""What maintenance sees of a table and changes of it, on a real catalog (ADR 18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from headwater.adapters.iceberg import IcebergCatalog
from headwater.adapters.iceberg.upkeep import IcebergUpkeep
from headwater.domain.names import TableName
from headwater.domain.release import Move
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import branch_of, new_attempt
from headwater.services.maintenance.keeping import bridges

Stage = Callable[..., Move]


@pytest.fixture
def upkeep(settings: CatalogSettings) -> Iterator[IcebergUpkeep]:
    opened = IcebergUpkeep(settings)
    yield opened
    opened.close()


@pytest.fixture
def catalog(iceberg: IcebergCatalog) -> IcebergCatalog:
    """Only a real one has manifests and an expiry that cuts lines of ancestors."""
    return iceberg


@pytest.fixture
def targets(catalog: IcebergCatalog, table: TableName, stage: Stage) -> list[int]:
    """Three published snapshots, oldest first."""
    published = []
    for number in range(3):
        move = stage(table, [number], f"k{number}")
        catalog.publish([move])
        published.append(move.target)
    return published


def test_a_history_tells_what_names_its_snapshots(
    catalog: IcebergCatalog, upkeep: IcebergUpkeep, table: TableName, targets: list[int]
) -> None:
    catalog.cut_branch(table, "hw_a", targets[1])
    catalog.tag(table, "used_by_x", targets[0])
    found, head = upkeep.history(table), catalog.head(table)
    assert found is not None
    assert head is not None
    assert (found.main, found.branches, found.tags) == (targets[2], {"hw_a": targets[1]}, {"used_by_x": targets[0]})
    assert [snapshot for _, snapshot in found.mains][-3:] == targets
    assert (found.state, found.metadata_location, found.manifests) == (head.state, head.metadata_location, 3)
    assert [(item.data_files, item.rows) for item in found.snapshots][-1] == (3, 3)
    assert upkeep.history(table.model_copy(update={"table": "none"})) is None


def test_ancestors_are_found_beyond_what_expired(
    catalog: IcebergCatalog, upkeep: IcebergUpkeep, table: TableName, targets: list[int]
) -> None:
    """Rule 38: gold that follows a table is not made anew because something between was let go."""
    before = upkeep.history(table)
    assert before is not None
    upkeep.note_ancestry(table, bridges(before, [targets[1]]))
    loaded = catalog._lake.load_table(table.identifier)
    loaded.maintenance.expire_snapshots().by_ids([targets[1]]).commit()
    after = upkeep.history(table)
    assert after is not None
    assert after.ancestry == {targets[2]: targets[0]}
    assert catalog.is_ancestor(table, targets[0])
    assert not catalog.is_ancestor(table, targets[1])
    upkeep.note_ancestry(table, {})
    assert not catalog.is_ancestor(table, targets[0])


def test_manifests_are_merged_on_the_branch_and_no_row_is_touched(
    catalog: IcebergCatalog, upkeep: IcebergUpkeep, table: TableName, targets: list[int]
) -> None:
    branch = branch_of(new_attempt())
    catalog.cut_branch(table, branch, targets[-1])
    merged = upkeep.merge_manifests(table, branch)
    loaded = catalog._lake.load_table(table.identifier)
    assert merged is not None
    assert len(loaded.snapshot_by_id(merged).manifests(loaded.io)) == 1  # type: ignore[union-attr]
    assert loaded.scan(snapshot_id=merged).to_arrow().sort_by("id")["id"].to_pylist() == [0, 1, 2]
    found = upkeep.history(table)
    assert found is not None
    assert (found.main, found.branches) == (targets[-1], {branch: merged})
    kept, base = found.snapshot(merged), found.snapshot(targets[-1])
    assert kept is not None
    assert base is not None
    assert (kept.rows, kept.data_files) == (base.rows, base.data_files)
    assert "commit.manifest-merge.enabled" not in loaded.metadata.properties
    assert upkeep.merge_manifests(table, branch) is None
    assert upkeep.merge_manifests(table, "hw_gone") is None

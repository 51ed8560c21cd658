"""Which tables' files are worth bringing together."""

from __future__ import annotations

from tests.unit.services.maintenance.conftest import at

from headwater.domain.maintenance import MIB, FileRewrite, MaintenanceSettings
from headwater.ports.upkeep import SnapshotFacts, TableHistory
from headwater.services.maintenance.rewriting import files_are_overdue, manifests_are_many, rewrite_of, why_left

SETTINGS = MaintenanceSettings(target_file_bytes=100 * MIB, min_input_files=4, max_slice_bytes=1000 * MIB)


def _table(data_files: int, mib: int, delete_files: int = 0, manifests: int = 1) -> TableHistory:
    main = SnapshotFacts(
        id=1, parent=None, created_at=at(0), data_files=data_files, delete_files=delete_files, size_bytes=mib * MIB
    )
    return TableHistory(table="t", main=1, snapshots=(main,), metadata_location="m", manifests=manifests)


def _rewrite(table: TableHistory) -> FileRewrite | None:
    return rewrite_of(table, SETTINGS, "hw_a")


def test_few_or_large_files_are_left() -> None:
    assert _rewrite(_table(3, 3)) is None
    assert _rewrite(_table(10, 1000)) is None
    assert _rewrite(_table(0, 0)) is None
    assert _rewrite(TableHistory(table="t", main=None, metadata_location="m")) is None


def test_many_small_files_are_brought_together() -> None:
    found = _rewrite(_table(10, 10))
    assert found is not None
    assert (found.whole, found.max_files) == (False, 10)


def test_a_slice_rewrites_no_more_than_it_may() -> None:
    found = _rewrite(_table(10_000, 10_000))
    assert found is not None
    assert found.max_files == 1000


def test_a_short_slice_rewrites_fewer_yet_enough_to_be_worth_it() -> None:
    few, least = (rewrite_of(_table(50, 50), SETTINGS, "hw_a", most) for most in (20, 1))
    assert few is not None
    assert least is not None
    assert (few.max_files, least.max_files) == (20, SETTINGS.min_input_files)


def test_files_are_overdue_when_ten_times_as_many_piled_up_as_are_worth_it() -> None:
    assert files_are_overdue(_table(40, 40), SETTINGS)
    assert files_are_overdue(_table(1, 500, delete_files=40), SETTINGS)
    for table in (_table(39, 39), _table(40, 4000), _table(1, 500, delete_files=39)):
        assert not files_are_overdue(table, SETTINGS)
    assert not files_are_overdue(TableHistory(table="t", main=None, metadata_location="m"), SETTINGS)


def test_a_table_with_delete_files_is_rewritten_whole_or_left_and_told() -> None:
    found = _rewrite(_table(1, 500, delete_files=4))
    assert found is not None
    assert found.whole
    large = _table(10, 2000, delete_files=4)
    assert _rewrite(large) is None
    assert "max_slice_bytes" in why_left(large, SETTINGS)
    assert why_left(_table(10, 500, delete_files=4), SETTINGS) == ""
    assert why_left(_table(10, 2000), SETTINGS) == ""


def test_small_files_below_one_delete_file_are_rewritten_whole() -> None:
    found = _rewrite(_table(5, 5, delete_files=1))
    assert found is not None
    assert found.whole


def test_manifests_are_merged_from_ten_on() -> None:
    assert not manifests_are_many(_table(1, 1, manifests=9))
    assert manifests_are_many(_table(1, 1, manifests=10))

"""What killed processes left goes only when it is old and nobody can come for it (rules 21, 29, 41)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.services.maintenance.conftest import TABLE

from headwater.adapters.memory import MemoryRunStore
from headwater.domain.errors import EngineError
from headwater.domain.maintenance import MaintenanceSettings, Upkeep
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.names import MAINTENANCE
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunKey
from headwater.domain.staging import StagedTable, TableState, new_attempt
from headwater.ports.leftovers import LeftBehind
from headwater.ports.run_store import StagedRecord
from headwater.services.maintenance.leftovers import sweep

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=3)
STATE = TableState(run_key="k", spec_hash="s", ledger="file:///lake/bronze/shop__orders/metadata/ledger.json")


@dataclass
class Folders:
    """Left folders; ``removed`` are those that went. ``touched`` ones were written to since they were looked at."""

    there: list[LeftBehind] = field(default_factory=list)
    touched: bool = False
    removed: list[str] = field(default_factory=list)

    def found(self) -> Iterable[LeftBehind]:
        return iter(self.there)

    def remove(self, left: LeftBehind) -> bool:
        self.removed += [] if self.touched else [left.place]
        return not self.touched


class Broken(Folders):
    def found(self) -> Iterable[LeftBehind]:
        raise EngineError("the folder that tasks and drivers share does not answer")


@pytest.fixture
def folders() -> Folders:
    return Folders()


@pytest.fixture
def platform(folders: Folders) -> Any:
    living = {"r1"}
    return SimpleNamespace(
        leftovers=(folders,), runs=MemoryRunStore(), clock=SimpleNamespace(now=lambda: NOW), living=living,
        run_states=SimpleNamespace(is_terminal=lambda key: key.run_id not in living),
        settings=SimpleNamespace(maintenance=MaintenanceSettings(retention="30d", longest_run="1d")),
    )  # fmt: skip


def _job(run: str = "r0", at: datetime = OLD, dag: str = "shop") -> LeftBehind:
    key = RunKey(installation="i", dag_id=dag, run_id=run)
    return LeftBehind(place="shop-refine-000000000000", written_at=at, run_keys=(str(key),), files=2)


def _folder(location: str = "/lake/bronze/shop__orders", **told: Any) -> LeftBehind:
    return LeftBehind(place="dropped/u.json", written_at=OLD, table=TABLE, location=location, files=3, **told)


def _swept(platform: Any, **asked: Any) -> list[Upkeep]:
    told: list[Upkeep] = []
    sweep(platform, **({"tables": [], "steps": None, "dry_run": False} | asked), tell=told.append)
    return told


def _staged(attempt: str) -> StagedTable:
    state = TableState(run_key="k", spec_hash="s")
    return StagedTable(table=TABLE, attempt=attempt, branch=f"hw_{attempt}", base=None, staged=1, state=state, rows=1)


@pytest.mark.parametrize("left", [_job(), _folder(), _job("r1", dag=MAINTENANCE)])
def test_what_is_old_and_nobody_comes_for_goes(platform: Any, folders: Folders, left: LeftBehind) -> None:
    folders.there = [left]
    assert [item.status for item in _swept(platform, dry_run=True)] == ["would"]
    assert folders.removed == []
    (done,) = _swept(platform)
    assert (done.step, done.status, done.files) == ("leftovers", "done", left.files)
    assert folders.removed == [left.place]


def test_what_was_written_to_within_the_longest_run_and_a_day_is_not_even_told(platform: Any, folders: Folders) -> None:
    folders.there = [_job(at=NOW - timedelta(days=2) + timedelta(seconds=1))]
    assert (_swept(platform), folders.removed) == ([], [])


def test_a_job_stays_as_long_as_its_run_lives_however_old_it_is(platform: Any, folders: Folders) -> None:
    folders.there = [_job("r1", at=NOW - timedelta(days=400))]
    (left,) = _swept(platform)
    assert (left.status, left.note, folders.removed) == ("left", "run r1 of shop is not over", [])
    platform.living.clear()
    assert [item.status for item in _swept(platform)] == ["done"]


def test_a_folder_that_the_catalog_points_into_stays(platform: Any, folders: Folders) -> None:
    folders.there = [_folder(is_referenced=True)]
    assert [(item.status, item.note) for item in _swept(platform)] == [("left", "the catalog points into it")]
    assert folders.removed == []


@pytest.mark.parametrize("inside", ["file:///lake/bronze/shop__orders/metadata/7.metadata.json", "elsewhere"])
def test_a_folder_with_a_file_that_a_kept_release_names_stays(platform: Any, folders: Folders, inside: str) -> None:
    state = STATE if inside == "elsewhere" else None
    item = ReleasedTable(table=TABLE, snapshot_id=1, metadata_location=inside, state=state)
    release = Release(
        id="r", run_key="k", pipeline="shop", kind="bronze", status="published", created_at=OLD, published_at=OLD,
        tables=(item,),
    )  # fmt: skip
    platform.runs.save_release(release)
    folders.there = [_folder(), _folder("/lake/bronze/shop__orders__was_1")]
    assert [told.status for told in _swept(platform)] == ["left", "done"]


def test_a_folder_that_a_held_attempt_works_in_stays(platform: Any, folders: Folders) -> None:
    attempt = new_attempt()
    key = str(RunKey(installation="i", dag_id="shop", run_id="r0"))
    platform.runs.save_staged(
        StagedRecord(
            run_key=key,
            stage="extract_to_bronze",
            staged=_staged(attempt),
            status="held",
            inputs_hash="h",
            created_at=OLD,
        )
    )
    folders.there = [_folder(f"/lake/bronze/shop__orders__hw_{attempt}")]
    assert [item.note for item in _swept(platform)] == ["an attempt that waits works in it"]


@pytest.mark.parametrize("asked", [{"tables": ["bronze.shop.orders"]}, {"steps": ("files",)}])
def test_leftovers_are_swept_only_with_all_tables(platform: Any, folders: Folders, asked: dict[str, Any]) -> None:
    folders.there = [_job()]
    assert (_swept(platform, **asked), folders.removed) == ([], [])
    assert len(_swept(platform, steps=("leftovers",))) == 1


def test_what_was_written_to_meanwhile_is_not_told_to_be_gone(platform: Any, folders: Folders) -> None:
    folders.there, folders.touched = [_job()], True
    assert _swept(platform) == []


def test_a_storage_that_does_not_answer_is_a_failure_of_maintenance(platform: Any) -> None:
    platform.leftovers = (Broken(),)
    with pytest.raises(MaintenanceError, match="killed processes left: the folder that tasks and drivers share"):
        _swept(platform)

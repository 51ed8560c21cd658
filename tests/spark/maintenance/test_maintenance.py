"""Maintenance on real tables: what goes, and what must stay (rules 21, 23, 24, 29, 38, 41)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.spark.maintenance.conftest import read_released

from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.names import Layer
from headwater.domain.staging import branch_of, new_attempt
from headwater.services.rollback import rollback

Wait = Callable[[], None]


def test_small_files_become_few_and_readers_see_the_same_release(kept: Any) -> None:
    for row in range(6):
        release = kept.append(f"r{row}", [row])
    before = kept.catalog.head(kept.table)
    done = kept.did("files")["files"]
    after = kept.catalog.head(kept.table)
    assert (done.status, done.files) == ("done", 6)
    assert after.main != before.main == after.published
    assert after.state == before.state.model_copy(update={"stands_for": before.main})
    assert after.branches == {}
    history = kept.upkeep.history(kept.table)
    assert history.snapshot(after.main).data_files == 1
    assert history.manifests == 1
    assert [row.id for row in kept.spark.table(kept.table.iceberg).orderBy("id").collect()] == list(range(6))
    assert kept.released_rows(release) == list(range(6))
    assert kept.did("files") == {}


def test_a_publish_after_a_rewrite_builds_on_it_and_stands_for_itself(kept: Any, old_enough: Wait) -> None:
    for row in range(3):
        old = kept.append(f"r{row}", [row])
    kept.maintain("files")
    new = kept.append("r3", [3])
    assert kept.catalog.head(kept.table).published == new.tables[0].snapshot_id
    old_enough()
    kept.append("r4", [4])
    kept.maintain("snapshots")
    assert kept.released_rows(new) == [0, 1, 2, 3]
    assert old.tables[0].snapshot_id not in kept.upkeep.history(kept.table).ids
    # rule 38: gold that was built from what is left is told so
    assert kept.catalog.is_ancestor(kept.table, new.tables[0].snapshot_id)


def test_delete_files_are_applied_and_none_is_left_dangling(kept: Any) -> None:
    kept.table = kept.table.model_copy(update={"layer": Layer.SILVER})
    kept.publish("r0", kept.merge("r0", range(10), "UPDATE SET v = 1"))
    for run in range(1, 4):
        kept.publish(f"r{run}", kept.merge(f"r{run}", [run, run + 4, 20 + run], f"UPDATE SET v = {run}"))
    kept.publish("r4", kept.merge("r4", [0], "DELETE"))
    was = kept.spark.sql(f"SELECT * FROM {kept.table.iceberg} ORDER BY id").collect()
    assert kept.upkeep.history(kept.table).snapshot(kept.catalog.head(kept.table).main).delete_files > 0
    assert kept.did("files")["files"].status == "done"
    main = kept.upkeep.history(kept.table).snapshot(kept.catalog.head(kept.table).main)
    assert (main.delete_files, main.rows) == (0, len(was))
    assert kept.spark.sql(f"SELECT * FROM {kept.table.iceberg} ORDER BY id").collect() == was


def test_only_what_no_release_names_expires_with_its_files(kept: Any, old_enough: Wait) -> None:
    gone = kept.append("r0", [0])
    kept.append("r1", [1])
    kept.maintain("files")
    old_enough()
    releases = [kept.append(f"r{run}", [run]) for run in (2, 3)]
    planned = kept.did("snapshots", dry_run=True)["snapshots"]
    before = len(kept.upkeep.history(kept.table).snapshots)
    done = kept.did("snapshots")["snapshots"]
    assert (planned.status, done.status) == ("would", "done")
    assert planned.snapshots == done.snapshots == before - len(kept.upkeep.history(kept.table).snapshots)
    assert done.files > 0
    assert [kept.released_rows(release) for release in releases] == [[0, 1, 2], [0, 1, 2, 3]]
    assert gone.tables[0].snapshot_id not in kept.upkeep.history(kept.table).ids


def test_what_waits_for_a_person_is_spared_and_can_be_published(kept: Any, old_enough: Wait) -> None:
    for run in range(3):
        kept.append(f"r{run}", [run])
    held, dead = kept.stage("r3", [3]), kept.stage("r4", [4])
    kept.hold("r3", held)
    kept.age()
    old_enough()
    done = kept.did()
    assert done["files"].status == "left"
    assert done["branches"].branches == 1
    assert set(kept.catalog.head(kept.table).branches) == {held.branch}
    assert dead.branch not in kept.catalog.head(kept.table).branches
    assert kept.released_rows(kept.publish("r3", held)) == [0, 1, 2, 3]


def test_orphans_go_and_what_only_we_know_of_stays(kept: Any) -> None:
    release = kept.append("r0", [0])
    ledger = kept.catalog.write_attachment(kept.table, "ledger-a.json", b"{}")
    columns = kept.catalog.write_attachment(kept.table, "source-columns-a.json", b"{}")
    for run in range(1, 30):  # more commits than a metadata file remembers
        kept.catalog.cut_branch(kept.table, f"hw_{run}", kept.catalog.head(kept.table).main)
        kept.catalog.drop_branches(kept.table, [f"hw_{run}"])
    orphan = kept.folder / "data" / "lost.parquet"
    orphan.write_bytes(b"PAR1")
    kept.age()
    live = kept.hold("r1", kept.stage("r1", [1]), "staged")
    mine = kept.folder / "data" / f"{live.attempt}-00001.parquet"
    mine.write_bytes(b"PAR1")
    kept.age()
    young = kept.folder / "data" / "young.parquet"
    young.write_bytes(b"PAR1")
    would = kept.did("orphans", dry_run=True)["orphans"]
    assert orphan.exists()
    done = kept.did("orphans")["orphans"]
    assert would.paths == done.paths
    assert not orphan.exists()
    assert mine.exists()
    assert young.exists()
    assert kept.catalog.read_attachment(ledger) == kept.catalog.read_attachment(columns) == b"{}"
    assert kept.released_rows(release) == [0]
    gone = [path for path in done.paths if path.endswith(".metadata.json")]
    assert gone, "metadata files that neither the log nor a release names are orphans"
    assert kept.did("orphans") == {}


def test_a_replaced_table_goes_when_nothing_needs_it(kept: Any, old_enough: Wait) -> None:
    old = kept.append("r0", [0])
    attempt = new_attempt()
    branch, name = branch_of(attempt), kept.table
    base = kept.catalog.head(name).main
    kept.table = name.at(branch)
    move = kept.stage("r1", [7])
    kept.table = name
    kept.catalog.cut_branch(name.at(branch), branch, move.target)
    swap = move.model_copy(update={"table": name, "base": base, "physical": branch, "branch": branch})
    new = kept.publish("r1", swap)
    assert "tables" not in kept.did("tables"), "the release before is what a rollback turns to"
    old_enough()
    newest = kept.append("r2", [8])
    old_enough()
    done = kept.did("tables")["tables"]
    assert done.status == "done"
    assert kept.catalog.physical_tables(name) == ()
    assert kept.released_rows(newest) == [7, 8]
    assert kept.released_rows(new) == [7]
    with pytest.raises(Exception, match=r"No such file|No files|IO Error|Could not"):
        read_released(old.tables[0])


def test_a_table_a_run_holds_is_left_and_a_run_never_waits_for_maintenance(kept: Any) -> None:
    kept.append("r0", [0])
    kept.runs.acquire([kept.table], kept.key("r1"), "shop / r1", 60)
    assert [item.status for item in kept.maintain()] == ["left"]
    assert "shop / r1" in kept.maintain()[0].note


def test_rollback_after_a_rewrite_goes_to_what_was_released(kept: Any) -> None:
    first = kept.append("r0", [0])
    for run in range(1, 4):
        kept.append(f"r{run}", [run])
    kept.maintain("files")
    back = rollback(
        kept.runs, kept.catalog, kept.clock, kept.run_states, first.id, run_key=kept.key("back"), holder="a person"
    )
    assert kept.released_rows(back) == [0]
    assert kept.catalog.head(kept.table).published == first.tables[0].snapshot_id


def test_a_run_store_that_knows_nothing_of_the_lake_lets_nothing_go(kept: Any, old_enough: Wait) -> None:
    for run in range(3):
        kept.append(f"r{run}", [run])
    old_enough()
    with closing(kept.another()) as stranger:
        stranger.runs.close()
        stranger.runs = _Forgetful(kept.runs)
        for step in ("tables", "snapshots", "orphans"):
            with pytest.raises(MaintenanceError, match="does not know release"):
                stranger.maintain(step)
    assert len(kept.upkeep.history(kept.table).snapshots) == 4


class _Forgetful:
    """A run store that was restored to before the lake's releases."""

    def __init__(self, runs: Any) -> None:
        self._runs = runs

    def __getattr__(self, name: str) -> Any:
        return (lambda _: None) if name == "release" else getattr(self._runs, name)

"""Maintenance killed at a step without Spark: readers keep everything, and the next one goes on (rules 23, 25)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pyiceberg.catalog
import pytest

from headwater.adapters.iceberg.dropping import DroppedFolders
from headwater.adapters.iceberg.upkeep import IcebergUpkeep
from headwater.domain.maintenance import MaintenanceSettings, Step
from headwater.domain.names import MAINTENANCE
from headwater.domain.run import RunKey
from headwater.services.leases import Claim, try_leases
from headwater.services.maintenance.leftovers import sweep
from headwater.services.maintenance.table import maintain_table


def _maintain(world: Any, over: Any, *steps: Step) -> dict[str, str]:
    """Step -> how it ended, at the first table."""
    settings = SimpleNamespace(maintenance=MaintenanceSettings(retention=timedelta(seconds=1)))
    with closing(IcebergUpkeep(world.settings)) as upkeep:
        platform: Any = SimpleNamespace(
            runs=world.runs, catalog=world.catalog, clock=world.clock, run_states=over, settings=settings, upkeep=upkeep
        )
        key = str(RunKey(installation="i", dag_id=MAINTENANCE, run_id="m"))
        done = maintain_table(platform, world.tables[0], run_key=key, holder="maintenance", steps=steps)
        return {item.step: item.status for item in done}


@pytest.mark.parametrize("step", ["branches", "tables"])
def test_a_killed_step_leaves_all_readable_holds_up_no_run_and_is_finished_later(
    world: Any, over: Any, ended: Callable[[int], int], step: Step
) -> None:
    world.publish("run-2", world.stage_apart("run-2", 2))
    time.sleep(1.1)
    world.publish("run-3", world.stage("run-3", 3))
    dead, shown = world.stage("run-4", 4), world.rows()
    time.sleep(1.1)
    child = world.start(f"maintain.{step}:kill", lambda mine: _maintain(mine, over, step))
    assert ended(child) == -9
    assert world.rows() == shown == [[2, 3], [1, 2, 3], [1, 2, 3]]
    assert _maintain(world, over, step) == {step: "done"}
    assert world.rows() == shown
    assert _maintain(world, over, "branches", "tables")[step] == "nothing"
    assert world.catalog.physical_tables(world.tables[0]) == ()
    assert dead[0].branch not in world.catalog.head(world.tables[0]).branches


def test_a_run_takes_a_table_from_dead_maintenance_without_waiting(
    world: Any, over: Any, ended: Callable[[int], int]
) -> None:
    world.stage("run-2", 2)
    assert ended(world.start("maintain.branches:kill", lambda mine: _maintain(mine, over, "branches"))) == -9
    [lease] = [lease for lease in world.runs.leases() if lease.table == world.tables[0].dotted]
    assert lease.run_key.split("/")[1] == MAINTENANCE
    nobody: Any = SimpleNamespace(is_terminal=lambda _: False)
    blocking = try_leases(
        world.runs,
        world.catalog,
        nobody,
        Claim(pipeline=world.pipeline, tables=world.tables, run_key=world.key("run-3"), holder="run-3", ttl_seconds=60),
    )
    assert blocking == ()


def test_a_replaced_table_is_kept_while_a_rollback_may_turn_to_it(world: Any, over: Any) -> None:
    world.publish("run-2", world.stage_apart("run-2", 2))
    assert _maintain(world, over, "tables") == {"tables": "nothing"}
    assert [name.is_replaced for name in world.catalog.physical_tables(world.tables[0])] == [True]


def test_what_a_killed_purge_leaves_is_swept_once_it_is_old(world: Any, over: Any, ended: Callable[[int], int]) -> None:
    """The table has left the catalog, its files have not: only the note of its drop tells whose they are."""

    def purged(mine: Any) -> None:
        pyiceberg.catalog.delete_data_files = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        _maintain(mine, over, "tables")

    world.publish("run-2", world.stage_apart("run-2", 2))
    time.sleep(1.1)
    world.publish("run-3", world.stage("run-3", 3))
    (replaced,) = world.catalog.physical_tables(world.tables[0])
    folder = Path(urlsplit(world.catalog.head(replaced).location).path)
    time.sleep(1.1)
    assert ended(world.start("", purged)) == -9
    assert world.catalog.physical_tables(world.tables[0]) == ()
    assert list(folder.rglob("*.metadata.json")) != []
    shown = world.rows()

    assert _swept(world, over, timedelta(0)) == [], "it is young"
    assert folder.exists()
    assert _swept(world, over, timedelta(days=3)) == ["done"]
    assert not folder.exists()
    assert world.rows() == shown
    assert [world.catalog.head(table).main for table in world.tables] == world.mains()
    assert _swept(world, over, timedelta(days=3)) == []


def _swept(world: Any, over: Any, later: timedelta) -> list[str]:
    """What became of each folder that was left, so much later."""
    settings = SimpleNamespace(maintenance=MaintenanceSettings(retention=timedelta(seconds=1)))
    now = world.clock.now() + later
    told: list[Any] = []
    with closing(DroppedFolders(world.settings)) as dropped:
        platform: Any = SimpleNamespace(
            runs=world.runs, clock=SimpleNamespace(now=lambda: now), run_states=over, settings=settings,
            leftovers=(dropped,),
        )  # fmt: skip
        sweep(platform, tables=[], steps=None, dry_run=False, tell=told.append)
    return [item.status for item in told]

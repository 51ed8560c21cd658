"""Maintenance killed in the middle of a step leaves everything readable, and the next one goes on (ADR 18).

Steps without Spark are killed in ``tests/faults/publish``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater.adapters.profile import write_profile
from headwater.ports.failpoints import VARIABLE
from headwater_spark.entrypoints.run_job import REMOTE_VARIABLE

PLACES = [
    ("files", "maintain.files.rewritten"),
    ("files", "publish.mid_metadata"),
    ("snapshots", "maintain.snapshots"),
    ("orphans", "maintain.orphans"),
]


@pytest.mark.parametrize(("step", "place"), PLACES)
def test_a_killed_step_leaves_all_readable_and_the_next_goes_on(
    kept: Any, old_enough: Callable[[], None], tmp_path: Path, step: str, place: str
) -> None:
    kept.append("r0", [0])
    old_enough()
    kept.append("r1", [1])
    current = kept.append("r2", [2])
    held = kept.stage("r3", [3])
    if step != "files":
        kept.hold("r3", held)
    kept.stage("r4", [4])
    (kept.folder / "data" / "lost.parquet").write_bytes(b"PAR1")
    kept.age()
    write_profile(kept.settings, tmp_path / "profile.yaml")
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(tmp_path / "profile.yaml")]
    environ = {**os.environ, VARIABLE: f"{place}:kill", REMOTE_VARIABLE: kept.engine.remote}
    ended = subprocess.run([*command, kept.table.dotted, step], env=environ, check=False, timeout=120)
    assert ended.returncode == -9

    def all_is_there() -> None:
        assert kept.released_rows(current) == [0, 1, 2]
        assert [row.id for row in kept.spark.table(kept.table.iceberg).orderBy("id").collect()] == [0, 1, 2]

    all_is_there()
    assert all(item.status != "left" for item in kept.maintain(step)), "a dead maintenance holds nobody up"
    all_is_there()
    newest = kept.publish("r3", held) if step != "files" else kept.append("r3", [3])
    kept.maintain()
    assert kept.released_rows(newest) == [0, 1, 2, 3]
    assert not (kept.folder / "data" / "lost.parquet").exists()
    assert kept.head.branches == {}

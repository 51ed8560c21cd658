"""What is known of a driver on YARN: by the process here while there is one, by YARN when there is not."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import psutil
import pytest

from headwater.adapters.spark_applications.applications import Application
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_submit.local_drivers import LocalDrivers
from headwater.adapters.spark_submit.opening import submitted_applications
from headwater.adapters.spark_submit.resource_manager import YarnReport, configuration_folder
from headwater.adapters.spark_submit.yarn_drivers import YarnDrivers
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform

ATTEMPT = "a" * 32


@dataclass
class ScriptedYarn:
    """Says one state after the other; the last stays."""

    states: list[str | None]
    asked: int = 0
    killed: list[str] = field(default_factory=list)

    def report(self, tag: str) -> YarnReport | None:
        assert tag == f"headwater-{ATTEMPT}"
        self.asked += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return None if state is None else YarnReport("application_1_0001", state, "why it is so")

    def kill(self, report: YarnReport) -> None:
        self.killed.append(report.application_id)


def drivers(manager: ScriptedYarn, mode: str = "cluster", ask_seconds: float = 0) -> YarnDrivers:
    catalog = CatalogSettings(uri="sqlite://", jdbc_uri="", warehouse="file:///w")
    spark = SparkSettings(mode="submit", jars="j", master="yarn", deploy_mode=mode)
    settings = Settings(home="h", repository="r", run_store="x", catalog=catalog, spark=spark)
    return YarnDrivers(settings, manager=manager, ask_seconds=ask_seconds)


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Of this process, which lives; its claim could have been written by any worker."""
    (tmp_path / "driver.log").write_text("the last words")
    return {
        "host": socket.gethostname(), "pid": str(os.getpid()), "started": repr(psutil.Process().create_time()),
        "folder": str(tmp_path), "tag": f"headwater-{ATTEMPT}", "attempt": ATTEMPT, "exchange": str(tmp_path),
        "key": "k",
    }  # fmt: skip


@pytest.fixture
def elsewhere(application: Application) -> Application:
    return {**application, "host": "a-worker-that-is-gone"}


def begin(application: Application) -> None:
    Exchange.of(application["exchange"], application["key"]).begin(application["attempt"])


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_driver_is_starting_until_it_says_that_it_works(application: Application, mode: str) -> None:
    """Else ``start_timeout`` would never pass for one that waits in a queue."""
    known = drivers(ScriptedYarn(["ACCEPTED"]), mode)
    state = known.look(application)
    assert (state.phase, "ACCEPTED. why it is so" in state.why) == ("starting", True)
    begin(application)
    assert known.look(application).phase == "running"


@pytest.mark.parametrize(
    ("state", "has_begun", "phase"),
    [
        ("ACCEPTED", False, "starting"), ("RUNNING", False, "starting"), ("RUNNING", True, "running"),
        ("KILLED", True, "ended"), ("FAILED", False, "ended"), (None, True, "gone"),
    ],
)  # fmt: skip
def test_yarn_is_asked_of_a_driver_whose_process_is_not_here(
    elsewhere: Application, state: str | None, has_begun: bool, phase: str
) -> None:
    if has_begun:
        begin(elsewhere)
    assert drivers(ScriptedYarn([state])).look(elsewhere).phase == phase


def test_a_driver_that_was_a_process_of_another_worker_is_gone_with_it(elsewhere: Application) -> None:
    begin(elsewhere)
    manager = ScriptedYarn(["RUNNING"])
    assert drivers(manager, "client").look(elsewhere).phase == "gone"
    assert manager.asked == 0


def test_yarn_is_asked_seldom_but_at_once_when_the_process_here_has_ended(application: Application) -> None:
    manager = ScriptedYarn(["ACCEPTED", "KILLED"])
    known = drivers(manager, ask_seconds=3600)
    assert [known.look(application).phase for _ in range(3)] == ["starting"] * 3
    assert manager.asked == 1
    ended = known.look({**application, "started": "0.0"})
    assert (ended.phase, "the last words" in ended.why, "KILLED" in ended.why) == ("ended", True, True)
    assert ended.facts is not None
    assert ended.facts["yarn_application"] == "application_1_0001"


def test_a_stopped_job_is_killed_on_yarn_unless_it_has_ended(elsewhere: Application) -> None:
    running, ended = ScriptedYarn(["RUNNING"]), ScriptedYarn(["FINISHED"])
    for manager in (running, ended):
        drivers(manager).stop(elsewhere)
    assert (running.killed, ended.killed) == (["application_1_0001"], [])


@pytest.mark.parametrize(("master", "made"), [("yarn", YarnDrivers), ("spark://host:7077", LocalDrivers)])
def test_the_master_says_whose_drivers_they_are(master: str, made: type[LocalDrivers]) -> None:
    settings = drivers(ScriptedYarn([None])).settings
    known = settings.model_copy(update={"spark": settings.spark.model_copy(update={"master": master})})
    platform = cast("LocalPlatform", SimpleNamespace(settings=known, connections=None))
    assert type(submitted_applications(platform)) is made


def test_a_job_is_not_begun_where_nobody_knows_where_yarn_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)
    settings = drivers(ScriptedYarn([None])).settings
    known = YarnDrivers(settings.model_copy(update={"home": str(tmp_path)}))
    job = JobSpec(
        kind="refine", run_key="r", pipeline="p", attempt=ATTEMPT, planned_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(EngineError, match="where YARN is"):
        known.start(job, Exchange.of(str(tmp_path), "k"))


def test_where_yarn_is_must_be_in_the_environment() -> None:
    assert configuration_folder({"YARN_CONF_DIR": "/y"}) == Path("/y")
    assert configuration_folder({"YARN_CONF_DIR": "/y", "HADOOP_CONF_DIR": "/h"}) == Path("/h")
    with pytest.raises(EngineError, match="where YARN is"):
        configuration_folder({"HADOOP_CONF_DIR": ""})

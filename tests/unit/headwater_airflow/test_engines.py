"""Which engine a task gets by its profile, and what becomes of its job when Airflow ends the task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.adapters.platform import LocalPlatform
from headwater.adapters.profile import write_profile
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_submit.local_drivers import LocalDrivers
from headwater.domain.errors import EngineError
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spark_settings import KubernetesSettings
from headwater_airflow.hooks.spark_applications import KubernetesApplications
from headwater_airflow.operators.stages import RefineToSilverOperator
from headwater_airflow.platform import open_task_platform

CATALOG = CatalogSettings(uri="postgresql+psycopg://h/lake", jdbc_uri="jdbc:postgresql://h/lake", warehouse="/w")


def settings(**spark: Any) -> Settings:
    return Settings(
        home="/h", repository="/r", run_store="x", catalog=CATALOG, spark=SparkSettings(jars="/jars", **spark)
    )


def task_platform(known: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> LocalPlatform:
    write_profile(known, folder / "profile.yaml")
    monkeypatch.setenv("HEADWATER_PROFILE", str(folder / "profile.yaml"))
    return open_task_platform()


def test_connect_is_what_a_profile_gets_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(task_platform(settings(), tmp_path, monkeypatch).engine, ConnectEngine)


def test_submit_keeps_its_drivers_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = task_platform(settings(mode="submit", master="spark://h:7077"), tmp_path, monkeypatch).engine
    assert isinstance(engine, ApplicationEngine)
    assert isinstance(engine.applications, LocalDrivers)


def test_a_task_reaches_kubernetes_and_a_command_is_told_that_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = settings(mode="kubernetes", kubernetes=KubernetesSettings(image="i"))
    engine = task_platform(known, tmp_path, monkeypatch).engine
    assert isinstance(engine, ApplicationEngine)
    assert isinstance(engine.applications, KubernetesApplications)
    with pytest.raises(EngineError, match="Airflow's tasks only"):
        _ = LocalPlatform(known).engine


class TestTasksThatAirflowEnds:
    def test_their_spark_job_ends_with_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        platform, task = LocalPlatform(settings()), RefineToSilverOperator(task_id="t", file="f", pipeline="p")
        ended: list[bool] = []
        monkeypatch.setattr(platform.engine, "cancel", lambda: ended.append(True))
        task._platform = platform
        task.on_kill()
        assert ended == [True]

    def test_nothing_is_opened_for_one_that_had_no_job(self) -> None:
        task = RefineToSilverOperator(task_id="t", file="f", pipeline="p")
        task.on_kill()
        task._platform = platform = LocalPlatform(settings())
        task.on_kill()
        assert "engine" not in vars(platform)

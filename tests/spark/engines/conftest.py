"""The engines under test, each over the lake of the session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from tests.spark.engines.standalone_cluster import Cluster, standalone_cluster
from tests.spark.engines.yarn_cluster import Yarn, yarn_cluster

from headwater.adapters.embedded.jars import pyspark_home
from headwater.adapters.spark_applications.applications import Application
from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_submit.local_drivers import LocalDrivers
from headwater.adapters.spark_submit.yarn_drivers import YarnDrivers
from headwater.domain.job import JobSpec
from headwater.domain.settings import Settings
from headwater.domain.spark_settings import StageSize
from headwater.ports import failpoints

# what YARN is made of is fetched, and asked for by a variable: otherwise there is no such test
WITH_YARN = "HEADWATER_YARN" in os.environ
collect_ignore_glob = [] if WITH_YARN else ["test_yarn.py"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with standalone_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="session")
def submit_settings(settings: Settings, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The session's lake, and stages by spark-submit to the cluster."""
    home = tmp_path_factory.mktemp("submit")
    (home / "events").mkdir()
    spark = settings.spark.model_copy(
        update={
            "mode": "submit",
            "master": cluster.master,
            "sizes": {"default": SMALL, "refine": SMALL.model_copy(update={"executors": 2})},
            "event_log": (home / "events").as_uri(),
            "conf": {
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.ui.enabled": "false",
                "spark.local.dir": str(home / "tmp"),
                "spark.eventLog.compress": "false",
                **QUICK,
            },
        }
    )
    return settings.model_copy(update={"home": str(home), "spark": spark})


SMALL = StageSize(driver_memory="1g", executors=1, executor_memory="700m")
_FLAGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC"
QUICK = {
    "spark.driver.extraJavaOptions": _FLAGS,
    "spark.executor.extraJavaOptions": _FLAGS,
    "spark.sql.codegen.wholeStage": "false",
}
"""For jobs of seconds: nothing that is compiled here is used twice."""
Engine = ConnectEngine | ApplicationEngine
Mode = Literal["client", "cluster"]


@pytest.fixture(params=["connect", "submit", *(["yarn-client", "yarn-cluster"] if WITH_YARN else [])])
def engine(request: pytest.FixtureRequest, settings: Settings) -> Engine:
    """What every engine must do is asked of each."""
    kind, _, mode = request.param.partition("-")
    if kind == "connect":
        return ConnectEngine(settings)
    if kind == "yarn":
        known: Settings = request.getfixturevalue("yarn_settings")(mode)
        return ApplicationEngine(known, ArmedDrivers(known), poll_seconds=0.2)
    make: Callable[[], ApplicationEngine] = request.getfixturevalue("submit_engine")
    return make()


@pytest.fixture
def submit_engine(submit_settings: Settings) -> Callable[[], ApplicationEngine]:
    """A fresh engine, as a task of its own has it."""
    return lambda: ApplicationEngine(submit_settings, LocalDrivers(submit_settings), poll_seconds=0.2)


class ArmedDrivers(YarnDrivers):
    """Drivers in containers of YARN have not our environment: a failpoint goes to them as a property."""

    def start(self, job: JobSpec, exchange: Exchange) -> Application:
        self.settings = armed(self.settings)
        return super().start(job, exchange)


def armed(settings: Settings) -> Settings:
    """With the failpoint that this process has armed, or none."""
    conf = settings.spark.conf | {
        f"spark.yarn.appMasterEnv.{failpoints.VARIABLE}": os.environ.get(failpoints.VARIABLE, "")
    }
    return settings.model_copy(update={"spark": settings.spark.model_copy(update={"conf": conf})})


@pytest.fixture(scope="session")
def yarn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yarn]:
    """Room for one driver in a container and two executors."""
    with (
        yarn_cluster(tmp_path_factory.mktemp("yarn"), memory_megabytes=3500) as made,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("HADOOP_CONF_DIR", str(made.conf))
        yield made


@pytest.fixture(scope="session")
def yarn_settings(
    settings: Settings, yarn: Yarn, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Mode], Settings]:
    """The session's lake, and stages by spark-submit to YARN."""
    home = tmp_path_factory.mktemp("yarn-home")
    conf = {
        "spark.yarn.jars": f"local:{pyspark_home() / 'jars'}/*",
        "spark.yarn.stagingDir": str(home / "staging"),
        "spark.ui.enabled": "false",
        "spark.yarn.am.memory": "256m",
        "spark.executor.memoryOverhead": "200m",
        "spark.driver.memoryOverhead": "300m",
        **QUICK,
    }

    def made(mode: Mode) -> Settings:
        # in a container YARN knows the addresses; here the task's machine is this one
        here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"} if mode == "client" else {}
        spark = settings.spark.model_copy(
            update={
                "mode": "submit",
                "master": "yarn",
                "deploy_mode": mode,
                "sizes": {"default": SMALL},
                "conf": conf | here,
            }
        )
        return settings.model_copy(update={"home": str(Path(home) / mode), "spark": spark})

    return made

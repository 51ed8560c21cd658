"""The engines under test, each over the lake of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.spark.engines.standalone_cluster import Cluster, standalone_cluster

from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.adapters.spark_connect.engine import ConnectEngine
from headwater.adapters.spark_submit.local_drivers import LocalDrivers
from headwater.domain.settings import Settings
from headwater.domain.spark_settings import StageSize


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


@pytest.fixture(params=["connect", "submit"])
def engine(request: pytest.FixtureRequest, settings: Settings) -> Engine:
    """What every engine must do is asked of each."""
    if request.param == "connect":
        return ConnectEngine(settings)
    make: Callable[[], ApplicationEngine] = request.getfixturevalue("submit_engine")
    return make()


@pytest.fixture
def submit_engine(submit_settings: Settings) -> Callable[[], ApplicationEngine]:
    """A fresh engine, as a task of its own has it."""
    return lambda: ApplicationEngine(submit_settings, LocalDrivers(submit_settings), poll_seconds=0.2)
